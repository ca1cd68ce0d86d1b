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
    n_columns = min(_COLUMNS, len(pairs))
    n_rows = -(-len(pairs) // n_columns)
    with house_style():
        figure = new_figure(5.6 * n_columns + 0.4, 5.6 * n_rows)
        ratios = (2.2, 1) * n_rows
        grid = figure.subplots(2 * n_rows, n_columns, sharex=True, squeeze=False, height_ratios=ratios)
        for unused in grid[:, len(pairs) - (n_rows - 1) * n_columns :][-2:].flat:
            unused.set_axis_off()
        for number, pair in enumerate(pairs):
            row, column = divmod(number, n_columns)
            above, below = grid[2 * row : 2 * row + 2, column]
            _draw_pair(above, below, pair, sample_period_ns, names)
            below.tick_params(labelbottom=True)
            if column == 0:
                above.set_ylabel(f"above the baseline\n({unit})")
                below.set_ylabel(f"minus {_subtracted(pair, names)}\n({unit})")
            below.set_xlabel("time in record (ns)")
        figure.align_ylabels(grid[:, 0])
        return figure


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
    # One line above the legend.
    above.set_title(pair.title, loc="left", pad=24)
    legend_over(above, n_columns=2 + len(pair.others))
    for axes in (above, below):
        axes.grid(visible=True)


def _subtracted(pair: WaveformPair, names: tuple[str, str]) -> str:
    return names[1] if pair.minus == "output" else pair.minus
