"""Draw a classified run: its classes in the plane of charge comparison, their spectra, and their rates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.output.pictures import save_png
from discrimen.output.style import GAMMA_COLOUR, NEUTRON_COLOUR, house_style, logarithmic_counts, new_figure
from discrimen.pulse_shape.charge import PSD_DEFINITION
from discrimen.scoring.counts import Counted
from discrimen.scoring.run_sample import RunSample

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CLASSES = ((Counted.GAMMA, "gammas", GAMMA_COLOUR), (Counted.NEUTRON, "neutrons", NEUTRON_COLOUR))
_MOST_POINTS = 20_000
_N_BINS, _N_TIMES = 100, 60
_OUTER = (0.001, 0.999)


def draw_run(sample: RunSample, path: Path, *, title: str) -> None:
    """Draw into a PNG what :func:`~discrimen.scoring.classify.classify_run` counted.

    Parameters
    ----------
    sample : RunSample
        Pulses of the run.
    path : Path
        Where to write, whatever its suffix.
    title : str
        Above the picture.
    """
    counted, energy, psd, time_s = sample.columns()
    with house_style():
        figure = new_figure(11.0, 8.4)
        axes = figure.subplot_mosaic([["plane", "spectra"], ["plane", "rates"]], width_ratios=[1.25, 1])
        _draw_plane(axes["plane"], counted, energy, psd, sample)
        _draw_spectra(axes["spectra"], counted, energy, sample)
        _draw_rates(axes["rates"], counted, time_s, sample)
        patch = require_module("matplotlib.patches", extra="analysis").Patch
        classes = [patch(color=colour, label=name) for _, name, colour in _CLASSES]
        figure.legend(handles=classes, loc="outside lower center", ncols=2)
        figure.suptitle(title)
        save_png(figure, path)


def _draw_plane(axes: Axes, counted: NDArray[Any], energy: NDArray[Any], psd: NDArray[Any], sample: RunSample) -> None:
    known = np.isfinite(energy) & np.isfinite(psd) & (energy > 0)
    if not known.any():
        return _say(axes, "no PSD: gates are not known")
    at = np.flatnonzero(known & (counted <= Counted.NEUTRON))
    at = at[:: max(1, -(-len(at) // _MOST_POINTS))]
    colours = np.array([colour for *_, colour in _CLASSES])[counted[at].astype(int)]
    axes.scatter(energy[at], psd[at], s=3, c=colours, alpha=0.4, linewidths=0)
    axes.set_xscale("log")
    _limits(axes.set_xlim, energy[known], logarithmic=True)
    _limits(axes.set_ylim, psd[known], logarithmic=False)
    axes.set_xlabel(_energy_label(sample))
    axes.set_ylabel(f"PSD = {PSD_DEFINITION}")
    axes.set_title(f"{len(at)} of {sample.n_seen} pulses")
    return None


def _draw_spectra(axes: Axes, counted: NDArray[Any], energy: NDArray[Any], sample: RunSample) -> None:
    known = np.isfinite(energy) & (energy > 0)
    if not known.any():
        return _say(axes, "no energy: gates are not known")
    low, high = np.quantile(energy[known], _OUTER).tolist()
    if low == high:
        return _say(axes, f"all pulses have an energy of {low:g}")
    edges = np.geomspace(low, high, _N_BINS + 1)
    for number, _, colour in _CLASSES:
        counts, _ = np.histogram(energy[known & (counted == number)], edges)
        axes.stairs(counts * sample.every, edges, color=colour, linewidth=1.4)
    axes.set_xscale("log")
    logarithmic_counts(axes)
    axes.set_xlabel(_energy_label(sample))
    axes.set_ylabel("pulses per bin")
    return None


def _draw_rates(axes: Axes, counted: NDArray[Any], time_s: NDArray[Any], sample: RunSample) -> None:
    known = np.isfinite(time_s)
    if not known.any() or not np.ptp(time_s[known]):
        return _say(axes, "no rates: the file has no time stamps")
    start = time_s[known].min()
    edges = np.linspace(0, time_s[known].max() - start, _N_TIMES + 1)
    for number, _, colour in _CLASSES:
        counts, _ = np.histogram(time_s[known & (counted == number)] - start, edges)
        axes.stairs(counts * sample.every / np.diff(edges), edges, color=colour, linewidth=1.4)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("time since the first pulse (s)")
    axes.set_ylabel("rate (Hz)")
    return None


def _energy_label(sample: RunSample) -> str:
    return "light (keVee)" if sample.unit == "keVee" else "charge over the long gate (ADC counts x ns)"


def _limits(set_limits: Any, values: NDArray[Any], *, logarithmic: bool) -> None:
    """Show all but the outermost thousandth, and a little room."""
    low, high = np.quantile(values, _OUTER)
    if logarithmic:
        set_limits(low / 1.2, high * 1.2)
    else:
        room = 0.25 * (high - low) or 0.1
        set_limits(low - room, high + room)


def _say(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center")
    axes.set_xticks([])
    axes.set_yticks([])
