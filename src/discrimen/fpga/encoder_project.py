"""From the folder of an encoder for the chip to a project: what :mod:`discrimen.fpga.project` does for decisions.

::

    DIR/rtl/            Verilog: discrimen_encoder_top.v, front_end.v, network/ (by alkaid)
    DIR/verification/   test bench, streams, simulations
    DIR/synthesis/      netlists, reports of the tools, discrimen_encoder_top.bit
    DIR/fpga.json, fpga.md, fpga.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.fpga.build_report import NAME, Built, markdown, report_lines, report_tables, totals
from discrimen.fpga.checks import read_front_end, require_fitting, require_mappable_layers
from discrimen.fpga.emulator import combinational, compare_with_keras
from discrimen.fpga.encoder_model import ChipEncoder, read_chip_encoder
from discrimen.fpga.encoder_verilog import (
    ENCODER_TOP,
    EncoderDesign,
    expected_codes,
    simulated_codes,
    write_encoder_design,
)
from discrimen.fpga.project import KERAS, BuildOptions, paced_design, require_no_mismatch
from discrimen.fpga.rtl_verification import LATE, NETLIST, PULSES, RTL
from discrimen.fpga.stimuli import stress_windows
from discrimen.fpga.stream_stimuli import stimulus_streams
from discrimen.fpga.synthesis import Cells, Placed, map_network, map_xilinx
from discrimen.fpga.tools import require_tools, versions, yosys_share
from discrimen.fpga.verification import Comparison, compare, write_streams
from discrimen.fpga.verilog import mutated
from discrimen.keras_jax import load_keras
from discrimen.output.files import write_files
from discrimen.output.stage_report import StagePage, write_stage_report

Log = Callable[[str], None]


def build_encoder_project(model: Path, folder: Path, *, options: BuildOptions, log: Log = lambda _: None) -> Built:
    """Write, verify and implement the hardware of an encoder.

    Parameters and errors are those of :func:`~discrimen.fpga.project.build_project`.

    Raises
    ------
    SettingsError
        Also if an AXI4-Stream top or a project of hls4ml is asked for: an encoder has neither.
    """
    if options.axi or options.hls or options.xc7_netlist or options.samples_per_clock != 1:
        raise SettingsError(
            "an encoder has no AXI4-Stream top, no project of hls4ml, no simulated netlist for the 7-series, and takes "
            "one sample a clock: leave --axi, --hls, --xc7-netlist and --samples-per-clock out"
        )
    require_tools()
    require_fitting(read_front_end(model), adc_bits=options.adc_bits, samples_per_clock=1)
    log("loading the encoder")
    chip = read_chip_encoder(load_keras(), model)
    require_mappable_layers(chip.autoencoder.encoder, chip.front_end)
    logic = combinational(chip.autoencoder.encoder, chip.front_end)

    def write(stage_delay: float) -> EncoderDesign:
        return write_encoder_design(
            logic, chip.front_end, folder / "rtl", n_words=chip.n_words, stage_delay=stage_delay
        )

    design, paced = paced_design(write, folder / "synthesis", options, top=ENCODER_TOP, log=log)
    streams = stimulus_streams(chip.front_end, n_pulses=options.n_pulses, seed=options.stimulus_seed)
    write_streams(folder / "verification" / "streams.bin", design, streams)
    comparisons: list[Comparison] = []
    got = None
    if options.verify:
        comparisons += _verify_emulator(logic, chip, streams)
        found, got = _verify_rtl(logic, design, streams, folder / "verification", log=log)
        comparisons += found
    cells: dict[str, Cells] = {}
    placed: Placed | None = None
    if paced is not None:
        placed = paced.placed
        cells = _mapped(design, folder / "synthesis", log=log)
        if got is not None:
            comparisons += _verify_netlist(paced.netlist, design, streams, got, folder / "verification", log=log)
    built = _report(model, folder, chip, design, comparisons, cells, placed)
    require_no_mismatch(comparisons, folder)
    return built


def _verify_emulator(logic: Any, chip: ChipEncoder, streams: Mapping[str, NDArray[Any]]) -> list[Comparison]:
    windows = {name: chip.front_end.windows(stream).values for name, stream in streams.items()}
    hard = stress_windows(windows[PULSES], chip.front_end)
    stimuli = {
        **{name: values for name, values in windows.items() if len(values)},
        **{f"windows, {name}": values for name, values in hard.items()},
    }
    found = compare_with_keras(logic, chip.autoencoder.encoder, stimuli)
    return [Comparison(step=KERAS, **asdict(each)) for each in found]


def _verify_rtl(
    logic: Any, design: EncoderDesign, streams: Mapping[str, NDArray[Any]], folder: Path, *, log: Log
) -> tuple[tuple[Comparison, ...], NDArray[np.int64]]:
    log("Verilator: building and running the RTL")
    names, given, expected = list(streams), folder / "streams.bin", expected_codes(logic, design, streams)
    got = simulated_codes(design.sources, design, given, folder=folder / "rtl")
    log("Verilator: the same with a fault that must be found")
    sources = mutated(design, name=LATE.name, old=LATE.old, new=LATE.new, folder=folder / "fault")
    faulty = compare(LATE.step, expected, simulated_codes(sources, design, given, folder=folder / "fault"), names)
    if not any(each.n_mismatches for each in faulty):
        raise DataError(
            f"a window one sample late gave the same {len(expected)} codes at the same clocks: the verification "
            "proves nothing; give more pulses"
        )
    return (*compare(RTL, expected, got, names), *faulty), got


def _mapped(design: EncoderDesign, folder: Path, *, log: Log) -> dict[str, Cells]:
    log("Yosys: mapping for the 7-series")
    return {
        "network": map_network(design.network_sources, folder),
        "whole": map_xilinx(design, folder, top=ENCODER_TOP),
    }


def _verify_netlist(
    netlist: Path,
    design: EncoderDesign,
    streams: Mapping[str, NDArray[Any]],
    by_rtl: NDArray[np.int64],
    folder: Path,
    *,
    log: Log,
) -> tuple[Comparison, ...]:
    log("Verilator: building and running the netlist")
    models = yosys_share() / "ecp5"
    got = simulated_codes(
        [netlist, models / "cells_sim.v"], design, folder / "streams.bin", folder=folder / "netlist", include=[models]
    )
    return compare(NETLIST, by_rtl, got, list(streams))


def _report(
    model: Path,
    folder: Path,
    chip: ChipEncoder,
    design: EncoderDesign,
    comparisons: list[Comparison],
    cells: Mapping[str, Cells],
    placed: Placed | None,
) -> Built:
    lines = (
        f"{design.n_words} words of {design.logit_bits} bits for {chip.front_end.length} samples of "
        f"{chip.front_end.adc_bits} bits",
        *report_lines(design, comparisons, cells, placed),
    )
    values = {
        "model": str(model),
        "front_end": chip.front_end.as_dict(),
        "n_words": design.n_words,
        "word_bits": design.logit_bits,
        "word_fraction_bits": design.logit_fraction,
        "latency_clocks": design.latency,
        "reset_clocks": design.reset_clocks,
        "comparisons": [asdict(each) for each in comparisons],
        "n_mismatches": {step: count for step, (_, count) in totals(comparisons).items()},
        "yosys_xc7": {name: asdict(each) for name, each in cells.items()},
        "ecp5_fmax_mhz": None if placed is None else list(placed.fmax_mhz),
        "tools": versions(),
    }
    page = StagePage(title="An encoder in an FPGA", done=lines, tables=report_tables(comparisons, cells, placed))
    write_stage_report(page, folder, name=NAME, values=values)
    write_files(folder, {f"{NAME}.md": markdown(page)})
    return Built(folder=folder, values=values, lines=lines)
