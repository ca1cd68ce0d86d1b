"""What labels by time of flight show: leakage of figures that a list brings along, and contamination against energy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.labelling.flight_run import FlightTimes, RunFlight
from discrimen.labelling.time_of_flight import FlightWindow
from discrimen.metrics import leakage_at_efficiency
from discrimen.pulses import Label

EFFICIENCY = 0.95
"""Of the neutrons, at which the leakage of gammas is told."""

_FEWEST_FOR_LEAKAGE = 100
_N_SLICES = 5
_DRAWS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceContamination:
    """Accidentals among the labels in one slice of energy.

    Accidental pulses have a spectrum of their own: their share is counted in each slice again, in the flat region.

    Parameters
    ----------
    energy_low, energy_high : float
        In the unit of the list.
    n_flat : int
        Pulses of the flat region.
    n_gamma, n_neutron : int
        Labelled pulses.
    gamma, gamma_low, gamma_high, neutron, neutron_low, neutron_high : float
        Share of accidentals among them, with its interval; all of them count as wrong.
    """

    energy_low: float
    energy_high: float
    n_flat: int
    n_gamma: int
    n_neutron: int
    gamma: float
    gamma_low: float
    gamma_high: float
    neutron: float
    neutron_low: float
    neutron_high: float


def leakages(times: FlightTimes, labels: NDArray[np.int8]) -> dict[str, dict[str, Any]]:
    """Return the gamma leakage at 95 % of the neutrons of pulse shape parameter and score, of those that are there.

    Relative to the labels: the wrong ones among them count as leakage or as loss.
    """
    found = {}
    known = labels != Label.UNKNOWN
    for name in ("psd", "score"):
        values = getattr(times, name)
        if values is None:
            continue
        usable = known & np.isfinite(values)
        if min(int((labels[usable] == label).sum()) for label in (Label.GAMMA, Label.NEUTRON)) >= _FEWEST_FOR_LEAKAGE:
            found[name] = asdict(leakage_at_efficiency(values[usable], labels[usable], efficiency=EFFICIENCY))
    return found


def contamination_by_energy(
    times: FlightTimes, flight: RunFlight, *, rng: np.random.Generator
) -> tuple[SliceContamination, ...]:
    """Count accidentals in slices of energy with as many labelled pulses each; empty where there are no energies."""
    if times.energy is None:
        return ()
    flight_ns, found = flight.flight_time_ns(times), flight.found
    flat = (flight_ns >= found.flat_low_ns) & (flight_ns < found.flat_high_ns)
    labelled = found.labels(flight_ns) != Label.UNKNOWN
    usable = labelled & np.isfinite(times.energy)
    if not usable.any():
        return ()
    edges = np.quantile(times.energy[usable], np.linspace(0, 1, _N_SLICES + 1))
    edges[-1] = np.nextafter(edges[-1], np.inf)
    length_ns = found.flat_high_ns - found.flat_low_ns
    slices = []
    for low, high in pairwise(np.unique(edges)):
        inside = (times.energy >= low) & (times.energy < high)
        n_flat = int((inside & flat).sum())
        rates = rng.gamma(n_flat + 0.5, 1 / length_ns, _DRAWS)
        shares: dict[str, Any] = {}
        for name, window in (("gamma", found.gamma), ("neutron", found.neutron)):
            shares |= _shares(name, flight_ns[inside], window, n_flat / length_ns, rates, rng=rng)
        slices.append(SliceContamination(energy_low=float(low), energy_high=float(high), n_flat=n_flat, **shares))
    return tuple(slices)


def _shares(
    name: str,
    flight_ns: NDArray[np.float64],
    window: FlightWindow,
    rate_per_ns: float,
    rates: NDArray[np.float64],
    *,
    rng: np.random.Generator,
) -> dict[str, Any]:
    n_pulses = int(((flight_ns >= window.low_ns) & (flight_ns < window.high_ns)).sum())
    width_ns, total = window.high_ns - window.low_ns, max(1, n_pulses)
    low, high = np.quantile(np.minimum(rng.poisson(rates * width_ns) / total, 1.0), [0.025, 0.975])
    return {
        f"n_{name}": n_pulses,
        name: min(1.0, rate_per_ns * width_ns / total),
        f"{name}_low": float(low),
        f"{name}_high": float(high),
    }
