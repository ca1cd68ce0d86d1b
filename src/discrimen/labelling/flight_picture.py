"""Draw the spectrum of times of flight with its windows; nothing is fitted here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from discrimen.labelling.time_of_flight import FlightLabels
from discrimen.output.pictures import save_png
from discrimen.output.style import BLUE, GREY, NEUTRON_COLOUR, house_style, new_figure
from discrimen.simulation.kinematics import light_flight_time_ns, neutron_flight_time_ns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ENERGIES_MEV = (0.2, 0.5, 1.0, 2.0, 5.0, 20.0)
_MOST_BINS = 1500


def draw_flight(found: FlightLabels, flight_time_ns: NDArray[np.float64], path: Path, *, title: str) -> None:
    """Draw into a PNG.

    Parameters
    ----------
    found : FlightLabels
        Windows in time of flight.
    flight_time_ns : ndarray of float64, shape (pulse,)
        Of each pulse; NaN is left out.
    path : Path
        Where to write, whatever its suffix.
    title : str
        Above the picture.
    """
    known = flight_time_ns[np.isfinite(flight_time_ns)]
    low, high = np.quantile(known, [0.0005, 0.9995])
    bin_ns = max(0.5, (high - low) / _MOST_BINS)
    edges = np.arange(low, high + bin_ns, bin_ns)
    rate = found.n_flat / (found.flat_high_ns - found.flat_low_ns) * bin_ns
    with house_style():
        figure = new_figure(9.5, 5.5)
        axes = figure.subplots()
        axes.stairs(np.histogram(known, edges)[0], edges, color="black", linewidth=1)
        for name, window, colour in (("gammas", found.gamma, BLUE), ("neutrons", found.neutron, NEUTRON_COLOUR)):
            label = (
                f"{name}: {100 * window.contamination:.2f} % accidentals at most "
                if found.options.accidental_neutron_share is None
                else f"{name}: {100 * window.contamination:.2f} % wrong "
            )
            label += f"({100 * window.contamination_low:.2f}-{100 * window.contamination_high:.2f})"
            axes.axvspan(window.low_ns, window.high_ns, color=colour, alpha=0.2, linewidth=0, label=label)
        axes.axvspan(found.flat_low_ns, found.flat_high_ns, color=GREY, alpha=0.15, linewidth=0, label="flat region")
        axes.axhline(rate, color=GREY, linestyle="--", label=f"accidentals, {rate:.3g} per bin")
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.5)
        axes.set_xlim(low, high)
        axes.set_xlabel("time of flight (ns)")
        axes.set_ylabel(f"pulses per {bin_ns:.2g} ns")
        path_m = found.options.flight_path_m
        if path_m is not None:
            _draw_energies(axes, path_m, low=low, high=high)
        else:
            axes.set_xlabel("time behind the gamma flash (ns)")
        figure.legend(loc="outside lower center", ncols=2)
        figure.suptitle(title if path_m is None else f"{title}, {path_m:g} m")
        save_png(figure, path)


def _draw_energies(axes: Axes, path_m: float, *, low: float, high: float) -> None:
    ticks = [float(neutron_flight_time_ns(energy, flight_path_m=path_m)) for energy in _ENERGIES_MEV]
    shown = [(tick, energy) for tick, energy in zip(ticks, _ENERGIES_MEV, strict=True) if low < tick < high]
    top = axes.secondary_xaxis("top")
    top.set_xticks(
        [light_flight_time_ns(path_m), *(tick for tick, _ in shown)],
        labels=[r"$\gamma$", *(f"{energy:g}" for _, energy in shown)],
    )
    top.set_xlabel("neutron energy (MeV)")
    axes.tick_params(top=False)
