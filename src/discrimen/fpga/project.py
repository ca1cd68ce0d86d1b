"""From the folder of a network for the chip to a project: Verilog, its verification, its placement, and a report.

::

    DIR/rtl/            Verilog: discrimen_top.v, front_end.v or front_end_wide.v, network/ (by alkaid);
                        discrimen_axi_stream.v if asked
    DIR/verification/   test bench, streams, netlists' simulations
    DIR/synthesis/      netlists, reports of the tools, discrimen_top.bit
    DIR/hls/            project of hls4ml, if asked
    DIR/fpga.json, fpga.md, fpga.html, utilisation.png, utilisation.pdf
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from discrimen.fpga.pace import AnyDesign, Paced, at_pace
from discrimen.fpga.rtl_verification import (
    ON_PURPOSE,
    PULSES,
    Stimuli,
    make_stimuli,
    verify_axi,
    verify_netlists,
    verify_rtl,
    windows_of,
)
from discrimen.fpga.stimuli import stress_windows
from discrimen.fpga.synthesis import Cells, Placed, map_xilinx
from discrimen.fpga.tools import require_tools
from discrimen.fpga.verification import Comparison
from discrimen.fpga.verilog import NETWORK, STAGE_DELAYS, TOP, Design, write_design
from discrimen.keras_jax import load_keras

KERAS = "Keras = emulator"
HLS_STEP = hls_flow.HLS


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """What to do.

    Parameters
    ----------
    adc_bits : int or None
        Width of the ADC to be connected, refused where the network was trained for another.
    samples_per_clock : int
        1, 2 or 4.
    n_pulses, stimulus_seed : int
        Simulated pulses among the stimuli.
    n_placements : int
        Fmax is the median of these.
    clock_mhz : float
        What the ECP5 must reach: registers are added until it does.
    axi : bool
        Also write the top with AXI4-Stream ports.
    hls : bool
        Also write a project of hls4ml and compare its C simulation.
    xc7_netlist : bool
        Also compare the netlist for the 7-series.
    verify, implement : bool
        Compare every step with the one before; map, place and route.
    """

    adc_bits: int | None = None
    samples_per_clock: int = 1
    n_pulses: int = 10_100
    stimulus_seed: int = 4242
    n_placements: int = 3
    clock_mhz: float = 150.0
    axi: bool = False
    hls: bool = False
    xc7_netlist: bool = False
    verify: bool = True
    implement: bool = True


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
    require_fitting(read_front_end(model), adc_bits=options.adc_bits, samples_per_clock=options.samples_per_clock)
    log("loading the network")
    chip = read_chip_model(load_keras(), model)
    require_mappable(chip.model, chip.front_end)
    logic = combinational(chip.model, chip.front_end)

    def write(stage_delay: float) -> Design:
        return write_design(
            logic,
            chip.front_end,
            folder / "rtl",
            threshold=chip.threshold,
            axi=options.axi,
            samples_per_clock=options.samples_per_clock,
            stage_delay=stage_delay,
        )

    made = folder / "synthesis"
    design, paced = paced_design(write, made, options, top=TOP, log=log)
    checked = folder / "verification"
    stimuli = make_stimuli(logic, design, checked, n_pulses=options.n_pulses, seed=options.stimulus_seed)
    comparisons: list[Comparison] = []
    if options.verify:
        comparisons += _verify_emulator(logic, chip, stimuli)
        comparisons += verify_rtl(design, stimuli, checked, log=log)
        comparisons += verify_axi(design, stimuli, checked, log=log) if options.axi else ()
    cells: dict[str, Cells] = {}
    placed: Placed | None = None
    if paced is not None:
        placed = paced.placed
        cells = _mapped(design, made, log=log)
        if options.verify:
            xc7 = made / f"{TOP}_xc7.v" if options.xc7_netlist else None
            comparisons += verify_netlists(paced.netlist, xc7, design, stimuli, checked, log=log)
    if options.hls:
        log("hls4ml: writing the project and running its C simulation")
        comparisons += hls_flow.compare_hls(chip, _windows(chip, stimuli), folder / "hls")
    built = write_build_report(
        folder,
        model=model,
        chip=chip,
        design=design,
        comparisons=tuple(comparisons),
        cells=cells,
        placed=placed,
        on_margin=stimuli.on_margin(design.margin),
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
    wrong = next((each for each in comparisons if each.n_mismatches and each.step not in ON_PURPOSE), None)
    if wrong is not None:
        raise DataError(
            f"{wrong.step}, {wrong.stimulus}: {wrong.n_mismatches} mismatches in {wrong.n_windows} windows, expected "
            f"none: do not use this project; see {folder / 'fpga.html'}"
        )


def _windows(chip: ChipModel, stimuli: Stimuli) -> dict[str, NDArray[Any]]:
    found = windows_of(chip, stimuli)
    hard = {f"windows, {name}": values for name, values in stress_windows(found[PULSES], chip.front_end).items()}
    return {**found, **hard}


def _verify_emulator(logic: Any, chip: ChipModel, stimuli: Stimuli) -> list[Comparison]:
    found = compare_with_keras(logic, chip.model, _windows(chip, stimuli))
    return [
        Comparison(step=KERAS, stimulus=each.stimulus, n_windows=each.n_windows, n_mismatches=each.n_mismatches)
        for each in found
    ]


def paced_design(
    write: Callable[[float], AnyDesign], folder: Path, options: BuildOptions, *, top: str, log: Callable[[str], None]
) -> tuple[AnyDesign, Paced | None]:
    """Write the Verilog at the pace of the asked clock, or of the first delay where nothing is placed."""
    if not options.implement:
        return write(STAGE_DELAYS[0]), None
    return at_pace(write, folder, top=top, clock_mhz=options.clock_mhz, n_placements=options.n_placements, log=log)


def _mapped(design: Design, folder: Path, *, log: Callable[[str], None]) -> dict[str, Cells]:
    log("Yosys: mapping for the 7-series")
    return {"network": map_xilinx(design, folder, top=NETWORK), "whole": map_xilinx(design, folder)}
