"""Second pulses in the records: where a record rises as no single pulse of its run does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network.prepare import constant_fraction_crossing

FEWEST_CLEAN = 8
_SIGMAS = 6.0
_LEAST_SHARE = 0.03
_LEAST_NOISE_ADC = 0.3
_ROBUST = 1.48
_BLIND_EDGES = 3
_BLOCK_SAMPLES = 2**21


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SinglePulses:
    """How the records of single pulses rise behind their leading edge; what second pulses are told from.

    A rise is the difference of the means of two neighbouring stretches as long as a leading edge: the baseline cancels.

    Parameters
    ----------
    edge : int
        Samples from the crossing to the peak, at least 2.
    usual : ndarray of float64, shape (place,)
        Rise of a single pulse in units of its height, from `blind_samples` behind its crossing on.
    scatter : ndarray of float64, shape (place,)
        Standard deviation about it, in roots of ADC counts, times the root of the height: light comes in quanta.
    noise_adc : float
        Standard deviation of rises where there is no pulse.
    """

    edge: int
    usual: NDArray[np.float64]
    scatter: NDArray[np.float64]
    noise_adc: float

    @property
    def blind_samples(self) -> int:
        """So close behind the crossing, and before it, a second pulse is not looked for."""
        return _BLIND_EDGES * self.edge

    def found(
        self, waves_adc: NDArray[np.float32], *, crossing: NDArray[Any], height_adc: NDArray[Any]
    ) -> NDArray[np.bool_]:
        """Mark the records that hold a second pulse, behind the highest one or before it.

        The rise that is left behind the usual one must exceed six times the noise, six times the scatter and 3 % of the
        height; before the pulse, six times the noise.

        Parameters
        ----------
        waves_adc : ndarray of float32, shape (pulse, sample)
            Above the baseline, pulses upwards.
        crossing : ndarray of float, shape (pulse,)
            Of the leading edge of the highest pulse, in samples; of NaN nothing is said.
        height_adc : ndarray of float, shape (pulse,)
            Its highest sample.

        Returns
        -------
        ndarray of bool, shape (pulse,)
        """
        step = max(1, _BLOCK_SAMPLES // waves_adc.shape[1])
        parts = [
            self._found(waves_adc[at : at + step], crossing[at : at + step], height_adc[at : at + step])
            for at in range(0, max(1, len(waves_adc)), step)
        ]
        return np.concatenate(parts)

    def _found(self, waves: NDArray[np.float32], crossing: NDArray[Any], height_adc: NDArray[Any]) -> NDArray[np.bool_]:
        rises = _rises(waves, self.edge)
        known = np.isfinite(crossing)
        at = np.floor(np.where(known, crossing, 0)).astype(np.int64)[:, np.newaxis]
        height = np.maximum(height_adc, 1).astype(np.float64)[:, np.newaxis]
        places = at + self.blind_samples + np.arange(len(self.usual))
        late = np.take_along_axis(rises, np.minimum(places, rises.shape[1] - 1), axis=1) - self.usual * height
        allowed = _SIGMAS * np.sqrt(self.noise_adc**2 + self.scatter**2 * height) + _LEAST_SHARE * height
        behind = ((late > allowed) & (places < rises.shape[1])).any(axis=1)
        # A rise that ends an edge before the crossing is none of the pulse itself.
        before = np.arange(rises.shape[1]) + 2 * self.edge <= at - self.edge
        earlier = ((rises > _SIGMAS * self.noise_adc) & before).any(axis=1)
        return np.asarray(known & (behind | earlier))


def learn_single_pulses(
    waves_adc: NDArray[np.float32],
    *,
    crossing: NDArray[Any],
    height_adc: NDArray[Any],
    clean: NDArray[np.bool_],
    baseline_samples: slice,
    noise_adc: float,
) -> SinglePulses | None:
    """Learn from a run how its single pulses rise; medians leave out the few that hold a second one.

    Parameters
    ----------
    waves_adc, crossing, height_adc
        As of :meth:`SinglePulses.found`.
    clean : ndarray of bool, shape (pulse,)
        Pulses at the usual place, well above the noise.
    baseline_samples : slice
        Samples before the pulse.
    noise_adc : float
        Standard deviation of a sample, where there is no room for a rise among those.

    Returns
    -------
    SinglePulses or None
        None where fewer than eight pulses are clean, or nothing is left of the record behind the blind stretch.
    """
    if clean.sum() < FEWEST_CLEAN:
        return None
    edge = max(2, round(float(np.median((waves_adc.argmax(axis=1) - crossing)[clean]))))
    noise = _noise(waves_adc[clean, baseline_samples], edge, noise_adc)
    # The lower half tells more of the noise than of the shape.
    high = clean & (height_adc >= np.median(height_adc[clean]))
    start = np.floor(np.nan_to_num(crossing)).astype(np.int64) + _BLIND_EDGES * edge
    rises = _rises(waves_adc[high], edge)
    # A record whose pulse comes unusually late is looked at as far as the others, and clean ones all alike.
    length = rises.shape[1] - int(start[clean].max())
    if length < 1:
        return None
    late = np.take_along_axis(rises, start[high, np.newaxis] + np.arange(length), axis=1)
    height = height_adc[high, np.newaxis].astype(np.float64)
    usual = np.median(late / height, axis=0)
    scatter = _ROBUST * np.median(np.abs((late - usual * height) / np.sqrt(height)), axis=0)
    return SinglePulses(edge=edge, usual=usual, scatter=scatter, noise_adc=noise)


def clean_pulses(
    waves_adc: NDArray[np.float32], *, crossing: NDArray[Any], height_adc: NDArray[Any], noise_adc: float
) -> NDArray[np.bool_]:
    """Mark pulses at the usual place of the record that stand well above the noise; shape (pulse,)."""
    known: NDArray[np.bool_] = np.isfinite(crossing)
    if not known.any():
        return known
    off = np.abs(crossing - np.median(crossing[known]))
    near = off <= max(3.0, 0.03 * waves_adc.shape[1], 6 * _ROBUST * float(np.median(off[known])))
    return np.asarray(known & near & (height_adc > 12 * max(noise_adc, _LEAST_NOISE_ADC)))


def seen_share(
    single: SinglePulses,
    waves_adc: NDArray[np.float32],
    *,
    crossing: NDArray[Any],
    fraction: float,
    rng: np.random.Generator,
) -> float:
    """Return which share of second pulses is found: clean records of the run are laid over each other.

    The second one is drawn from the same pulses, its delay uniform from the crossing of the first, at this fraction of
    its height, to the end of the record.

    Raises
    ------
    DataError
        If there are fewer than two records.
    """
    n_pulses, n_samples = waves_adc.shape
    if n_pulses < 2:
        raise DataError(f"records are laid over each other to see which are found: {n_pulses} are too few")
    other = waves_adc[(np.arange(n_pulses) + rng.integers(1, n_pulses)) % n_pulses]
    rest = np.maximum(n_samples - np.floor(crossing), 1)
    shift = np.floor(rng.random(n_pulses) * rest).astype(np.int64)
    places = np.arange(n_samples) - shift[:, np.newaxis]
    moved = np.where(places >= 0, np.take_along_axis(other, np.maximum(places, 0), axis=1), np.float32(0))
    both = waves_adc + moved
    turned = constant_fraction_crossing(both, fraction=fraction)
    return float(single.found(both, crossing=turned, height_adc=both.max(axis=1)).mean())


def _noise(before: NDArray[np.float32], edge: int, noise_adc: float) -> float:
    """Return the standard deviation of rises before the pulse, where there is room for one."""
    if before.shape[1] <= 2 * edge:
        return max(noise_adc, _LEAST_NOISE_ADC)
    squares = np.sort((_rises(before, edge) ** 2).mean(axis=1))
    # The noisiest tenth may hold another pulse.
    return max(float(np.sqrt(squares[: max(1, int(0.9 * len(squares)))].mean())), _LEAST_NOISE_ADC)


def _rises(waves: NDArray[np.float32], edge: int) -> NDArray[np.float64]:
    """Return the mean of `edge` samples less that of as many before them, at every place."""
    sums = np.concatenate([np.zeros((len(waves), 1)), np.cumsum(waves, axis=1, dtype=np.float64)], axis=1)
    means = (sums[:, edge:] - sums[:, :-edge]) / edge
    return np.asarray(means[:, edge:] - means[:, :-edge])
