"""``discrimen fpga build``: Verilog of a network and its front end, verified, placed and routed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.given_options import refuse_idle
from discrimen.errors import OutputError


def build(
    model: Annotated[
        Path, typer.Argument(help="Folder of a network for the chip: model.keras and chip.json.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the project.", show_default=False)],
    context: typer.Context,
    adc_bits: Annotated[
        int | None,
        typer.Option(help="Width of your ADC; refused where the network was trained for another.", show_default=False),
    ] = None,
    samples_per_clock: Annotated[
        int, typer.Option(help="Samples of the ADC that come with each clock of the fabric: 1, 2 or 4.")
    ] = 1,
    n_pulses: Annotated[int, typer.Option(help="Simulated pulses among the stimuli.", min=1)] = 10_100,
    seed: Annotated[int, typer.Option(help="Of the stimuli; never that of the training.", min=0)] = 4242,
    seeds: Annotated[int, typer.Option(help="Placements, each with its own seed; Fmax is their median.", min=1)] = 3,
    clock_mhz: Annotated[
        float, typer.Option(help="What the ECP5 must reach: registers are added until it does.", min=1)
    ] = 150.0,
    axi: Annotated[bool, typer.Option("--axi", help="Add the top with AXI4-Stream ports.")] = False,
    hls: Annotated[bool, typer.Option("--hls", help="Add an hls4ml project and its C simulation.")] = False,
    xc7_netlist: Annotated[
        bool, typer.Option("--xc7-netlist", help="Compare the netlist of the 7-series too: a minute more.")
    ] = False,
    verify: Annotated[bool, typer.Option(help="Compare every step with the one before.")] = True,
    implement: Annotated[bool, typer.Option(help="Map, place and route.")] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a project that is there.")] = False,
    json: common.JsonOption = False,
) -> None:
    """Write the Verilog of a network and its front end, verify it, and report size, clock and latency."""
    from discrimen.fpga.encoder_model import is_encoder_folder
    from discrimen.fpga.encoder_project import build_encoder_project
    from discrimen.fpga.project import BuildOptions, build_project

    if not implement:
        refuse_idle(context, ("seeds", "clock_mhz", "xc7_netlist"), without="--implement")
    if output.exists() and any(output.iterdir() if output.is_dir() else [output]) and not overwrite:
        raise OutputError(f"{output}: is there already; choose another folder or give --overwrite")
    options = BuildOptions(
        adc_bits=adc_bits,
        samples_per_clock=samples_per_clock,
        n_pulses=n_pulses,
        stimulus_seed=seed,
        n_placements=seeds,
        clock_mhz=clock_mhz,
        axi=axi,
        hls=hls,
        xc7_netlist=xc7_netlist,
        verify=verify,
        implement=implement,
    )
    make = build_encoder_project if is_encoder_folder(model) else build_project
    built = make(model, output, options=options, log=common.log)
    if json:
        common.emit_json(built.values)
        return
    for line in built.lines:
        print(line)
    print(f"report: {built.folder / 'fpga.html'}; also fpga.md and fpga.json there")
