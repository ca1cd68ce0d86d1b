"""``discrimen inspect``: what is in a run file."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from discrimen.cli import common
from discrimen.cli.input_options import with_input_options
from discrimen.errors import SettingsError
from discrimen.formats.base import ListModeReader
from discrimen.formats.inputs import InputOptions
from discrimen.output.files import complete_or_absent, refuse_inputs
from discrimen.output.numbers import with_error
from discrimen.runs.hits_file import hits_info, is_hits_file
from discrimen.runs.inspection import ChannelSummary, Inspection, inspect_run
from discrimen.runs.inspection.listed import MEASURED, ListedChannel, inspect_list
from discrimen.runs.inspection.odd import told

_SPECTRA_SHOWN = 4
_BARS = " ▁▂▃▄▅▆▇█"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(inspect))


def inspect(
    file: Annotated[Path, typer.Argument(help="A run file of any readable format.", show_default=False)],
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="PNG", callback=common.png_only, help="Draw mean pulse and spectrum.", show_default=False
        ),
    ] = None,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Say what is in a run file: channels, counts, rate, baseline, saturation, spectrum and mean pulse."""
    if is_hits_file(file):
        _inspect_hits(file, plot=plot, json=json)
        return
    reader = inputs.open(file)
    if isinstance(reader, ListModeReader):
        _inspect_list(reader, plot=plot, json=json)
        return
    if plot is not None:
        refuse_inputs(plot, [file])
    with common.progress("reading", total=reader.info.n_entries) as tick:
        inspection = inspect_run(reader, on_progress=tick)
    if plot is not None:
        from discrimen.runs.inspection.plot import draw_inspection

        with complete_or_absent(plot) as part:
            draw_inspection(inspection, part)
    if json:
        common.emit_json(inspection.as_dict())
    else:
        _print(inspection)
        common.log_left_out(file, inspection.report)


def _inspect_hits(file: Path, *, plot: Path | None, json: bool) -> None:
    if plot is not None:
        raise SettingsError(f"{file}: holds hits of several channels, of which --plot draws nothing: leave it out")
    info = hits_info(file)
    what = {"n_hits": info.n_hits, "n_channels": info.n_channels, "n_samples": info.n_samples}
    if json:
        names = {"channels": list(info.channels), "columns": list(info.columns), "provenance": dict(info.provenance)}
        common.emit_json({"format": "hits", **what, "sample_period_ns": info.sample_period_ns, **names})
        return
    at = "" if info.sample_period_ns is None else f" of {info.sample_period_ns:g} ns"
    print(
        f"{file}: {info.n_hits} hits of {info.n_channels} channels and {info.n_samples} samples{at}, with "
        f"{', '.join(info.columns) or 'no columns'}; discrimen.runs.hits_file reads it, docs/hits.md says more"
    )


def _inspect_list(reader: ListModeReader, *, plot: Path | None, json: bool) -> None:
    if plot is not None:
        path = reader.info.path
        raise SettingsError(
            f"{path}: list mode, no waveforms that --plot could draw; leave it out, or draw charge and pulse shape by: "
            f"discrimen label {shlex.quote(str(path))} --method band -o labels.h5 --plot bands.png"
        )
    with common.progress("reading", total=reader.info.n_entries) as tick:
        found = inspect_list(reader, on_progress=tick)
    if json:
        common.emit_json(found.as_dict())
        return
    console = common.stdout_console()
    console.print(f"{found.info.path}", markup=False)
    console.print(f"  format        {found.info.format}: {found.info.layout}", markup=False)
    for line in list_lines(found.channels):
        console.print(line, markup=False, soft_wrap=True)
    common.log_left_out(reader.info.path, found.report)


def list_lines(channels: Sequence[ListedChannel]) -> list[str]:
    """Return a line for each channel, and one for each of its measured quantities."""
    rows: list[tuple[str, ...]] = [("channel", "events", "rate/Hz", "saturated")]
    rows += [
        (
            _name(one),
            str(one.n_pulses),
            "-" if one.rate_hz is None else f"{one.rate_hz:.4g}",
            "?" if one.n_saturated is None else str(one.n_saturated),
        )
        for one in channels
    ]
    spread: list[tuple[str, ...]] = [("channel", "", "5 %", "median", "95 %")]
    spread += [
        (_name(one), name, *(f"{value:.4g}" for value in one.quantiles[name]))
        for name in MEASURED
        for one in channels
        if name in one.quantiles
    ]
    return [*common.aligned(rows), *(common.aligned(spread) if len(spread) > 1 else [])]


def _print(inspection: Inspection) -> None:
    console = common.stdout_console()
    info = inspection.info
    console.print(f"{info.path}", markup=False)
    console.print(f"  format        {info.format}: {info.layout}", markup=False)
    period = info.settings.sample_period_ns
    lengths = sorted({(channel.n_samples, channel.sample_period_ns) for channel in inspection.channels}, key=str)
    for n_samples, channel_period in lengths:
        n_pulses = sum(channel.n_pulses for channel in inspection.channels if channel.n_samples == n_samples)
        at = f"at {channel_period:g} ns" if channel_period else "(sampling period unknown: --sample-period-ns)"
        console.print(f"  pulses        {n_pulses} of {n_samples} samples {at}", markup=False)
    known = {**info.settings.model_dump(exclude_none=True)}
    if period is not None and len(lengths) > 1:
        known.pop("sample_period_ns", None)
    for name in ("polarity", "pretrigger_ns", "adc_bits"):
        value = known.get(name, "unknown")
        source = f"  ({info.settings_source[name]})" if name in info.settings_source else ""
        console.print(f"  {name:<14}{value}{source}", markup=False)
    console.print(_table(inspection))
    for line in told(inspection.channels, inspection.compared):
        console.print(f"  {line}", markup=False)
    busiest = sorted(inspection.channels, key=lambda channel: -channel.n_pulses)[:_SPECTRA_SHOWN]
    for channel in busiest:
        console.print(f"  amplitude spectrum of {_name(channel)}, {_range(channel)}", markup=False)
        console.print(f"  {_sparkline(channel)}", markup=False)


def _table(inspection: Inspection) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    unit = "/ADC" if all(channel.digitised for channel in inspection.channels) else ""
    for heading in ("channel", "pulses", "samples", "rate/Hz", f"baseline{unit}", f"noise{unit}", "goes", "saturated"):
        table.add_column(heading, justify="left" if heading in ("channel", "goes") else "right")
    for channel in inspection.channels:
        table.add_row(
            _name(channel),
            str(channel.n_pulses),
            str(channel.n_samples),
            "-" if channel.rate_hz is None else f"{channel.rate_hz:.4g}",
            with_error(channel.baseline_adc, channel.baseline_spread_adc, most_decimals=1 if channel.digitised else 12),
            _noise(channel),
            "up" if channel.largest_excursion == "positive" else "down",
            "?" if channel.n_saturated is None else str(channel.n_saturated),
        )
    return table


def _noise(channel: ChannelSummary) -> str:
    if channel.noise_adc is None:
        return "?"
    return f"{channel.noise_adc:.2f}" if channel.digitised else f"{channel.noise_adc:.3g}"


def _name(channel: ChannelSummary | ListedChannel) -> str:
    board = "" if channel.board is None else f"{channel.board}/"
    return f"{board}{'-' if channel.channel is None else channel.channel}"


def _range(channel: ChannelSummary) -> str:
    edges = channel.amplitude_edges_adc
    if channel.digitised:
        return f"0 to {edges[-1]:.0f} ADC counts, bins of {edges[1] - edges[0]:.0f}"
    return f"0 to {edges[-1]:.3g} in the unit of the file, bins of {edges[1] - edges[0]:.2g}"


def _sparkline(channel: ChannelSummary) -> str:
    counts = channel.amplitude_counts
    highest = max(1, counts.max())
    return "".join(_BARS[0 if count == 0 else 1 + int(7 * count / highest)] for count in counts)
