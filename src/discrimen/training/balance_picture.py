"""The plane of the training pulses before and after balancing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.output.files import complete_or_absent
from discrimen.output.pictures import save_png
from discrimen.output.style import house_style, new_figure
from discrimen.pulse_shape.charge import PSD_DEFINITION
from discrimen.pulses import Label
from discrimen.training.balance import Balance

_BINS = 80
_ENERGY_ENDS, _PSD_ENDS = (0.0005, 0.9999), (0.002, 0.998)
"""Quantiles that are drawn: the rare high energies are what it is about, the wildest PSDs are noise."""


def write_balance_picture(balance: Balance, path: Path) -> None:
    """Draw PSD against energy of gammas and neutrons, as counted and as weighed, on one colour scale.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    colors = require_module("matplotlib.colors", extra="analysis")
    plane, weights = balance.plane, balance.weights
    edges = _edges(plane.energy, logarithmic=True), _edges(plane.psd, logarithmic=False)
    rows: list[list[NDArray[Any]]] = [
        [
            np.histogram2d(plane.energy[of], plane.psd[of], bins=edges, weights=each[of])[0]
            for of in (balance.labels == label for label in (Label.GAMMA, Label.NEUTRON))
        ]
        for each in (np.ones_like(weights), weights)
    ]
    highest = max(counts.max() for row in rows for counts in row)
    with house_style():
        figure = new_figure(11.0, 8.6)
        axes = figure.subplots(2, 2, sharex=True, sharey=True)
        for row, when in enumerate(("before", f"after ({_words(balance)})")):
            for column, name in enumerate(("gammas", "neutrons")):
                ax = axes[row][column]
                mesh = ax.pcolormesh(
                    *edges, np.ma.masked_less_equal(rows[row][column], 0).T,
                    norm=colors.LogNorm(min(0.1, highest / 10), highest), cmap="viridis", rasterized=True,
                )  # fmt: skip
                ax.set_xscale("log")
                ax.set_title(f"{name} {when}")
        for ax in axes[1]:
            ax.set_xlabel(f"energy ({plane.energy_unit})")
        for ax in axes[:, 0]:
            ax.set_ylabel(f"PSD = {PSD_DEFINITION}")
        figure.colorbar(mesh, ax=axes, label="training pulses per bin (sum of weights)")
        with complete_or_absent(path) as part:
            save_png(figure, part, dots_per_inch=110)


def _words(balance: Balance) -> str:
    return {"class": "class", "energy": "class, energy", "shape": "class, energy, shape"}[balance.name]


def _edges(values: NDArray[np.float64], *, logarithmic: bool) -> NDArray[np.float64]:
    known = values[np.isfinite(values) & ((values > 0) | (not logarithmic))]
    if not len(known):
        return np.linspace(0.5, 1.5, _BINS + 1)
    low, high = np.quantile(known, _ENERGY_ENDS if logarithmic else _PSD_ENDS)
    margin = 0.05 * (high - low) if high > low else max(abs(low), 1.0) / 2
    if logarithmic:
        return np.geomspace(low / 1.1, high * 1.1, _BINS + 1)
    return np.linspace(low - margin, high + margin, _BINS + 1)
