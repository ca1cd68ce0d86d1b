"""Build the source distribution and the wheels of all Pythons of this machine: ``python release/wheels.py [FOLDER]``.

The steps of cibuildwheel (pyproject.toml), by hand and without its containers: each wheel is built from the source
distribution alone, made to fit its platform by auditwheel, checked, and tried in a bare environment. From Python 3.12
on one wheel serves all later versions.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import try_wheel
from interpreters import VERSIONS, bare_environment, call, find_interpreters, tell

ROOT = Path(__file__).resolve().parents[1]
TOOLS = Path(sys.executable).parent


def main(folder: Path) -> None:
    """Build, repair, check and try."""
    pythons = find_interpreters()
    tell(pythons)
    with TemporaryDirectory() as scratch:
        call(sys.executable, "-m", "build", "--sdist", "--outdir", folder, ROOT)
        (sdist,) = folder.glob("*.tar.gz")
        for version in wanted({version for version, python in pythons.items() if python}):
            python = pythons[version]
            assert python is not None
            built = build(sdist, python, Path(scratch) / version)
            call(TOOLS / "auditwheel", "repair", "--wheel-dir", folder, built)
    wheels = sorted(folder.glob("*.whl"))
    check(sdist, wheels)
    for version, python in pythons.items():
        if python is not None:
            print(f"\nPython {version}", flush=True)
            try_wheel.main(fitting(wheels, version), python)


def wanted(versions: set[str]) -> list[str]:
    """Return which Pythons build a wheel: 3.11, and the lowest of those that share one."""
    sharing = [version for version in VERSIONS[1:] if version in versions]
    return [version for version in VERSIONS[:1] if version in versions] + sharing[:1]


def build(sdist: Path, python: Path, scratch: Path) -> Path:
    """Build the wheel of one Python from the source distribution."""
    own = bare_environment(scratch / "environment", python)
    call(own, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", scratch / "wheel", sdist)
    (built,) = (scratch / "wheel").glob("*.whl")
    return built


def fitting(wheels: list[Path], version: str) -> Path:
    """Return the wheel that this Python would take."""
    tag = f"cp{version.replace('.', '')}-cp"
    return next((wheel for wheel in wheels if tag in wheel.name), None) or next(w for w in wheels if "-abi3-" in w.name)


def check(sdist: Path, wheels: list[Path]) -> None:
    """Let the tools of the package index look at what was built, and print its sizes."""
    call(TOOLS / "twine", "check", "--strict", sdist, *wheels)
    call(TOOLS / "check-wheel-contents", *wheels)
    for wheel in wheels:
        if "-abi3-" in wheel.name:
            call(TOOLS / "abi3audit", "--strict", "--summary", wheel)
        call(TOOLS / "auditwheel", "show", wheel)
    for path in (sdist, *wheels):
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB", flush=True)


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "dist")
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        sys.exit(f"{target}: holds something already; give an empty folder, or remove it")
    main(target.resolve())
