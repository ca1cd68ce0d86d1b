"""Run the tests of the core with each Python of this machine: ``python release/pythons.py [3.12 ...]``.

For each of 3.11 to 3.14 that is here a wheel is built from the source distribution, and installed with pytest and
without any extra; tests that ask for an extra are skipped and counted. A Python that is not here is named.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from interpreters import VERSIONS, bare_environment, call, clean_variables, find_interpreters, tell
from wheels import ROOT, build

ROOMS = ("errors", "inference", "network", "output", "pulse_shape", "pulses", "released", "runs", "scoring", "formats")
MARKERS = "not slow and not real_data and not root and not slurm and not container and not fpga and not notebooks"
TOOLS = ("pytest", "pytest-timeout", "hypothesis")
FEWEST_PASSED = 2000
"""Should fewer pass, then tests were skipped that need no extra."""


def main(wished: list[str]) -> None:
    """Build and test for each, or for those that are wished, and print one line each at the end."""
    pythons = {version: python for version, python in find_interpreters().items() if version in (wished or VERSIONS)}
    tell(pythons)
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        call(sys.executable, "-m", "build", "--sdist", "--outdir", folder, ROOT)
        (sdist,) = folder.glob("*.tar.gz")
        ended = {
            version: tested(sdist, python, folder / version) if python else "not here"
            for version, python in pythons.items()
        }
    print("\n".join(f"Python {version}: {result}" for version, result in ended.items()))
    sys.exit(any("FAILED" in result for result in ended.values()))


def tested(sdist: Path, python: Path, scratch: Path) -> str:
    """Return what pytest says at the end for one Python."""
    own = bare_environment(scratch / "tests", python, str(build(sdist, python, scratch)), *TOOLS)
    rooms = [
        str(path) for room in ROOMS for path in (ROOT / "tests" / room, ROOT / f"tests/test_{room}.py") if path.exists()
    ]
    ended = subprocess.run(
        [
            own,
            "-m",
            "pytest",
            "-q",
            "-p",
            "only_core",
            "-p",
            "no:cacheprovider",
            "-m",
            MARKERS,
            "--tb=short",
            "-r",
            "fE",
            *rooms,
        ],
        cwd=ROOT,
        env=clean_variables() | {"PYTHONPATH": str(Path(__file__).parent), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    *lines, last = ended.stdout.strip().splitlines()
    passed = int((re.search(r"(\d+) passed", last) or [0, 0])[1])
    if ended.returncode == 0 and passed >= FEWEST_PASSED:
        return last
    print("\n".join(lines[-200:]))
    return f"FAILED, status {ended.returncode}, at least {FEWEST_PASSED} must pass: {last}"


if __name__ == "__main__":
    main(sys.argv[1:])
