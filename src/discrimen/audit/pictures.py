"""The pictures of an audit: rendering only, nothing is computed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from discrimen.audit.audit import Audit
from discrimen.audit.give_aways import GiveAwayTest
from discrimen.audit.plotted import Plotted
from discrimen.output.style import (
    BLACK,
    GAMMA_COLOUR,
    GREY,
    NEUTRON_COLOUR,
    house_style,
    logarithmic_counts,
    new_figure,
    whole_numbers,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CLASSES = (("gamma", GAMMA_COLOUR), ("neutron", NEUTRON_COLOUR))
_MOST_FILE_NAMES = 8
_LONGEST_NAME = 24


def draw_pictures(audit: Audit) -> dict[str, Figure]:
    """Draw every picture that there is data for.

    Returns
    -------
    dict of str to Figure
        By what it shows: ``class_order``, ``parts``, ``give_aways`` (if tests were made), ``spectra``,
        ``pretrigger`` (if not all records are constant).

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    with house_style():
        drawn = {"class_order": _draw_class_order(audit.plotted), "parts": _draw_parts(audit.plotted)}
        if audit.give_away_tests:
            drawn["give_aways"] = _draw_give_aways(audit.give_away_tests)
        drawn["spectra"] = _draw_spectra(audit.plotted)
        if np.isfinite(audit.plotted.before_mean_adc).any():
            drawn["pretrigger"] = _draw_pretrigger(audit)
        return drawn


def _draw_class_order(plotted: Plotted) -> Figure:
    figure = new_figure(9.0, 3.4)
    ax = figure.subplots()
    share = plotted.order_counts[:, 1] / np.maximum(plotted.order_counts.sum(axis=1), 1)
    ax.stairs(share, plotted.order_edges, baseline=None, color=NEUTRON_COLOUR, linewidth=1.4)
    for number, (start, name) in enumerate(plotted.file_starts):
        if start:
            ax.axvline(start, color=BLACK, linewidth=0.8, linestyle="--")
        if number < _MOST_FILE_NAMES:
            short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."
            ax.annotate(short, (start, 1.02), xytext=(3, 0), textcoords="offset points", va="bottom", fontsize=9,
                        rotation=0 if len(plotted.file_starts) <= 3 else 20)  # fmt: skip
    ax.set_xlim(0, plotted.order_edges[-1])
    ax.set_ylim(-0.02, 1.18)
    ax.set_xlabel("pulse, in the order of the files (dashed: the next file)")
    ax.set_ylabel("share of neutrons")
    return figure


def _draw_parts(plotted: Plotted) -> Figure:
    figure = new_figure(9.0, 3.4)
    ax = figure.subplots()
    number = np.arange(1, len(plotted.part_counts) + 1)
    below = np.zeros(len(number))
    for (name, colour), counts in zip(_CLASSES, plotted.part_counts.T, strict=True):
        ax.bar(number, counts, bottom=below, color=colour, label=name, width=0.8)
        below = below + counts
    ax.set_xticks(number)
    ax.set_xlabel(f"part of the data set ({len(number)} equal parts)")
    ax.set_ylabel("pulses")
    whole_numbers(ax.yaxis)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def _draw_give_aways(tests: tuple[GiveAwayTest, ...]) -> Figure:
    figure = new_figure(9.0, 1.4 + 0.42 * len(tests))
    ax = figure.subplots()
    for row, test in enumerate(tests):
        colour = NEUTRON_COLOUR if test.gives_away else GREY
        ax.plot([test.auc.low, test.auc.high], [row, row], color=colour, linewidth=2.5, solid_capstyle="butt")
        ax.plot(test.auc.value, row, "o", color=colour, markersize=7)
        if test.gives_away:
            ax.annotate("gives away", (1.03, row), va="center", fontsize=11, color=colour)
    ax.axvline(0.5, color=BLACK, linestyle="--", linewidth=1)
    ax.set_yticks(range(len(tests)), [test.name for test in tests])
    ax.set_ylim(len(tests) - 0.5, -0.5)
    ax.set_xlim(min(0.4, *(test.auc.low for test in tests)), 1.2)
    interval = f"{100 * tests[0].confidence:.5g} % interval"
    if tests[0].permuted:
        ax.set_xlabel(f"AUC of the quantity nearest to the class ({interval}; the verdict is by permutation)")
    else:
        ax.set_xlabel(f"AUC of a classifier that sees nothing else ({interval}; 0.5 is due)")
    return figure


def _draw_spectra(plotted: Plotted) -> Figure:
    figure = new_figure(9.0, 3.8)
    ax = figure.subplots()
    for (name, colour), counts in zip(_CLASSES, plotted.charge_counts.T, strict=True):
        ax.stairs(counts, plotted.charge_edges, color=colour, linewidth=2, label=name)
    ax.set_xscale("log")
    if plotted.charge_counts.any():
        logarithmic_counts(ax)
        ax.set_ylim(0.5, 3 * plotted.charge_counts.max())
    ax.set_xlabel("charge of the record (ADC counts x samples)")
    ax.set_ylabel("pulses per bin")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def _draw_pretrigger(audit: Audit) -> Figure:
    figure = new_figure(9.0, 3.8)
    ax = figure.subplots()
    plotted, before = audit.plotted, audit.pretrigger
    sample = np.arange(before.start, before.stop)
    for row, (name, colour) in enumerate(_CLASSES):
        mean, error = plotted.before_mean_adc[row], plotted.before_error_adc[row]
        if np.isfinite(mean).all():
            ax.fill_between(sample, mean - 2 * error, mean + 2 * error, color=colour, alpha=0.3, linewidth=0)
            ax.plot(sample, mean, color=colour, marker="o", markersize=3.5, label=name)
    _plain_numbers(ax)
    ax.set_xlabel("sample")
    ax.set_ylabel("mean pre-trigger (ADC counts)")
    figure.legend(loc="outside upper center", ncols=2, title="bands: twice the standard error")
    return figure


def _plain_numbers(ax: Axes) -> None:
    """Write baselines as they are: an offset on the axis would hide what is compared."""
    ax.ticklabel_format(axis="y", useOffset=False, style="plain")
