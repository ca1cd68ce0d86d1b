"""Verilog mapped, placed and routed with open tools, and what they report."""

from __future__ import annotations

import json
import re
import shutil
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discrimen.fpga.tools import ECPPACK, NEXTPNR, YOSYS, ToolError, run_wasm_tool
from discrimen.fpga.verilog import NETWORK, TOP, Design

DEVICE, PACKAGE, SPEED_GRADE = "25k", "CABGA381", 8
_ASKED_MHZ = 300
_LUT = re.compile(r"LUT[1-6]|INV")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """What a mapping for the 7-series takes.

    Parameters
    ----------
    lut : int
        Look-up tables of logic, inverters among them.
    shift_lut : int
        Look-up tables that serve as shift registers.
    ff, carry4, dsp, bram : int
        Registers, carry chains of four bits, multipliers, block memories.
    """

    lut: int
    shift_lut: int
    ff: int
    carry4: int
    dsp: int
    bram: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What a placed and routed design for the ECP5 takes.

    Parameters
    ----------
    fmax_mhz : tuple of float
        Of each placement.
    utilisation : mapping of str to (int, int)
        Used and present of each kind of cell that is used.
    bitstream : Path
        Of the placement with the median clock.
    """

    fmax_mhz: tuple[float, ...]
    utilisation: Mapping[str, tuple[int, int]]
    bitstream: Path

    @property
    def median_mhz(self) -> float:
        """The clock that the design reaches, the median of the placements."""
        return statistics.median(self.fmax_mhz)


def cells_of(statistics_text: str) -> Cells:
    """Read the cells from the JSON of Yosys' ``stat -json`` after ``synth_xilinx``.

    Raises
    ------
    ToolError
        If it holds no cells.
    """
    try:
        counts: dict[str, int] = json.loads(statistics_text)["design"]["num_cells_by_type"]
    except (ValueError, KeyError) as error:
        raise ToolError(f"Yosys' statistics hold no cells: {error}") from error

    def total(pattern: str) -> int:
        return sum(count for name, count in counts.items() if re.fullmatch(pattern, name))

    return Cells(
        lut=total(_LUT.pattern),
        shift_lut=total(r"SRL\w+"),
        ff=total(r"FD\w+"),
        carry4=total("CARRY4"),
        dsp=total(r"DSP\w+"),
        bram=total(r"RAMB\w+"),
    )


def placed_of(report_text: str) -> tuple[float, dict[str, tuple[int, int]]]:
    """Read clock and utilisation from nextpnr's ``--report``.

    Raises
    ------
    ToolError
        If it holds no clock.
    """
    try:
        report: dict[str, Any] = json.loads(report_text)
        clocks = [float(clock["achieved"]) for clock in report["fmax"].values()]
        used = {name: (int(kind["used"]), int(kind["available"])) for name, kind in report["utilization"].items()}
    except (ValueError, KeyError, TypeError) as error:
        raise ToolError(f"nextpnr's report is not what it should be: {error!r}") from error
    if not clocks:
        raise ToolError("nextpnr's report holds no clock")
    return min(clocks), {name: pair for name, pair in used.items() if pair[0]}


def map_xilinx(design: Design, folder: Path, *, top: str = TOP) -> Cells:
    """Map a top, or the network alone, for the 7-series; the netlist is TOP_xc7.v.

    Raises
    ------
    ToolError
        If Yosys fails.
    """
    return _xilinx(design.sources, folder, top=top) if top == TOP else map_network(design.network_sources, folder)


def map_network(sources: Sequence[Path], folder: Path) -> Cells:
    """Map the Verilog of a network alone for the 7-series.

    Raises
    ------
    ToolError
        If Yosys fails.
    """
    return _xilinx(sources, folder, top=NETWORK)


def _xilinx(sources: Sequence[Path], folder: Path, *, top: str) -> Cells:
    name = f"{top}_xc7"
    script = (
        f"synth_xilinx -family xc7 -noiopad -abc9 -nodsp -flatten -top {top}; "
        f"tee -q -o {name}.json stat -json -top {top}; write_verilog -noattr {name}.v"
    )
    _yosys(sources, script, folder=folder, name=name)
    return cells_of((folder / f"{name}.json").read_text(encoding="utf-8"))


def map_ecp5(design: Design, folder: Path, *, top: str = TOP) -> Path:
    """Map the top for the ECP5; return its netlist in Verilog, with the one for nextpnr beside it.

    Raises
    ------
    ToolError
        If Yosys fails.
    """
    name = f"{top}_ecp5"
    script = f"synth_ecp5 -nodsp -abc9 -top {top} -json {name}.json; write_verilog -noattr {name}.v"
    _yosys(design.sources, script, folder=folder, name=name)
    return folder / f"{name}.v"


def place_and_route(folder: Path, *, n_placements: int, top: str = TOP, least_mhz: float = 0.0) -> Placed | None:
    """Place and route what :func:`map_ecp5` has mapped, and pack a bitstream; None if the first clock is too low.

    Raises
    ------
    ToolError
        If the design does not fit, or a tool fails.
    """
    fmax: list[float] = []
    used: dict[str, tuple[int, int]] = {}
    for seed in range(1, n_placements + 1):
        arguments = [f"--{DEVICE}", "--package", PACKAGE, "--speed", str(SPEED_GRADE), "--freq", str(_ASKED_MHZ)]
        arguments += ["--seed", str(seed), "--timing-allow-fail", "--lpf-allow-unconstrained"]
        arguments += [
            "--json",
            f"{top}_ecp5.json",
            "--report",
            f"placed_{seed}.json",
            "--textcfg",
            f"placed_{seed}.config",
        ]
        run_wasm_tool(NEXTPNR, arguments, folder=folder, log=f"nextpnr_{seed}.log")
        mhz, used = placed_of((folder / f"placed_{seed}.json").read_text(encoding="utf-8"))
        if mhz < least_mhz and not fmax:
            return None
        fmax.append(mhz)
    middle = 1 + fmax.index(statistics.median_low(fmax))
    run_wasm_tool(ECPPACK, [f"placed_{middle}.config", f"{top}.bit"], folder=folder, log="ecppack.log")
    return Placed(fmax_mhz=tuple(fmax), utilisation=used, bitstream=folder / f"{top}.bit")


def _yosys(sources: Sequence[Path], script: str, *, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    copies = folder / "verilog"
    copies.mkdir(exist_ok=True)
    for path in sources:
        shutil.copyfile(path, copies / path.name)
    read = " ".join(f"verilog/{path.name}" for path in sources)
    command = f"read_verilog -defer {read}; {script}"
    run_wasm_tool(YOSYS, ["-q", "-l", f"{name}.log", "-p", command], folder=folder, log=f"{name}.out")


__all__ = [
    "NETWORK",
    "Cells",
    "Placed",
    "cells_of",
    "map_ecp5",
    "map_network",
    "map_xilinx",
    "place_and_route",
    "placed_of",
]
