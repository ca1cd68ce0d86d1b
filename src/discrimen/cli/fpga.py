"""``discrimen fpga``: a network brought into an FPGA with open tools."""

from __future__ import annotations

import typer

from discrimen.cli.fpga_build import build
from discrimen.cli.fpga_train import train
from discrimen.cli.input_options import with_input_options


def register(app: typer.Typer) -> None:
    """Add the command with its subcommands."""
    app.callback()(fpga)
    app.command()(with_input_options(train))
    app.command()(build)


def fpga() -> None:
    """Bring a network into an FPGA with open tools: train teaches it few bits, build makes its Verilog."""
