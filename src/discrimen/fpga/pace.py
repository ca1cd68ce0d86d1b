"""How much logic may lie between two registers: as much as the asked clock allows, found by placing.

Fewer registers give a decision in fewer clocks, more of them a faster clock. Which is enough depends on the network and
is not to be had from the Verilog alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from discrimen.fpga.synthesis import Placed, map_ecp5, place_and_route
from discrimen.fpga.verilog import STAGE_DELAYS, Design

AnyDesign = TypeVar("AnyDesign", bound=Design)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """A design at its pace.

    Parameters
    ----------
    netlist : Path
        After synthesis for the ECP5, in Verilog.
    placed : Placed
        Its placements.
    """

    netlist: Path
    placed: Placed


def at_pace(
    write: Callable[[float], AnyDesign],
    folder: Path,
    *,
    top: str,
    clock_mhz: float,
    n_placements: int,
    log: Callable[[str], None],
) -> tuple[AnyDesign, Paced]:
    """Write a design with as few registers as the clock allows, and place it.

    Parameters
    ----------
    write : callable
        Writes the design with a delay between registers, in alkaid's unit.
    folder : Path
        For netlists and placements.
    top : str
        Module.
    clock_mhz : float
        What the first placement must reach; the last of the delays is taken in any case.
    n_placements : int
        The clock is the median of these.
    log : callable
        Gets a line at the beginning of each step.

    Raises
    ------
    ToolError
        If a tool fails, or the design does not fit.
    """
    for delay in STAGE_DELAYS:
        design = write(delay)
        log(f"Yosys: mapping for the ECP5, {design.latency} clocks")
        netlist = map_ecp5(design, folder, top=top)
        log(f"nextpnr: placing and routing, {n_placements} times")
        least_mhz = clock_mhz if delay != STAGE_DELAYS[-1] else 0.0
        placed = place_and_route(folder, n_placements=n_placements, top=top, least_mhz=least_mhz)
        if placed is not None:
            break
        log(f"below {clock_mhz:g} MHz: once more with less logic between registers")
    else:
        raise AssertionError("the last delay is always taken")
    return design, Paced(netlist=netlist, placed=placed)
