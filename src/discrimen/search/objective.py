"""What a search makes small: the gamma leakage in the lowest energy bins, smoothed."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.metrics import Leakage, energy_bins, leakage_at_efficiency
from discrimen.pulses import Label

MINIMUM_PULSES = 50
"""Of each class in each bin of the validation part."""
N_EFFICIENCIES = 9
HALF_WIDTH = 0.02
OBJECTIVE_DEFINITION = (
    "mean over the energy bins, and over nine neutron efficiencies within 0.02 of the wished one, of "
    "log10((leaked gammas + 1/2) / (gammas + 1)), on the validation part"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BinLeakage:
    """Leakage of one energy bin, as it is reported; the search itself looks at the smoothed one."""

    energy: str
    leakage: Leakage


@dataclass(frozen=True, slots=True, eq=False)
class Judges:
    """The pulses of the validation part, by bin.

    Parameters
    ----------
    labels : ndarray of int, shape (pulse,)
        Gamma or neutron.
    bins : tuple of (str, ndarray of int64)
        Name of each bin and the positions of its pulses.
    efficiency : float
        Wished neutron efficiency.
    """

    labels: NDArray[Any]
    bins: tuple[tuple[str, NDArray[np.int64]], ...]
    efficiency: float

    def objective(self, neutron_scores: NDArray[Any]) -> float:
        """Return the smoothed leakage, as :data:`OBJECTIVE_DEFINITION` says.

        Parameters
        ----------
        neutron_scores : ndarray of float, shape (pulse,)
            All finite.
        """
        values = []
        for _, members in self.bins:
            scores, labels = neutron_scores[members], self.labels[members]
            values.append(
                smoothed_log_leakage(
                    scores[labels == Label.GAMMA], scores[labels == Label.NEUTRON], efficiency=self.efficiency
                )
            )
        return float(np.mean(values))

    def leakages(self, neutron_scores: NDArray[Any]) -> tuple[BinLeakage, ...]:
        """Return the plain leakage of each bin, with its interval."""
        return tuple(
            BinLeakage(
                energy=name,
                leakage=leakage_at_efficiency(
                    neutron_scores[members], self.labels[members], efficiency=self.efficiency
                ),
            )
            for name, members in self.bins
        )


def smoothed_log_leakage(gamma: NDArray[Any], neutron: NDArray[Any], *, efficiency: float) -> float:
    """Average the logarithm of the leakage over neutron efficiencies around the wished one.

    One threshold follows the noise of a few neutrons, and a share of few gammas is coarse: the average over
    neighbouring thresholds has finer steps and varies a little less from sample to sample. The logarithm gives each
    bin the same weight, whatever it leaks.

    Parameters
    ----------
    gamma, neutron : ndarray of float, shape (pulse of that class,)
        Neutron scores, all finite.
    efficiency : float
        Wished share of the neutrons.

    Returns
    -------
    float
        Of log10, never infinite: half a gamma leaks where none does.

    Raises
    ------
    DataError
        If a score is not finite.
    """
    if not (np.isfinite(gamma).all() and np.isfinite(neutron).all()):
        raise DataError("scores must be finite numbers")
    reach = min(HALF_WIDTH, efficiency / 2, (1 - efficiency) / 2)
    ascending = np.sort(neutron)
    kept = [
        ceil(round(share * len(neutron), 9))
        for share in np.linspace(efficiency - reach, efficiency + reach, N_EFFICIENCIES).tolist()
    ]
    thresholds = ascending[len(neutron) - np.array(kept)]
    leaked = len(gamma) - np.searchsorted(np.sort(gamma), thresholds, side="left")
    return float(np.log10((leaked + 0.5) / (len(gamma) + 1)).mean())


def choose_judges(
    labels: NDArray[Any],
    energy_kevee: NDArray[np.float64] | None,
    *,
    edges_kevee: tuple[float, ...] | None,
    efficiency: float,
) -> Judges:
    """Put the pulses of the validation part into energy bins.

    Raises
    ------
    DataError
        If a bin holds too few pulses of a class.
    """
    bins: list[tuple[str, NDArray[np.int64]]] = []
    if edges_kevee is None or energy_kevee is None:
        bins.append(("all pulses", np.arange(len(labels))))
    else:
        bins += [(str(one), np.flatnonzero(one.contains(energy_kevee))) for one in energy_bins(edges_kevee)]
    for name, members in bins:
        counts = {label: int(np.count_nonzero(labels[members] == label)) for label in (Label.GAMMA, Label.NEUTRON)}
        if min(counts.values()) < MINIMUM_PULSES:
            raise DataError(
                f"{name}: the validation part holds {counts[Label.GAMMA]} gammas and {counts[Label.NEUTRON]} neutrons, "
                f"a search needs {MINIMUM_PULSES} of each: give more pulses, wider energy bins or a larger "
                "validation share"
            )
    return Judges(labels=labels, bins=tuple(bins), efficiency=efficiency)
