"""Try a wheel in an environment that holds nothing else: ``python release/try_wheel.py WHEEL [PYTHON]``.

No extra, no compiler, no part of the source tree: :mod:`core_alone` scores a CoMPASS run there and reads every format
of the core. Then sizes of all that is installed, and times of import beside that of NumPy.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from interpreters import bare_environment, call, clean_variables
from old_processor import try_old_processor

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "cpp" / "examples" / "sample"
N_STARTS = 15
IMPORTS = {
    "numpy": "import numpy",
    "discrimen": "import discrimen",
    "discrimen, and what loads models": "import discrimen; discrimen.load",
    "discrimen, and what reads run files": "import discrimen; discrimen.read",
    "the command line": "import discrimen.cli.main",
}

LIST = """
import importlib.metadata as metadata
for each in metadata.distributions():
    files = [each.locate_file(file) for file in each.files or ()]
    size = sum(file.stat().st_size for file in files if file.is_file())
    print(f"{size / 1e6:8.2f} MB  {each.name} {each.version}")
"""


def main(wheel: Path, python: Path) -> None:
    """Install the wheel alone, try it, and print what it takes."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        own = bare_environment(folder / "environment", python, str(wheel))
        for name in ("core_alone.py", "bc501a_10ns.discrimen", "bc501a_10ns.raw"):
            shutil.copy((SAMPLE if name.startswith("bc501a") else Path(__file__).parent) / name, folder)
        call(own, "-I", "core_alone.py", cwd=folder)
        try_old_processor(own, folder)
        print(f"installed, {wheel.name}:", flush=True)
        call(own, "-I", "-c", LIST, cwd=folder)
        print_imports(own, folder)


def print_imports(python: Path, folder: Path) -> None:
    """Print the time of each import, the least of many in turn, as a ratio to NumPy alone."""
    best = dict.fromkeys(IMPORTS, float("inf"))
    for _ in range(N_STARTS):
        for name, code in IMPORTS.items():
            best[name] = min(best[name], import_ms(python, code, folder))
    for name, time_ms in best.items():
        print(f"import of {name}: {time_ms:.0f} ms, {time_ms / best['numpy']:.2f} of NumPy alone", flush=True)


def import_ms(python: Path, code: str, folder: Path) -> float:
    """Return what `python -X importtime` adds up for this code, above an empty program."""
    ended = subprocess.run(
        [python, "-I", "-X", "importtime", "-c", f"import sys; sys.stderr.write('begin\\n'); {code}"],
        cwd=folder,
        env=clean_variables(),
        capture_output=True,
        text=True,
        check=True,
    )
    lines = ended.stderr.partition("begin\n")[2].splitlines()
    return sum(int(line.split("|")[0].removeprefix("import time:")) for line in lines) / 1000


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2] if len(sys.argv) > 2 else sys.executable))
