"""Draw the charge-comparison plane with its bands and cuts, and purity and efficiency below; nothing is fitted here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from discrimen.errors import require_module
from discrimen.labelling.band import BandLabels
from discrimen.labelling.plane import Plane
from discrimen.output.pictures import save_png
from discrimen.output.style import BLUE, GREY, NEUTRON_COLOUR, house_style, legend_over, new_figure
from discrimen.pulse_shape.charge import PSD_DEFINITION
from discrimen.pulses import Label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_N_ENERGY_BINS, _N_PSD_BINS = 160, 140
# The light blue of gammas elsewhere would not part from the counts.
_GAMMA, _NEUTRON = BLUE, NEUTRON_COLOUR


def draw_bands(bands: BandLabels, plane: Plane, path: Path, *, title: str) -> None:
    """Draw into a PNG.

    Parameters
    ----------
    bands : BandLabels
        Of one channel.
    plane : Plane
        Its pulses.
    path : Path
        Where to write, whatever its suffix.
    title : str
        Above the picture.
    """
    with house_style():
        figure = new_figure(9.5, 11.5)
        plane_axes, purity_axes, merit_axes = figure.subplots(
            3, 1, sharex=True, gridspec_kw={"height_ratios": [3.2, 1.5, 1.0]}
        )
        _draw_plane(plane_axes, bands, plane)
        _draw_purity(purity_axes, bands)
        _draw_merit(merit_axes, bands)
        merit_axes.set_xlabel(f"energy: long charge ({plane.energy_unit})")
        if plane.energy_unit == "keVee":
            merit_axes.set_xlabel("light (keVee)")
        figure.suptitle(title)
        save_png(figure, path)


def _draw_plane(axes: Axes, bands: BandLabels, plane: Plane) -> None:
    colors = require_module("matplotlib.colors", extra="analysis")
    low, high = bands.slices[0].fit.low, bands.slices[-1].fit.high
    at = np.geomspace(low, high, 300)
    gamma_mean, gamma_sigma, neutron_mean, neutron_sigma = bands.bands.at(at)
    bottom = float((gamma_mean - 4 * gamma_sigma).min())
    top = float((neutron_mean + 4 * neutron_sigma).max())
    bottom, top = max(bottom, -0.2), min(top, 1.0)
    inside = (plane.energy > 0) & np.isfinite(plane.psd)
    counts, *_ = np.histogram2d(
        plane.energy[inside],
        plane.psd[inside],
        bins=[np.geomspace(low / 1.2, high * 1.2, _N_ENERGY_BINS + 1), np.linspace(bottom, top, _N_PSD_BINS + 1)],
    )
    mesh = axes.pcolormesh(
        np.geomspace(low / 1.2, high * 1.2, _N_ENERGY_BINS + 1),
        np.linspace(bottom, top, _N_PSD_BINS + 1),
        np.ma.masked_equal(counts, 0).T,
        norm=colors.LogNorm(1, max(counts.max(), 2)),
        cmap="Greys",
        rasterized=True,
    )
    axes.figure.colorbar(mesh, ax=axes, label="pulses per bin")
    for label, name, colour, mean in (
        (Label.NEUTRON, "neutrons", _NEUTRON, neutron_mean),
        (Label.GAMMA, "gammas", _GAMMA, gamma_mean),
    ):
        axes.plot(at, mean, color=colour, linewidth=1.4, linestyle="--", label=f"centre of {name}")
        chosen = np.zeros(len(at), bool)
        for part in bands.slices:
            if (part.gamma if label is Label.GAMMA else part.neutron).labelled:
                chosen |= (at >= part.fit.low) & (at <= part.fit.high)
        lower, upper = (np.where(chosen, limit, np.nan) for limit in bands.limits(at, label))
        axes.fill_between(at, lower, upper, color=colour, alpha=0.18, linewidth=0)
        axes.plot(at, lower, color=colour, linewidth=1.6, label=f"labelled as {name}")
        axes.plot(at, upper, color=colour, linewidth=1.6)
    axes.set_xscale("log")
    axes.set_ylim(bottom, top)
    axes.set_ylabel(f"PSD = {PSD_DEFINITION}")
    legend_over(axes, n_columns=2)


def _draw_purity(axes: Axes, bands: BandLabels) -> None:
    at = np.array([part.fit.centre for part in bands.slices])
    for name, colour, marker in (("neutron", _NEUTRON, "o"), ("gamma", _GAMMA, "s")):
        cuts = [getattr(part, name) for part in bands.slices]
        impurity = np.array([max(1 - cut.purity, 1e-5) for cut in cuts])
        low = np.array([max(1 - cut.purity_high, 1e-5) for cut in cuts])
        high = np.array([max(1 - cut.purity_low, 1e-5) for cut in cuts])
        one_cut = [max(1 - cut.purity_at_one_cut, 1e-5) for cut in cuts]
        labelled = np.array([cut.labelled for cut in cuts])
        axes.vlines(at, low, high, color=colour, linewidth=1)
        axes.plot(at[labelled], impurity[labelled], marker, color=colour, label=f"{name}s, labelled")
        axes.plot(at[~labelled], impurity[~labelled], marker, color=colour, markerfacecolor="white",
                  label=f"{name}s, left out")  # fmt: skip
        axes.plot(at, one_cut, color=colour, linewidth=1.2, linestyle=":", label=f"{name}s, one cut for all")
    wish = 1 - bands.options.purity
    axes.axhline(wish, color=GREY, linewidth=1)
    axes.set_yscale("log")
    axes.set_ylim(1e-4, 1.2)
    axes.invert_yaxis()
    axes.set_yticks([1e-4, 1e-3, 1e-2, 1e-1, 1.0], labels=["0.9999", "0.999", "0.99", "0.9", "0"])
    axes.set_ylabel("purity")
    legend_over(axes, n_columns=2)


def _draw_merit(axes: Axes, bands: BandLabels) -> None:
    fitted = [(part.fit.centre, part.fit.merit) for part in bands.slices if part.fit.merit is not None]
    for misses, face, label in ((False, "black", "two Gaussians"), (True, "white", "two Gaussians do not fit")):
        shown = [(centre, merit) for centre, merit in fitted if merit.misses == misses]
        if shown:
            axes.errorbar(
                [centre for centre, _ in shown],
                [merit.value for _, merit in shown],
                yerr=[merit.error for _, merit in shown],
                color="black", markerfacecolor=face, marker="o", markersize=5, linestyle="", label=label,
            )  # fmt: skip
    merged = [part.fit for part in bands.slices if part.fit.merit is None]
    for number, fit in enumerate(merged):
        axes.axvspan(fit.low, fit.high, color="0.9", linewidth=0, label="" if number else "no two bands")
    axes.set_ylabel("figure of merit")
    axes.set_ylim(bottom=0)
    legend_over(axes, n_columns=3)
