"""Whether the pulses fall into two bands of tail fraction, by a simple check of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.detector_fit.traces import Traces

_SHORT_NS, _LONG_NS = 30.0, 150.0
_FEWEST = 100
_LEAST_SHARE = 0.05
_LEAST_FIGURE = 1.0
_FWHM = 2.3548
_WITHIN_SIGMAS = 1.5
_ROUNDS, _LEAST_SIGMA, _NOTHING = 200, 1e-4, 1e-300


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Bands:
    """Two bands of tail fraction among the higher half of the clean pulses.

    Parameters
    ----------
    figure_of_merit : float or None
        Distance over the sum of the widths at half height; None where there are too few pulses.
    gamma, neutron : ndarray of bool, shape (pulse,)
        The hearts of both bands; nobody where they do not part.
    n_pulses : int
        Looked at.
    """

    figure_of_merit: float | None
    gamma: NDArray[np.bool_]
    neutron: NDArray[np.bool_]
    n_pulses: int

    @property
    def part(self) -> bool:
        """Whether there are two."""
        return bool(self.gamma.any() and self.neutron.any())

    @property
    def why_not(self) -> str:
        """What is missing, for people."""
        if self.figure_of_merit is None:
            return f"{self.n_pulses} clean pulses in the higher half of heights, {_FEWEST} are needed to look for bands"
        return f"the bands do not part (figure of merit {self.figure_of_merit:.2f}, {_LEAST_FIGURE:g} is needed)"


def find_bands(traces: Traces, *, period_ns: float) -> Bands:
    """Look for two bands: two Gaussians, at least one figure of merit apart, none of them with a few pulses only.

    A single band of whatever shape with a flat top, cut in two halves, reaches 0.74, so that one band is not taken for
    two.
    """
    chosen = traces.clean & (traces.height_adc >= np.median(traces.height_adc[traces.clean]))
    nobody = np.zeros(len(chosen), dtype=bool)
    if chosen.sum() < _FEWEST:
        return Bands(figure_of_merit=None, gamma=nobody, neutron=nobody, n_pulses=int(chosen.sum()))
    tails = tail_fraction(traces, period_ns=period_ns)
    inside = chosen & _within(tails, chosen)
    means, sigmas, shares = _two_gaussians(tails[inside])
    figure = float((means[1] - means[0]) / (_FWHM * sigmas.sum()))
    if figure < _LEAST_FIGURE or shares.min() < _LEAST_SHARE:
        return Bands(figure_of_merit=figure, gamma=nobody, neutron=nobody, n_pulses=int(inside.sum()))
    gamma, neutron = (
        inside & (np.abs(tails - mean) < _WITHIN_SIGMAS * sigma) for mean, sigma in zip(means, sigmas, strict=True)
    )
    return Bands(figure_of_merit=figure, gamma=gamma, neutron=neutron, n_pulses=int(inside.sum()))


def _two_gaussians(
    tails: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Fit two Gaussians by expectation and maximisation, from the quartiles; return means, sigmas and shares."""
    means, shares = np.quantile(tails, [0.25, 0.75]), np.array([0.5, 0.5])
    sigmas = np.full(2, max(float(tails.std()) / 2, _LEAST_SIGMA))
    for _ in range(_ROUNDS):
        density = shares / sigmas * np.exp(-0.5 * ((tails[:, None] - means) / sigmas) ** 2) + _NOTHING
        belongs = density / density.sum(axis=1, keepdims=True)
        weights = belongs.sum(axis=0)
        means = (belongs * tails[:, None]).sum(axis=0) / weights
        sigmas = np.sqrt((belongs * (tails[:, None] - means) ** 2).sum(axis=0) / weights + _LEAST_SIGMA**2)
        shares = weights / len(tails)
    order = np.argsort(means)
    return means[order], sigmas[order], shares[order]


def tail_fraction(traces: Traces, *, period_ns: float) -> NDArray[np.float64]:
    """Return the charge from 30 to 150 ns after the edge over that up to 150 ns, shape (pulse,)."""
    time_ns = (np.arange(traces.waves_adc.shape[1]) - traces.crossing[:, None]) * period_ns
    late = (time_ns >= _SHORT_NS) & (time_ns < _LONG_NS)
    all_of_it = (time_ns >= -_SHORT_NS) & (time_ns < _LONG_NS)
    tail, whole = (np.where(part, traces.waves_adc, 0).sum(axis=1, dtype=np.float64) for part in (late, all_of_it))
    return np.asarray(tail / np.where(whole > 0, whole, np.nan))


def _within(tails: NDArray[np.float64], chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Leave out what lies far from everything: pile-up that was not seen."""
    low, middle, high = np.nanquantile(tails[chosen], [0.05, 0.5, 0.95])
    near = (tails > middle - 3 * (middle - low)) & (tails < middle + 3 * (high - middle))
    return np.asarray(np.isfinite(tails) & near)
