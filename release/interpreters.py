"""The Pythons of this machine that the package supports, and environments that hold nothing but what is told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
"""What wheels are built and tried for."""


def find_interpreters() -> dict[str, Path | None]:
    """Return for each version a Python that starts, from PATH or pyenv; None where there is none."""
    return {version: next(filter(None, map(_started(version), _candidates(version))), None) for version in VERSIONS}


def tell(found: dict[str, Path | None]) -> None:
    """Print which versions are here and which are not."""
    for version, python in found.items():
        print(f"Python {version}: {python or 'NOT HERE, nothing is built or tried for it'}", flush=True)


def bare_environment(folder: Path, python: Path, *packages: str) -> Path:
    """Make an environment with these packages and what they need; return its Python."""
    call(python, "-m", "venv", "--clear", folder)
    own = folder / "bin" / "python"
    if packages:
        call(own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages)
    return own


def call(*command: Path | str, cwd: Path | None = None) -> None:
    """Run a command that sees no other Python environment; end with its status if it fails."""
    ended = subprocess.run([os.fspath(part) for part in command], cwd=cwd, env=clean_variables(), check=False)
    if ended.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: status {ended.returncode}")


def clean_variables() -> dict[str, str]:
    """Return the environment without what leads Python to modules of other places, and with the tools beside Python."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"}


def _candidates(version: str) -> list[str]:
    patches = sorted(
        Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), key=lambda path: int(path.parts[-3].split(".")[2])
    )
    return [found for found in (shutil.which(f"python{version}"), *map(str, reversed(patches))) if found]


def _started(version: str) -> Callable[[str], Path | None]:
    """Return what gives the real path of a candidate that is of this version and can make environments."""
    code = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2], sys.executable)"

    def start(candidate: str) -> Path | None:
        ended = subprocess.run(
            [candidate, "-c", code], capture_output=True, text=True, env=clean_variables(), check=False
        )
        said, _, path = ended.stdout.strip().partition(" ")
        return Path(path) if ended.returncode == 0 and said == version else None

    return start
