"""Optimum linear filter of E. Gatti and F. De Martini (Nuclear Electronics, IAEA Vienna (1962), vol. II, p. 265).

The score is the weighted sum of a pulse's samples over their plain sum. Where the noise is that of counted photons
alone, the best weights are w = (n - g) / (n + g), n and g being the mean pulses of both classes with unit area.

A digitizer adds noise of its own, and its clock does not know when a pulse comes. With the mean pulse m = (n + g) / 2
and a variance v of each sample that is a mixture of both noises, the filter f with the largest separation over its
width, among those that feel neither the height of the pulse (f . m = 0) nor, to first order, its time (f . m' = 0), is

    f = (n - g - a m - b m') / v,   a and b such that both conditions hold.

For v = m, photon noise alone, and without the condition on the time, a is 0 and f is that of Gatti and De Martini but
for a factor; for a constant v it is the matched filter for white noise. How much of v is electronic noise, whether the
filter is steady in time, and how many samples it takes, is tuned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.pulse_shape.base import Merit, Waveforms, best_of, over, steps_up_to

ELECTRONIC_SHARES = (0.0, 0.03, 0.1, 0.2, 0.5, 0.9, 1.0)
"""Of the variance summed over the filter: what is tried."""

_FEWEST_SAMPLES = 8
_LENGTH_RATIO = 1.4
_LEAST_LIGHT = 0.1
"""Share of the pulse's area that a filter must see to be tried."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GattiFilter:
    """The tuned filter.

    Parameters
    ----------
    weights : ndarray of float64, shape (sample,)
        Of the first samples of an aligned waveform; the others are not used.
    electronic_share : float
        Share of the variance that the weights take for electronic noise.
    steady_in_time : bool
        Whether the filter does not feel a small shift of the pulse.
    sample_period_ns : float
        Time between samples in ns.
    """

    weights: NDArray[np.float64]
    electronic_share: float
    steady_in_time: bool
    sample_period_ns: float

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What was tuned."""
        return {
            "electronic_share": self.electronic_share,
            "steady_in_time": self.steady_in_time,
            "length_ns": len(self.weights) * self.sample_period_ns,
            "weights": self.weights,
        }

    def score(self, waveforms: Waveforms) -> NDArray[np.float64]:
        """Score aligned waveforms; see :class:`discrimen.pulse_shape.base.Method`."""
        scores: NDArray[np.float64] = _scores(waveforms, [self.weights])[0]
        return scores


def tune_gatti(
    waveforms: Waveforms, is_neutron: NDArray[np.bool_], *, sample_period_ns: float, merit: Merit
) -> GattiFilter:
    """Make the filter from the mean pulses of both classes, with noise and length of the highest merit.

    Parameters
    ----------
    waveforms : ndarray of float32, shape (pulse, sample)
        Aligned; see :mod:`discrimen.pulse_shape.base`.
    is_neutron : ndarray of bool, shape (pulse,)
        The class of each.
    sample_period_ns : float
        Time between samples in ns.
    merit : callable
        Judges the scores.

    Raises
    ------
    DataError
        If a class has no pulse with a positive area, or the records are too short.
    """
    gamma, neutron = (_mean_pulse(waveforms[chosen]) for chosen in (~is_neutron, is_neutron))

    def tried() -> Iterator[tuple[GattiFilter, NDArray[np.float64]]]:
        for length in _lengths_with_light(gamma, neutron):
            filters = [
                GattiFilter(
                    weights=gatti_weights(
                        gamma[:length], neutron[:length], electronic_share=share, steady_in_time=steady
                    ),
                    electronic_share=share,
                    steady_in_time=steady,
                    sample_period_ns=sample_period_ns,
                )
                for share, steady in product(ELECTRONIC_SHARES, (False, True))
            ]
            yield from zip(filters, _scores(waveforms, [each.weights for each in filters]), strict=True)

    return best_of(tried(), merit)


def gatti_weights(
    gamma: NDArray[Any], neutron: NDArray[Any], *, electronic_share: float = 0.0, steady_in_time: bool = False
) -> NDArray[np.float64]:
    """Return the weights for two mean pulses.

    Parameters
    ----------
    gamma, neutron : ndarray of float, shape (sample,)
        Mean pulses; only their shapes count.
    electronic_share : float
        Share of the variance that is the same in all samples; 0 gives (n - g) / (n + g), 1 the matched filter.
    steady_in_time : bool
        Whether a small shift of the pulse must not change the score.

    Returns
    -------
    ndarray of float64, shape (sample,)
        0 in samples that hold no light where photon noise is all there is.

    Raises
    ------
    DataError
        If an area is not positive, or the share does not lie between 0 and 1.
    """
    areas = float(np.sum(gamma)), float(np.sum(neutron))
    if not min(areas) > 0:
        raise DataError(f"mean pulses must have positive areas, got {areas[0]:g} (gamma) and {areas[1]:g} (neutron)")
    if not 0 <= electronic_share <= 1:
        raise DataError(f"the share of electronic noise must lie between 0 and 1, got {electronic_share:g}")
    g, n = np.asarray(gamma, np.float64) / areas[0], np.asarray(neutron, np.float64) / areas[1]
    mean, difference = (n + g) / 2, (n - g) / 2
    inverse = _inverse_variance(mean, electronic_share)
    # What the filter must not feel, one row each.
    unfelt = np.stack([mean, np.gradient(mean)]) if steady_in_time else mean[np.newaxis]
    removed = np.linalg.lstsq((unfelt * inverse) @ unfelt.T, (unfelt * inverse) @ difference, rcond=None)[0]
    weights: NDArray[np.float64] = inverse * (difference - removed @ unfelt)
    return weights


def _lengths_with_light(gamma: NDArray[np.float64], neutron: NDArray[np.float64]) -> list[int]:
    """Return the lengths to try. Of fine samples the shortest filters end before the pulse begins: they see noise."""
    steps = steps_up_to(len(gamma), first=_FEWEST_SAMPLES, ratio=_LENGTH_RATIO)
    return [length for length in steps if min(gamma[:length].sum(), neutron[:length].sum()) > _LEAST_LIGHT]


def _inverse_variance(mean: NDArray[np.float64], electronic_share: float) -> NDArray[np.float64]:
    """Return 1 over the variance of each sample; 0 for samples without light where photons are all the noise."""
    photon = np.maximum(mean, 0.0)
    variance = (1 - electronic_share) * photon / photon.sum() + electronic_share / len(mean)
    # Before the pulse and far behind it a mean of finitely many pulses is noise, and its weights would be too.
    lit = (photon > 1e-3 * photon.max()) | (electronic_share > 0)
    return np.where(lit, 1 / np.where(lit, variance, 1.0), 0.0)


def _mean_pulse(waveforms: Waveforms) -> NDArray[np.float64]:
    """Mean of pulses that are each scaled to unit area, so that none counts more for its height."""
    area = waveforms.sum(axis=1, dtype=np.float64)
    usable = area > 0
    if not usable.any():
        raise DataError("no pulse of a class has a positive area: check polarity and baseline window")
    inverse = np.where(usable, 1 / np.where(usable, area, 1.0), 0.0)
    mean: NDArray[np.float64] = inverse @ waveforms / np.count_nonzero(usable)
    return mean


def _scores(waveforms: Waveforms, filters: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Score with filters of one length: shape (filter, pulse)."""
    weights = np.stack(filters, axis=1)
    part = waveforms[:, : len(weights)]
    # float64 sums: the score of a pulse must not depend on how many others are scored with it.
    return over((part @ weights).T, part.sum(axis=1, dtype=np.float64))
