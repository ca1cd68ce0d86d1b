"""Draw what :func:`~discrimen.runs.inspection.inspect_run` found; nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from discrimen.output.pictures import save_png
from discrimen.output.style import BLUE, COLOURS, GREY, VERMILION, house_style, logarithmic_counts, new_figure
from discrimen.runs.inspection.inspect import Inspection, unit_of
from discrimen.runs.inspection.odd import Compared, place_of
from discrimen.runs.inspection.summary import ChannelSummary

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_inspection(inspection: Inspection, path: Path) -> None:
    """Draw mean pulse and amplitude spectrum of the channels with most pulses into a PNG, odd channels among them.

    Below, where there are enough channels to compare, each quantity of all of them stands beside what is usual.

    Parameters
    ----------
    inspection : Inspection
        What was found.
    path : Path
        Where to write, whatever its suffix.
    """
    compared = [each for each in inspection.compared if np.isfinite(each.median)]
    odd = np.any([each.odd for each in compared], axis=0) if compared else np.zeros(len(inspection.channels), bool)
    order = sorted(range(len(odd)), key=lambda at: (not odd[at], -inspection.channels[at].n_pulses))
    shown = [inspection.channels[at] for at in order[: len(COLOURS)]]
    left_out = len(inspection.channels) - len(shown)
    note = f" ({left_out} of {len(inspection.channels)} channels not shown above)" if left_out else ""
    with house_style():
        figure = new_figure(11.0, 10.0 if compared else 4.8)
        grid = figure.add_gridspec(3 if compared else 1, 6, height_ratios=[2.2, 1, 1] if compared else None)
        pulse_axes, spectrum_axes = (figure.add_subplot(grid[0, part]) for part in (slice(0, 3), slice(3, 6)))
        for number, each in enumerate(compared):
            row, column = divmod(number, 3)
            _draw_compared(figure.add_subplot(grid[1 + row, 2 * column : 2 * column + 2]), each, inspection.channels)
        _draw_mean_pulses(pulse_axes, shown)
        _draw_spectra(spectrum_axes, shown)
        figure.suptitle(f"{inspection.info.path.name}: {inspection.report.n_read} pulses{note}")
        figure.legend(loc="outside lower center", ncols=2)
        save_png(figure, path)


def _draw_mean_pulses(axes: Axes, channels: list[ChannelSummary]) -> None:
    known_period = all(channel.sample_period_ns is not None for channel in channels)
    for channel, colour in zip(channels, COLOURS, strict=False):
        time = np.arange(channel.n_samples) * (channel.sample_period_ns or 1.0)
        axes.plot(time, channel.mean_pulse_adc, color=colour, label=_legend(channel), linewidth=1.4)
        axes.axhline(channel.baseline_adc, color=colour, linewidth=0.8, linestyle=":")
    axes.set_xlabel("time in record (ns)" if known_period else "sample (sampling period unknown)")
    axes.set_ylabel(f"mean raw waveform ({unit_of(channels)})")


def _draw_compared(axes: Axes, compared: Compared, channels: Sequence[ChannelSummary]) -> None:
    """Draw one quantity of all channels; odd ones are named, what is usual is grey."""
    number = np.arange(len(channels))
    axes.fill_between(
        number, compared.median - compared.reach, compared.median + compared.reach, color="0.9", step="mid"
    )
    axes.axhline(compared.median, color=GREY, linewidth=0.8)
    for which, colour, marker in ((~compared.odd, BLUE, "o"), (compared.odd, VERMILION, "D")):
        axes.plot(number[which], compared.values[which], marker, color=colour, markersize=5)
    for at in np.flatnonzero(compared.odd).tolist():
        near_the_end = at > 0.5 * len(channels)
        axes.annotate(
            place_of(channels[at]),
            (at, compared.values[at]),
            xytext=(-7 if near_the_end else 7, 0),
            textcoords="offset points",
            ha="right" if near_the_end else "left",
            va="center",
            fontsize=9,
            color=VERMILION,
        )
    axes.margins(y=0.15)
    axes.set_xlabel("channel, in order")
    unit = "" if "(" in compared.name else f" ({unit_of(channels)})"
    axes.set_ylabel(f"{compared.name}{unit}", fontsize=10)


def _draw_spectra(axes: Axes, channels: list[ChannelSummary]) -> None:
    for channel, colour in zip(channels, COLOURS, strict=False):
        axes.stairs(channel.amplitude_counts, channel.amplitude_edges_adc, color=colour, linewidth=1.4)
    logarithmic_counts(axes)
    axes.set_xlabel(f"largest excursion from the baseline ({unit_of(channels)})")
    axes.set_ylabel("pulses per bin")


def _legend(channel: ChannelSummary) -> str:
    board = "" if channel.board is None else f"board {channel.board} "
    name = "all" if channel.channel is None else f"{board}channel {channel.channel}"
    return f"{name}: {channel.n_pulses} pulses (dotted: baseline)"
