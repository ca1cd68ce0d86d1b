"""Runs resampled: pulses of one run share gain, rate and temperature, and err together.

The bootstrap draws whole runs: of each kind of run (gammas alone, neutrons alone, both) one fewer than there are, with
replacement (J. N. K. Rao and C. F. J. Wu, J. Am. Stat. Assoc. 83 (1988) 231). The spread of the draws is the standard
error; since a few runs tell little of their own scatter, the interval takes Student's quantile for their number.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.metrics.intervals import normal_quantile
from discrimen.pulses import Label

FEWEST_DEGREES = 4
"""Runs beyond the first of each kind, in all: with fewer, nothing can be said of how runs differ."""

_DRAWS = 400

_ENOUGH_A_RUN = 20
"""So many counts in each run show by how much runs differ."""


@dataclass(frozen=True, slots=True, eq=False)
class RunDraws:
    """Runs resampled, many times.

    Parameters
    ----------
    run : ndarray of int64, shape (pulse,)
        Position of each pulse's run among the columns of `weight`.
    weight : ndarray of float64, shape (draw, run)
        How much each run counts in each draw.
    n_degrees : int
        Degrees of freedom: runs, less one for each kind of run.
    """

    run: NDArray[np.int64]
    weight: NDArray[np.float64]
    n_degrees: int

    @property
    def n_runs(self) -> int:
        """How many runs there are."""
        return int(self.weight.shape[1])

    def quantile(self, confidence: float) -> float:
        """Return half the width of a central interval in standard errors."""
        stats = require_module("scipy.stats", extra="analysis")
        return float(stats.t.ppf(0.5 + confidence / 2, self.n_degrees))

    def share_error(self, passing: NDArray[np.bool_], members: NDArray[np.bool_]) -> float:
        """Return the standard error of the share of the members that pass."""
        n_members, n_passing = (self._per_run(chosen) for chosen in (members, members & passing))
        return spread((self.weight @ n_passing) / np.maximum(self.weight @ n_members, 1e-9))

    def leakages(self, scores: NDArray[Any], labels: NDArray[Any], *, efficiency: float) -> NDArray[np.float64]:
        """Return the gamma leakage at a neutron efficiency in each draw, shape (draw,), its threshold drawn too."""
        ranked = np.where(np.isnan(scores), -np.inf, scores)
        neutron = np.flatnonzero(labels == Label.NEUTRON)
        falling = neutron[np.argsort(-ranked[neutron], kind="stable")]
        kept = np.empty(len(self.weight))
        for draw, weight in enumerate(self.weight):
            passed = np.cumsum(weight[self.run[falling]])
            at = np.searchsorted(passed, efficiency * passed[-1] * (1 - 1e-12))
            kept[draw] = ranked[falling[min(at, len(falling) - 1)]]
        leaked, n_gamma = np.zeros(len(kept)), np.zeros(len(kept))
        for run in range(self.n_runs):
            gamma = np.sort(ranked[(labels == Label.GAMMA) & (self.run == run)])
            leaked += self.weight[:, run] * (len(gamma) - np.searchsorted(gamma, kept, side="left"))
            n_gamma += self.weight[:, run] * len(gamma)
        return np.asarray(leaked / np.maximum(n_gamma, 1e-9))

    def zero_limit_factor(self, scores: NDArray[Any], labels: NDArray[Any], *, confidence: float) -> float:
        """Return by what the upper limit grows, since runs differ, where no gamma leaks: 1 or more.

        How much runs differ is seen only where gammas pass: at the highest score that lets :data:`_ENOUGH_A_RUN` of
        them pass a run. Of rates that are gamma-distributed from run to run, with the relative variance v that is
        found there, none leaks in any run with the probability prod (1 + n_run p v)^(-1/v); its limit is that of p.

        Parameters
        ----------
        scores : ndarray of float, shape (pulse,)
            The larger, the more like a neutron; a pulse with NaN never passes.
        labels : ndarray of int, shape (pulse,)
            Gamma or neutron.
        confidence : float
            Of the central interval whose upper end it is.
        """
        optimize = require_module("scipy.optimize", extra="analysis")
        gamma = labels == Label.GAMMA
        n_gamma = self._per_run(gamma)
        there = n_gamma > 0
        n_gamma = n_gamma[there]
        ranked = np.where(np.isnan(scores), -np.inf, scores)
        n_passing = min(_ENOUGH_A_RUN * len(n_gamma), int(gamma.sum()))
        at = np.partition(ranked[gamma], -n_passing)[-n_passing]
        counts = self._per_run(gamma & (ranked >= at))[there]
        inflation = (self.quantile(confidence) / normal_quantile(confidence)) ** 2
        variance = inflation * _between_runs(counts, n_gamma)
        if variance == 0:
            return 1.0
        rare = -log((1 - confidence) / 2)  # expected leaks where none is seen, by counting alone

        def excess(expected: float) -> float:
            means = expected * n_gamma / n_gamma.sum()
            return float(np.log1p(means * variance).sum() / variance) - rare

        highest = 2 * rare
        while excess(highest) < 0:
            highest *= 2
        return float(optimize.brentq(excess, rare * (1 - 1e-9), highest)) / rare

    def areas(self, scores: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
        """Return the area under the curve in each draw, shape (draw,)."""
        ranked = np.where(np.isnan(scores), -np.inf, scores)
        in_order = np.zeros((self.n_runs, self.n_runs))
        gamma, neutron = labels == Label.GAMMA, labels == Label.NEUTRON
        n_gamma, n_neutron = self._per_run(gamma), self._per_run(neutron)
        for run in range(self.n_runs):
            reference = np.sort(ranked[gamma & (self.run == run)])
            below = np.searchsorted(reference, ranked[neutron], "left")
            below = below + np.searchsorted(reference, ranked[neutron], "right")
            in_order[run] = np.bincount(self.run[neutron], weights=below / 2, minlength=self.n_runs)
        found = np.einsum("dg,gn,dn->d", self.weight, in_order, self.weight)
        return np.asarray(found / np.maximum((self.weight @ n_gamma) * (self.weight @ n_neutron), 1e-9))

    def _per_run(self, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.bincount(self.run[chosen], minlength=self.n_runs).astype(np.float64)


def draw_runs(run: NDArray[Any], labels: NDArray[Any], *, rng: np.random.Generator) -> RunDraws | None:
    """Resample runs, or return None where there are too few for it.

    Parameters
    ----------
    run : ndarray of int, shape (pulse,)
        Number of each pulse's run.
    labels : ndarray of int, shape (pulse,)
        Gamma or neutron.
    rng : Generator
        Draws.
    """
    names, place = np.unique(run, return_inverse=True)
    kinds = np.zeros(len(names), dtype=np.int64)
    for bit, label in enumerate((Label.GAMMA, Label.NEUTRON)):
        kinds[np.unique(place[labels == label])] |= 1 << bit
    groups = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
    n_degrees = len(names) - len(groups)
    if n_degrees < FEWEST_DEGREES or min(len(group) for group in groups) < 2:
        return None
    weight = np.zeros((_DRAWS, len(names)))
    for group in groups:
        n = len(group)
        weight[:, group] = rng.multinomial(n - 1, np.full(n, 1 / n), size=_DRAWS) * n / (n - 1)
    return RunDraws(run=place.ravel().astype(np.int64), weight=weight, n_degrees=n_degrees)


def _between_runs(counts: NDArray[np.float64], n_pulses: NDArray[np.float64]) -> float:
    """Return the relative variance of a rate from run to run, what counting adds taken off; 0 where none is seen."""
    means = counts.sum() * n_pulses / n_pulses.sum()
    squares = ((counts - means) ** 2).sum() * len(counts) / (len(counts) - 1)
    return max(0.0, float((squares - means.sum()) / (means**2).sum()))


def spread(values: NDArray[np.float64]) -> float:
    """Return the standard error that draws show."""
    return float(values.std(ddof=1))
