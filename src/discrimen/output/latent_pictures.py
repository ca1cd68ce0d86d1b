"""Pictures of the code of an auto-encoder: pulses in a plane of latents, and the correlations between latents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.output.style import (
    BLACK,
    BLUE,
    GAMMA_COLOUR,
    NEUTRON_COLOUR,
    house_style,
    legend_over,
    new_figure,
    plain_logarithm,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CLASS_LOOKS = {"gamma": (GAMMA_COLOUR, "o"), "neutron": (NEUTRON_COLOUR, "^")}
_MOST_NUMBERED = 12
"""Latents up to which each correlation is written into its field."""


def draw_latent_plane(
    points: NDArray[Any],
    names: Sequence[str],
    *,
    classes: Mapping[str, NDArray[np.bool_]],
    size: NDArray[Any],
    size_name: str,
) -> Figure:
    """Draw pulses in a plane of latents, on the left by their class and on the right by their size.

    Parameters
    ----------
    points : ndarray of float, shape (pulse, 2)
        Pulses with NaN are left out.
    names : sequence of str
        Of the axes.
    classes : mapping of str to ndarray of bool, shape (pulse,)
        Gammas, neutrons; empty where no class is known.
    size : ndarray of float, shape (pulse,)
        Light or height; its colours are logarithmic.
    size_name : str
        With its unit.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    colours = require_module("matplotlib.colors", extra="analysis")
    there = np.isfinite(points).all(axis=1)
    with house_style():
        figure = new_figure(11.5, 4.9)
        by_class, by_size = figure.subplots(1, 2, sharex=True, sharey=True)
        known = {name: there & inside for name, inside in classes.items() if (there & inside).any()}
        for name, inside in (known or {"pulses": there}).items():
            colour, marker = _CLASS_LOOKS.get(name, (BLUE, "."))
            look: dict[str, Any] = {"color": colour, "marker": marker, "linestyle": "", "markersize": 3, "alpha": 0.5}
            by_class.plot(*points[inside].T, label=name, rasterized=True, **look)
        legend_over(by_class, n_columns=2)
        for handle in by_class.get_legend().legend_handles:
            handle.set(markersize=7, alpha=1.0)
        positive = there & (size > 0)
        drawn = by_size.scatter(
            *points[positive].T, c=size[positive], s=5, cmap="viridis", norm=colours.LogNorm(), rasterized=True
        )
        plain_logarithm(figure.colorbar(drawn, ax=by_size, label=size_name).ax.yaxis)
        for axes in (by_class, by_size):
            axes.set_xlabel(names[0])
            axes.grid(visible=True)
        by_class.set_ylabel(names[1])
        _leave_out_stragglers(by_class, points[there])
        return figure


def draw_correlation(correlation: NDArray[Any], *, active: NDArray[np.bool_]) -> Figure:
    """Draw the correlation matrix of the latents; those that are not active are marked.

    Parameters
    ----------
    correlation : ndarray of float, shape (latent, latent)
        NaN stays white.
    active : ndarray of bool, shape (latent,)
        See :class:`discrimen.metrics.latents.Latents`.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    with house_style():
        figure = new_figure(6.2, 5.2)
        axes = figure.subplots()
        drawn = axes.imshow(correlation, vmin=-1, vmax=1, cmap="RdBu_r")
        figure.colorbar(drawn, ax=axes, label="correlation")
        numbers = range(len(correlation))
        if len(correlation) <= _MOST_NUMBERED:
            for row in numbers:
                for column in numbers:
                    value = correlation[row, column]
                    if np.isfinite(value) and row != column:
                        dark = abs(value) > 0.6
                        colour = "white" if dark else BLACK
                        axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=9, color=colour)
            marked = [f"{number}" if active[number] else f"({number})" for number in numbers]
            axes.set_xticks(list(numbers), marked)
            axes.set_yticks(list(numbers), marked)
        idle = "" if bool(active.all()) else "; in brackets: not active"
        axes.set_xlabel(f"latent{idle}")
        axes.set_ylabel("latent")
        return figure


def _leave_out_stragglers(axes: Axes, points: NDArray[Any]) -> None:
    """Show where nearly all pulses lie: one far away must not press the others into a point."""
    if len(points) < 50:
        return
    low, high = np.quantile(points, (0.002, 0.998), axis=0)
    room = 0.1 * (high - low)
    if (room > 0).all():
        (left, bottom), (right, top) = low - room, high + room
        axes.set(xlim=(left, right), ylim=(bottom, top))
