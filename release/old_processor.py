"""Whether the compiled modules of an installed wheel start on a processor without AVX: a Core 2 Duo by qemu."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

from interpreters import call

PROCESSOR = "core2duo"

CODE = """
import glob, importlib.util, sys
for name in ("formats/_records", "inference/engine/_native"):
    (path,) = glob.glob(f"{sys.prefix}/lib/python3*/site-packages/discrimen/{name}.*.so")
    spec = importlib.util.spec_from_file_location(name.rpartition("/")[2], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
chosen = module.Model.load("bc501a_10ns.discrimen", "").instruction_set
assert chosen == "baseline", chosen
print("on a processor without AVX (by qemu): the engine gives the golden vectors with baseline instructions")
"""
"""NumPy's own wheels ask for more than such a processor has: the modules are loaded by themselves."""


def try_old_processor(python: Path, folder: Path) -> None:
    """Load the modules and a model in emulation; say so where that cannot be done."""
    emulator = shutil.which("qemu-x86_64")
    if platform.machine() != "x86_64" or emulator is None:
        print("not tried on an old processor: needs x86-64 and qemu-x86_64 (Debian: qemu-user)")
        return
    call(emulator, "-cpu", PROCESSOR, python, "-I", "-c", CODE, cwd=folder)
