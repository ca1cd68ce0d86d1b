"""The Verilog and its netlists on all stimuli, each against the form before; and faults that must be found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.fpga.chip_model import ChipModel
from discrimen.fpga.margin_stimuli import ON_MARGIN, margin_stream
from discrimen.fpga.stream_stimuli import stimulus_streams
from discrimen.fpga.tools import yosys_share
from discrimen.fpga.verification import (
    Comparison,
    compare,
    expected_decisions,
    read_decisions,
    simulated_decisions,
    write_streams,
)
from discrimen.fpga.verilog import AXI_TOP, Design, mutated

PULSES = "held-out pulses"
RTL, NETLIST = "emulator = RTL (Verilator)", "RTL = netlist (ECP5 cells, Verilator)"
NETLIST_XC7 = "RTL = netlist (7-series cells, Verilator)"
AXI = "emulator = RTL with AXI4-Stream ports (Verilator)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault to be put into one file of the Verilog.

    Parameters
    ----------
    step : str
        What the comparison is called.
    name, old, new : str
        File, and the text in it that is replaced.
    """

    step: str
    name: str
    old: str
    new: str


_LATE = "RTL with a fault: window one sample late"
LATE = Fault(step=_LATE, name="front_end.v", old="count <= REMAINING - 2;", new="count <= REMAINING - 1;")
LATE_WIDE = Fault(
    step=_LATE, name="front_end_wide.v", old="localparam REST = LENGTH -", new="localparam REST = 1 + LENGTH -"
)
STRICT = Fault(
    step="RTL with a fault: > instead of >=",
    name="discrimen_top.v",
    old="difference >= MARGIN",
    new="difference > MARGIN",
)
ON_PURPOSE = (LATE.step, STRICT.step)
"""Comparisons that must find something."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Stimuli:
    """Streams, the file that holds them, and what must come of them.

    Parameters
    ----------
    streams : mapping of str to ndarray of int, shape (sample,)
        As digitised, by name.
    path : Path
        The same as the test bench reads them.
    expected : ndarray of int64, shape (decision, 5)
        Of :func:`~discrimen.fpga.verification.expected_decisions`.
    """

    streams: Mapping[str, NDArray[Any]]
    path: Path
    expected: NDArray[Any]

    def on_margin(self, margin: int) -> dict[str, int]:
        """Count the decisions whose difference of logits is the margin, and one step less."""
        difference = self.expected[:, 4] - self.expected[:, 3]
        return {"margin": int((difference == margin).sum()), "margin - 1": int((difference == margin - 1).sum())}


def make_stimuli(logic: Any, design: Design, folder: Path, *, n_pulses: int, seed: int) -> Stimuli:
    """Make the streams, write them for the test bench, and compute what must come of them.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    streams = stimulus_streams(design.front_end, n_pulses=n_pulses, seed=seed)
    pulses = design.front_end.windows(streams[PULSES]).values
    streams[ON_MARGIN] = margin_stream(logic, design, pulses, seed=seed)
    path = folder / "streams.bin"
    write_streams(path, design, streams)
    return Stimuli(streams=streams, path=path, expected=expected_decisions(logic, design, streams))


def windows_of(chip: ChipModel, stimuli: Stimuli) -> dict[str, NDArray[Any]]:
    """Return the windows of each stream that holds some, by the emulator of the front end."""
    found = {name: chip.front_end.windows(stream).values for name, stream in stimuli.streams.items()}
    return {name: values for name, values in found.items() if len(values)}


def verify_rtl(design: Design, stimuli: Stimuli, folder: Path, *, log: Callable[[str], None]) -> tuple[Comparison, ...]:
    """Compare the Verilog with the emulators, then with faults in it.

    Raises
    ------
    DataError
        If a fault is not found.
    ToolError
        If a simulation cannot be built or run.
    """
    log("Verilator: building and running the RTL")
    names = list(stimuli.streams)
    got = simulated_decisions(design.sources, design, stimuli.path, folder=folder / "rtl")
    found = list(compare(RTL, stimuli.expected, got, names))
    for number, fault in enumerate(faults_to_find(stimuli, design), start=1):
        log(f"Verilator: {fault.step}, which must be found")
        place = folder / f"fault_{number}"
        sources = mutated(design, name=fault.name, old=fault.old, new=fault.new, folder=place)
        faulty = compare(
            fault.step, stimuli.expected, simulated_decisions(sources, design, stimuli.path, folder=place), names
        )
        require_found(fault, faulty)
        found += faulty
    return tuple(found)


def verify_axi(design: Design, stimuli: Stimuli, folder: Path, *, log: Callable[[str], None]) -> tuple[Comparison, ...]:
    """Compare the top with AXI4-Stream ports with the emulators.

    Raises
    ------
    ToolError
        If the simulation cannot be built or run.
    """
    log("Verilator: building and running the RTL with AXI4-Stream ports")
    got = simulated_decisions(design.sources, design, stimuli.path, folder=folder / "axi", top=AXI_TOP)
    return compare(AXI, stimuli.expected, got, list(stimuli.streams))


def faults_to_find(stimuli: Stimuli, design: Design) -> tuple[Fault, ...]:
    """Return the faults that show on these stimuli: without a pulse on the margin ``>`` is no fault."""
    late = LATE if design.samples_per_clock == 1 else LATE_WIDE
    return (late, STRICT) if stimuli.on_margin(design.margin)["margin"] else (late,)


def require_found(fault: Fault, comparisons: tuple[Comparison, ...]) -> None:
    """Check that a fault was found.

    Raises
    ------
    DataError
        If every decision came as expected.
    """
    if not any(each.n_mismatches for each in comparisons):
        n_windows = sum(each.n_windows for each in comparisons)
        raise DataError(
            f"{fault.step}: the same {n_windows} decisions at the same clocks: the verification proves nothing; give "
            "more pulses"
        )


def verify_netlists(
    ecp5: Path, xc7: Path | None, design: Design, stimuli: Stimuli, folder: Path, *, log: Callable[[str], None]
) -> tuple[Comparison, ...]:
    """Compare the netlists with the Verilog, which :func:`verify_rtl` has run, on Yosys' models of the cells.

    Parameters
    ----------
    ecp5, xc7 : Path, Path or None
        The netlists; None is passed over.
    design, stimuli, folder, log
        As of :func:`verify_rtl`.

    Raises
    ------
    ToolError
        If a simulation cannot be built or run.
    """
    found: list[Comparison] = []
    by_rtl = read_decisions(folder / "rtl")
    for step, netlist, cells, place in (
        (NETLIST, ecp5, yosys_share() / "ecp5", folder / "netlist"),
        (NETLIST_XC7, xc7, yosys_share() / "xilinx", folder / "netlist_xc7"),
    ):
        if netlist is None:
            continue
        log(f"Verilator: building and running the netlist of {cells.name} cells")
        sources = [netlist, cells / "cells_sim.v"]
        got = simulated_decisions(sources, design, stimuli.path, folder=place, include=[cells])
        found += compare(step, by_rtl, got, list(stimuli.streams))
    return tuple(found)
