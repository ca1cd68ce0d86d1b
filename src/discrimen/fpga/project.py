"""From the folder of a network for the chip to a project: Verilog, its verification, its placement, and a report.

::

    DIR/rtl/            Verilog: discrimen_top.v, front_end.v, network/ (by alkaid); discrimen_axi_stream.v if asked
    DIR/verification/   test bench, streams, netlists' simulations
    DIR/synthesis/      netlists, reports of the tools, discrimen_top.bit
    DIR/hls/            project of hls4ml, if asked
    DIR/fpga.json, fpga.md, fpga.html, utilisation.png, utilisation.pdf
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.fpga import hls as hls_flow
from discrimen.fpga.build_report import Built, write_build_report
from discrimen.fpga.checks import read_front_end, require_fitting, require_mappable
from discrimen.fpga.chip_model import ChipModel, read_chip_model
from discrimen.fpga.emulator import combinational, compare_with_keras
from discrimen.fpga.stimuli import stress_windows
from discrimen.fpga.stream_stimuli import stimulus_streams
from discrimen.fpga.synthesis import Cells, Placed, map_ecp5, map_xilinx, place_and_route
from discrimen.fpga.tools import require_tools, yosys_share
from discrimen.fpga.verification import (
    Comparison,
    compare,
    expected_decisions,
    read_decisions,
    simulated_decisions,
    write_streams,
)
from discrimen.fpga.verilog import NETWORK, Design, mutated, write_design
from discrimen.keras_jax import load_keras

KERAS, RTL, NETLIST, MUTANT = (
    "Keras = emulator",
    "emulator = RTL (Verilator)",
    "RTL = netlist (ECP5 cells, Verilator)",
    "RTL with a fault: window one sample late",
)
HLS_STEP = hls_flow.HLS
_FAULT = {"name": "front_end.v", "old": "count <= REMAINING - 2;", "new": "count <= REMAINING - 1;"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """What to do.

    Parameters
    ----------
    adc_bits : int or None
        Width of the ADC to be connected, refused where the network was trained for another.
    n_pulses, stimulus_seed : int
        Simulated pulses among the stimuli.
    n_placements : int
        Fmax is the median of these.
    axi : bool
        Also write the top with AXI4-Stream ports.
    hls : bool
        Also write a project of hls4ml and compare its C simulation.
    verify, implement : bool
        Compare every step with the one before; map, place and route.
    """

    adc_bits: int | None = None
    n_pulses: int = 10_000
    stimulus_seed: int = 4242
    n_placements: int = 3
    axi: bool = False
    hls: bool = False
    verify: bool = True
    implement: bool = True


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Stimuli:
    """Streams, the file that holds them, and what must come of them."""

    streams: Mapping[str, NDArray[Any]]
    path: Path
    expected: NDArray[Any]


def build_project(
    model: Path, folder: Path, *, options: BuildOptions, log: Callable[[str], None] = lambda _: None
) -> Built:
    """Write, verify and implement the hardware of a network.

    Parameters
    ----------
    model : Path
        Folder of the network, see :mod:`discrimen.fpga.chip_model`.
    folder : Path
        Of the project; files of the same names are replaced.
    options : BuildOptions
        What to do.
    log : callable
        Gets a line at the beginning of each step.

    Raises
    ------
    MissingExtraError
        If a tool is not installed.
    SettingsError
        If the flow cannot map the network, or the ADC or the window do not fit.
    DataError
        If two forms of the chip differ, or a fault put into the Verilog is not found.
    ToolError
        If a tool fails.
    """
    require_tools(hls=options.hls)
    require_fitting(read_front_end(model), adc_bits=options.adc_bits)
    log("loading the network")
    chip = read_chip_model(load_keras(), model)
    require_mappable(chip.model, chip.front_end)
    logic = combinational(chip.model, chip.front_end)
    design = write_design(logic, chip.front_end, folder / "rtl", threshold=chip.threshold, axi=options.axi)
    stimuli = _stimuli(logic, design, folder, options)
    comparisons: list[Comparison] = []
    if options.verify:
        comparisons += _verify_emulator(logic, chip, stimuli)
        comparisons += _verify_rtl(design, stimuli, folder, log=log)
    cells: dict[str, Cells] = {}
    placed: Placed | None = None
    if options.implement:
        cells, placed, netlist = _implement(design, folder / "synthesis", options, log=log)
        if options.verify:
            comparisons += _verify_netlist(netlist, design, stimuli, folder, log=log)
    if options.hls:
        log("hls4ml: writing the project and running its C simulation")
        comparisons += hls_flow.compare_hls(chip, _windows(chip, stimuli.streams), folder / "hls")
    built = write_build_report(
        folder, model=model, chip=chip, design=design, comparisons=tuple(comparisons), cells=cells, placed=placed
    )
    require_no_mismatch(comparisons, folder)
    return built


def require_no_mismatch(comparisons: Sequence[Comparison], folder: Path) -> None:
    """Check that nothing differs but what was made to differ.

    Raises
    ------
    DataError
        With the first step that differs; the report is there.
    """
    wrong = next((each for each in comparisons if each.n_mismatches and each.step != MUTANT), None)
    if wrong is not None:
        raise DataError(
            f"{wrong.step}, {wrong.stimulus}: {wrong.n_mismatches} mismatches in {wrong.n_windows} windows, expected "
            f"none: do not use this project; see {folder / 'fpga.html'}"
        )


def _stimuli(logic: Any, design: Design, folder: Path, options: BuildOptions) -> _Stimuli:
    streams = stimulus_streams(design.front_end, n_pulses=options.n_pulses, seed=options.stimulus_seed)
    path = folder / "verification" / "streams.bin"
    write_streams(path, design, streams)
    return _Stimuli(streams=streams, path=path, expected=expected_decisions(logic, design, streams))


def _windows(chip: ChipModel, streams: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    found = {name: chip.front_end.windows(stream).values for name, stream in streams.items()}
    pulses = found["held-out pulses"]
    hard = {f"windows, {name}": values for name, values in stress_windows(pulses, chip.front_end).items()}
    return {**{name: values for name, values in found.items() if len(values)}, **hard}


def _verify_emulator(logic: Any, chip: ChipModel, stimuli: _Stimuli) -> list[Comparison]:
    found = compare_with_keras(logic, chip.model, _windows(chip, stimuli.streams))
    return [
        Comparison(step=KERAS, stimulus=each.stimulus, n_windows=each.n_windows, n_mismatches=each.n_mismatches)
        for each in found
    ]


def _verify_rtl(
    design: Design, stimuli: _Stimuli, folder: Path, *, log: Callable[[str], None]
) -> tuple[Comparison, ...]:
    log("Verilator: building and running the RTL")
    names, place = list(stimuli.streams), folder / "verification"
    got = simulated_decisions(design.sources, design, stimuli.path, folder=place / "rtl")
    log("Verilator: the same with a fault that must be found")
    sources = mutated(design, folder=place / "fault", **_FAULT)
    faulty = compare(
        MUTANT, stimuli.expected, simulated_decisions(sources, design, stimuli.path, folder=place / "fault"), names
    )
    if not any(each.n_mismatches for each in faulty):
        raise DataError(
            f"a window one sample late gave the same {len(stimuli.expected)} decisions at the same clocks: the "
            "verification proves nothing; give more pulses"
        )
    return (*compare(RTL, stimuli.expected, got, names), *faulty)


def _verify_netlist(
    netlist: Path, design: Design, stimuli: _Stimuli, folder: Path, *, log: Callable[[str], None]
) -> tuple[Comparison, ...]:
    log("Verilator: building and running the netlist")
    cells = yosys_share() / "ecp5"
    got = simulated_decisions(
        [netlist, cells / "cells_sim.v"],
        design,
        stimuli.path,
        folder=folder / "verification" / "netlist",
        include=[cells],
    )
    by_rtl = read_decisions(folder / "verification" / "rtl")
    return compare(NETLIST, by_rtl, got, list(stimuli.streams))


def _implement(
    design: Design, folder: Path, options: BuildOptions, *, log: Callable[[str], None]
) -> tuple[dict[str, Cells], Placed, Path]:
    log("Yosys: mapping for the 7-series")
    cells = {"network": map_xilinx(design, folder, top=NETWORK), "whole": map_xilinx(design, folder)}
    log("Yosys: mapping for the ECP5")
    netlist = map_ecp5(design, folder)
    log(f"nextpnr: placing and routing, {options.n_placements} times")
    return cells, place_and_route(folder, n_placements=options.n_placements), netlist
