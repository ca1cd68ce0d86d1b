"""Pulses as they went in and as they came out, side by side, and what is left between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from discrimen.output.style import (
    BLACK,
    BLUE,
    GAMMA_COLOUR,
    GREEN,
    GREY,
    NEUTRON_COLOUR,
    PURPLE,
    house_style,
    legend_over,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 2
_CLASS_COLOURS = {"gamma": GAMMA_COLOUR, "neutron": NEUTRON_COLOUR}
_OTHER_LINES = ((BLACK, "-", 1.2), (GREEN, "-.", 1.6), (PURPLE, ":", 2.0), (BLUE, "-", 1.2))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WaveformPair:
    """One pulse: what went in and what came out.

    Parameters
    ----------
    title : str
        For example its class and light.
    input, output : ndarray, shape (sample,)
        Above the baseline, upwards.
    others : mapping of str to ndarray, shape (sample,)
        Further waveforms by name, for example the clean record, or the parts of the output.
    class_name : {"gamma", "neutron", ""}
        Colours the output.
    minus : str
        What is subtracted for the lower panel: ``output``, or the name of one of the others. The input minus this is
        drawn, and where it is one of the others also the output minus this.
    """

    title: str
    input: NDArray[Any]
    output: NDArray[Any]
    others: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    class_name: str = ""
    minus: str = "output"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PartedRecord:
    """A record of two pulses and what it was separated into.

    Parameters
    ----------
    title : str
        For example the distance of the two.
    parts : tuple of ndarray, shape (sample,)
        Above the baseline, upwards; their sum is the record.
    true_parts : tuple of ndarray, shape (sample,), or None
        What should have come out.
    names : tuple of str
        Of the parts in the legend, for example class and light.
    class_names : tuple of {"gamma", "neutron", ""}
        Colours the parts.
    """

    title: str
    parts: tuple[NDArray[Any], NDArray[Any]]
    true_parts: tuple[NDArray[Any], NDArray[Any]] | None
    names: tuple[str, str]
    class_names: tuple[str, str] = ("", "")


def draw_waveform_pairs(
    pairs: Sequence[WaveformPair],
    *,
    sample_period_ns: float,
    names: tuple[str, str] = ("input", "output"),
    unit: str = "ADC counts",
) -> Figure:
    """Draw pulses two in a row, each with its residual below.

    Parameters
    ----------
    pairs : sequence of WaveformPair
        At least one; a gamma and a neutron, as a rule.
    sample_period_ns : float
        Between two samples.
    names : tuple of str
        What input and output are called in the legend.
    unit : str
        Of the waveforms.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    with house_style():
        figure, panels = _panels(
            len(pairs),
            labels=(f"above the baseline\n({unit})", f"minus {_subtracted(pairs[0], names)}\n({unit})"),
        )
        for (above, below), pair in zip(panels, pairs, strict=True):
            _draw_pair(above, below, pair, sample_period_ns, names)
        return figure


def draw_parted_records(
    records: Sequence[PartedRecord], *, sample_period_ns: float, unit: str = "ADC counts"
) -> Figure:
    """Draw records two in a row with the two parts of each, and below the parts minus the true ones, if known.

    Parameters
    ----------
    records : sequence of PartedRecord
        At least one; all with their true parts, or none.
    sample_period_ns : float
        Between two samples.
    unit : str
        Of the waveforms.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    above_label, known = f"above the baseline\n({unit})", records[0].true_parts is not None
    with house_style():
        figure, panels = _panels(
            len(records), labels=(above_label, f"part minus truth\n({unit})") if known else (above_label,)
        )
        for each, record in zip(panels, records, strict=True):
            _draw_parted(each, record, sample_period_ns)
        return figure


def _panels(n_pulses: int, *, labels: Sequence[str]) -> tuple[Figure, list[list[Axes]]]:
    """Return the panels of each pulse, as many on top of each other as there are labels of their axes."""
    n_columns, depth = min(_COLUMNS, n_pulses), len(labels)
    n_rows = -(-n_pulses // n_columns)
    figure = new_figure(5.6 * n_columns + 0.4, (3.9, 5.6)[depth - 1] * n_rows)
    ratios = (2.2, 1)[:depth] * n_rows
    grid = figure.subplots(depth * n_rows, n_columns, sharex=True, squeeze=False, height_ratios=ratios)
    for unused in grid[-depth:, n_pulses - (n_rows - 1) * n_columns :].flat:
        unused.set_axis_off()
    panels = []
    for number in range(n_pulses):
        row, column = divmod(number, n_columns)
        panels.append(list(grid[depth * row : depth * (row + 1), column]))
        for axes, label in zip(panels[-1], labels, strict=True):
            axes.grid(visible=True)
            if column == 0:
                axes.set_ylabel(label)
        panels[-1][-1].tick_params(labelbottom=True)
        panels[-1][-1].set_xlabel("time in record (ns)")
    figure.align_ylabels(grid[:, 0])
    return figure, panels


def _draw_pair(above: Axes, below: Axes, pair: WaveformPair, period_ns: float, names: tuple[str, str]) -> None:
    time_ns = period_ns * np.arange(len(pair.input))
    came_in: dict[str, Any] = {"color": GREY, "marker": ".", "markersize": 5, "linestyle": ""}
    came_out: dict[str, Any] = {"color": _CLASS_COLOURS.get(pair.class_name, BLUE), "linewidth": 2, "linestyle": "--"}
    above.plot(time_ns, pair.input, label=names[0], **came_in)
    for (name, waveform), (colour, line, width) in zip(pair.others.items(), _OTHER_LINES, strict=False):
        above.plot(time_ns, waveform, line, color=colour, linewidth=width, label=name)
    above.plot(time_ns, pair.output, label=names[1], **came_out)
    subtracted = pair.output if pair.minus == "output" else pair.others[pair.minus]
    below.plot(time_ns, pair.input - subtracted, **came_in)
    if pair.minus != "output":
        below.plot(time_ns, pair.output - subtracted, **came_out)
    below.axhline(0, color=BLACK, linewidth=0.8)
    _entitle(above, pair.title, n_columns=2 + len(pair.others))


def _draw_parted(panels: Sequence[Axes], record: PartedRecord, period_ns: float) -> None:
    whole = record.parts[0] + record.parts[1]
    time_ns = period_ns * np.arange(len(whole))
    panels[0].plot(time_ns, whole, label="record", color=GREY, marker=".", markersize=5, linestyle="")
    for number, (part, name, kind) in enumerate(zip(record.parts, record.names, record.class_names, strict=True)):
        style: dict[str, Any] = {"color": _CLASS_COLOURS.get(kind, (BLUE, GREEN)[number]), "linewidth": 2}
        style["linestyle"] = ("--", "-.")[number]
        if record.true_parts is not None:
            true = record.true_parts[number]
            panels[0].plot(time_ns, true, color=BLACK, linewidth=1, label="" if number else "truth")
            panels[1].plot(time_ns, part - true, **style)
        panels[0].plot(time_ns, part, label=name, **style)
    for axes in panels[1:]:
        axes.axhline(0, color=BLACK, linewidth=0.8)
    _entitle(panels[0], record.title, n_columns=2)


def _entitle(axes: Axes, title: str, *, n_columns: int) -> None:
    """Put the legend over the panel, and the title over the legend."""
    legend_over(axes, n_columns=n_columns)
    n_lines = -(-len(axes.get_legend_handles_labels()[1]) // n_columns)
    axes.set_title(title, loc="left", pad=6 + 18 * n_lines)


def _subtracted(pair: WaveformPair, names: tuple[str, str]) -> str:
    return names[1] if pair.minus == "output" else pair.minus
