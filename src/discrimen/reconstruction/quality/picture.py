"""The picture of a channel: its scores over time, the limit, and the alarms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.output.style import BLACK, BLUE, VERMILION, house_style, new_figure, plain_logarithm
from discrimen.reconstruction.quality.history import History
from discrimen.reconstruction.quality.text import named
from discrimen.reconstruction.quality.watch import Alarm

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_COLUMNS = 2000
_MOST_NAMED = 4
_COLOURS = "PuOr_r"
_WIDEST = 2.0


def draw_history(history: History, alarms: Sequence[Alarm]) -> Figure:
    """Draw how far everything has gone in units of its limit: the furthest, and each on its own.

    Parameters
    ----------
    history : History
        Of a channel.
    alarms : sequence of Alarm
        Of the same.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    scores, at = _thinned(history)
    with house_style():
        figure = new_figure(10, 8.5)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 2))
        _draw_largest(above, scores, at, alarms)
        _draw_each(figure, below, scores, at, history.names)
        below.set_xlabel("pulses of the channel")
        return figure


def _thinned(history: History) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return no more columns than can be seen, each the furthest of those that it stands for."""
    scores, at = history.table(), np.array(history.n_pulses)
    if len(at) <= _MOST_COLUMNS:
        return scores, at
    parts = np.array_split(np.arange(len(at)), _MOST_COLUMNS)
    furthest = [
        np.take_along_axis(scores[part], np.abs(scores[part]).argmax(axis=0)[np.newaxis], axis=0)[0] for part in parts
    ]
    return np.array(furthest), at[[part[-1] for part in parts]]


def _draw_largest(ax: Axes, scores: NDArray[np.float32], at: NDArray[np.int64], alarms: Sequence[Alarm]) -> None:
    largest = np.abs(scores).max(axis=1)
    for alarm in alarms:
        ax.axvspan(alarm.begins_at, max(alarm.ends_at, alarm.begins_at + 1), color=VERMILION, alpha=0.18, linewidth=0)
    ax.step(at, np.maximum(largest, 0.05), where="pre", color=BLUE, linewidth=1.3)
    ax.axhline(1, color=VERMILION, linestyle="--", linewidth=1.3)
    ax.annotate("limit", (1.005, 1), xycoords=("axes fraction", "data"), va="center", color=VERMILION)
    ax.set_yscale("log")
    plain_logarithm(ax.yaxis)
    ax.set_ylim(0.1, max(4.0, 3 * float(largest.max(initial=1.0))))
    ax.set_xlim(0, max(1, int(at[-1]) if len(at) else 1))
    ax.set_ylabel("largest score\n(1: limit)")
    ax.set_title(_title(alarms), loc="left", fontsize=11)


def _title(alarms: Sequence[Alarm]) -> str:
    lines = [f"alarm at pulse {alarm.begins_at}: {named(alarm.fault)}" for alarm in alarms[:_MOST_NAMED]]
    if len(alarms) > _MOST_NAMED:
        lines.append(f"and {len(alarms) - _MOST_NAMED} alarms more")
    return "\n".join(lines) or "no alarm"


def _draw_each(
    figure: Figure, ax: Axes, scores: NDArray[np.float32], at: NDArray[np.int64], names: Sequence[str]
) -> None:
    colours: Any = require_module("matplotlib.colors", extra="analysis")
    edges = np.concatenate([[0], at])
    mesh = ax.pcolormesh(
        edges,
        np.arange(len(names) + 1),
        scores.T,
        cmap=_COLOURS,
        norm=colours.Normalize(-_WIDEST, _WIDEST),
        rasterized=True,
    )
    ax.set_yticks(np.arange(len(names)) + 0.5, [name.replace("_", " ") for name in names], fontsize=9)
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.axhline(len(names), color=BLACK, linewidth=0.8)
    bar = figure.colorbar(mesh, ax=ax, extend="both", aspect=40, pad=0.01)
    bar.set_label("score (beyond -1 or 1: alarm)")
