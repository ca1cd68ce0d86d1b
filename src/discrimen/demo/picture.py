"""One picture that says what the package is for: pulse shapes on the left, gamma leakage on the right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from discrimen.evaluation import Report
from discrimen.evaluation.plots import draw_leakage_on
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import prepare
from discrimen.output.pictures import save_png
from discrimen.output.style import GAMMA_COLOUR, NEUTRON_COLOUR, house_style, new_figure
from discrimen.pulses import Label
from discrimen.runs.dataset import Dataset

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN_KEVEE = (50.0, 100.0)
SHOWN_METHODS = ("network", "charge_best", "photon_bound")

_ROOM_FOR_LEGEND = 50.0
_SHARES = (1.0, 0.1, 0.01, 0.001, 0.0001)


def draw_demo(report: Report, dataset: Dataset, preparation: Preparation, path: Path) -> None:
    """Draw the tails of both classes at low energy, and leakage against energy, into a PNG.

    Parameters
    ----------
    report : Report
        Of the evaluation.
    dataset : Dataset
        That it was made on.
    preparation : Preparation
        Of the model: the waveforms are drawn as the network sees them.
    path : Path
        Where to write, whatever its suffix.
    """
    with house_style(font_scale=1.3):
        figure = new_figure(10.0, 5.0)
        pulse_axes, leakage_axes = figure.subplots(1, 2, width_ratios=(1, 1.5))
        _draw_pulses(pulse_axes, dataset, preparation)
        draw_leakage_on(leakage_axes, report, methods=SHOWN_METHODS)
        leakage_axes.set_title("gamma leakage at 95 % neutron efficiency")
        leakage_axes.set_ylabel("")
        leakage_axes.set_ylim(top=_ROOM_FOR_LEGEND)
        leakage_axes.set_yticks(
            _SHARES, [f"{share:.0%}" if share >= 0.01 else f"{100 * share:g}%" for share in _SHARES]
        )
        leakage_axes.tick_params(axis="x", labelsize="small")
        leakage_axes.legend(loc="upper right", handletextpad=0.1)
        save_png(figure, path, dots_per_inch=120)


def _draw_pulses(axes: Axes, dataset: Dataset, preparation: Preparation) -> None:
    light = dataset.pulses.column("energy_kevee")
    inside = dataset.pulses[(light >= SHOWN_KEVEE[0]) & (light < SHOWN_KEVEE[1])]
    time_ns = np.arange(preparation.window_length) * preparation.sample_period_ns
    onset_ns = preparation.only.baseline_stop * preparation.sample_period_ns
    for label, colour, line in ((Label.GAMMA, GAMMA_COLOUR, "--"), (Label.NEUTRON, NEUTRON_COLOUR, "-")):
        waveforms = prepare(inside.samples[inside.column("label") == label], preparation).waveforms[:, 0]
        low, high = np.quantile(waveforms, (0.16, 0.84), axis=0)
        axes.fill_between(time_ns, low, high, color=colour, alpha=0.3, linewidth=0)
        axes.plot(time_ns, waveforms.mean(axis=0), line, color=colour, linewidth=2.5, label=label.name.lower())
    axes.set_xlim(onset_ns - 20, onset_ns + 250)
    axes.set_ylim(-0.03, 0.45)
    axes.set_xlabel("time in record (ns)")
    axes.set_ylabel("amplitude / peak")
    axes.set_title(f"tails, {SHOWN_KEVEE[0]:g}-{SHOWN_KEVEE[1]:g} keVee")
    axes.legend(loc="upper right", title="mean, central 68 %")
