"""Draw what :func:`~discrimen.runs.inspection.inspect_run` found; nothing is computed here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from discrimen.output.style import COLOURS, house_style, logarithmic_counts, new_figure
from discrimen.runs.inspection.inspect import ChannelSummary, Inspection, unit_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_inspection(inspection: Inspection, path: Path) -> None:
    """Draw mean pulse and amplitude spectrum of the channels with most pulses into a PNG.

    Parameters
    ----------
    inspection : Inspection
        What was found.
    path : Path
        Where to write, whatever its suffix.
    """
    shown = sorted(inspection.channels, key=lambda channel: -channel.n_pulses)[: len(COLOURS)]
    left_out = len(inspection.channels) - len(shown)
    note = f" ({left_out} channels with fewer pulses not shown)" if left_out else ""
    with house_style():
        figure = new_figure(11.0, 4.8)
        pulse_axes, spectrum_axes = figure.subplots(1, 2)
        _draw_mean_pulses(pulse_axes, shown)
        _draw_spectra(spectrum_axes, shown)
        figure.suptitle(f"{inspection.info.path.name}: {inspection.report.n_read} pulses{note}")
        figure.legend(loc="outside lower center", ncols=2)
        figure.savefig(path, dpi=120, format="png")


def _draw_mean_pulses(axes: Axes, channels: list[ChannelSummary]) -> None:
    known_period = all(channel.sample_period_ns is not None for channel in channels)
    for channel, colour in zip(channels, COLOURS, strict=False):
        time = np.arange(channel.n_samples) * (channel.sample_period_ns or 1.0)
        axes.plot(time, channel.mean_pulse_adc, color=colour, label=_legend(channel), linewidth=1.4)
        axes.axhline(channel.baseline_adc, color=colour, linewidth=0.8, linestyle=":")
    axes.set_xlabel("time in record (ns)" if known_period else "sample (sampling period unknown)")
    axes.set_ylabel(f"mean raw waveform ({unit_of(channels)})")


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
