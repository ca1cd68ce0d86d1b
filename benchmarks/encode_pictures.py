"""Pictures of the compression benchmark: the rate-distortion curve, and recorded beside decoded pulses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.output.style import BLUE, GAMMA_COLOUR, GREEN, NEUTRON_COLOUR, PURPLE, house_style, new_figure
from discrimen.pulses import Label
from encode_judged import Judge, Records


def draw_curve(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw what is lost at 50 to 100 keVee against bits."""
    bits = [row["bits_a_pulse"] for row in rows]
    with house_style():
        figure = new_figure(11, 4.8)
        left, right = figure.subplots(1, 2)
        for name, colour, marker in (("teacher", BLUE, "o"), ("independent", GREEN, "s")):
            for of, style, title in (("network", "-", "auto-encoder"), ("components", ":", "principal components")):
                losses = np.array([_lost(row, name, of) for row in rows]) * 100
                left.errorbar(
                    bits,
                    losses[:, 0],
                    yerr=np.abs(losses[:, 1:].T - losses[:, 0]),
                    color=colour,
                    marker=marker,
                    linestyle=style,
                    label=f"{title}, {name}",
                )
        left.axhline(0.1, color="black", linewidth=1, linestyle="--")
        left.set_yscale("symlog", linthresh=0.1)
        left.set_ylabel("AUC lost at 50-100 keVee (%)")
        for of, style, title in (("network", "-", "auto-encoder"), ("components", ":", "principal components")):
            ratios = [[after / before for before, after in _all(row, of, "resolution")] for row in rows]
            for number, (colour, keVee) in enumerate(((PURPLE, "30-50"), (BLUE, "50-100"), (GREEN, "100-200"))):
                values = [each[number] for each in ratios]
                right.plot(bits, values, style, color=colour, marker="o", label=f"{title}, {keVee} keVee")
        right.axhline(1, color="black", linewidth=1, linestyle="--")
        right.set_ylabel("energy resolution, decoded over recorded")
        for axes in (left, right):
            axes.set_xlabel("bits a pulse (code and baseline)")
            axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=9)
        figure.savefig(path, dpi=110)


def draw_pulses(judge: Judge, samples: NDArray[Any], path: Path) -> None:
    """Draw a gamma and a neutron side by side, and what is between recorded and decoded."""
    found = Records(samples, judge.recorded.preparation, judge.recorded.settings)
    time_ns = judge.recorded.preparation.sample_period_ns * np.arange(samples.shape[1])
    with house_style():
        figure = new_figure(11, 6.5)
        axes = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(2, 1))
        kinds = ((Label.GAMMA, "gamma", GAMMA_COLOUR), (Label.NEUTRON, "neutron", NEUTRON_COLOUR))
        for column, (kind, name, colour) in enumerate(kinds):
            pulse = int(np.flatnonzero((judge.labels == kind) & (judge.light > 59) & (judge.light < 61))[0])
            above, below = axes[:, column]
            recorded, decoded = judge.recorded.above[pulse], found.above[pulse]
            above.plot(time_ns, recorded, ".", color="0.4", label="recorded")
            above.plot(time_ns, decoded, "-", color=colour, linewidth=2, label="decoded")
            above.set_title(f"{name}, {judge.light[pulse]:.0f} keVee")
            above.legend(loc="upper right")
            below.plot(time_ns, recorded - decoded, ".", color="0.4")
            below.axhline(0, color=colour, linewidth=2)
            below.set_xlabel("time (ns)")
        axes[0, 0].set_ylabel("above the baseline (ADC counts)")
        axes[1, 0].set_ylabel("minus decoded\n(ADC counts)")
        figure.savefig(path, dpi=110)


def _rows(row: Mapping[str, Any], of: str) -> Sequence[Mapping[str, Any]]:
    return row["ranges"] if of == "network" else row["components"]["ranges"]


def _lost(row: Mapping[str, Any], name: str, of: str) -> Sequence[float]:
    return next(each["auc_loss"][name] for each in _rows(row, of) if each["range_kevee"] == [50, 100])


def _all(row: Mapping[str, Any], of: str, name: str) -> list[Any]:
    return [each[name] for each in _rows(row, of)]
