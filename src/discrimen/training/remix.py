"""Piled-up training records made again in each epoch from the parts of all of them.

What a record holds beside its parts (noise, rounding) stays with its first part, so a record that is put together again
is one that the digitizer could have given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from discrimen.network.preparation import Scale
from discrimen.training.examples import Examples

_N_BESIDE = 4
_RECORD_GAIN = 0.7
"""Standard deviation of the natural logarithm."""
_RECORD_SHIFT, _PART_SHIFT = 6, 2
"""At most, in samples."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Mixture:
    """Prepared records with their parts; as targets: the parts, their numbers of pulses, the divisor, the run.

    Parameters
    ----------
    waveforms : ndarray of float32, shape (example, sample)
        Network input.
    parts : ndarray of float32, shape (example, 2, sample)
        In the same scale.
    n_pulses : ndarray of int64, shape (example, 2)
        In each part.
    divisor : ndarray of float32, shape (example,)
        What leads to ADC counts.
    run : ndarray of int64, shape (example,)
        Number of the run: parts of different runs are not put together, for these may differ in their light and gain.
    """

    waveforms: NDArray[np.float32]
    parts: NDArray[np.float32]
    n_pulses: NDArray[np.int64]
    divisor: NDArray[np.float32]
    run: NDArray[np.int64]

    def as_targets(self) -> NDArray[np.float32]:
        """Return all but the input as one array, shape (example, value)."""
        flat = self.parts.reshape(len(self.parts), -1)
        return np.column_stack([flat, self.n_pulses, self.divisor, self.run]).astype(np.float32)

    @property
    def is_pair(self) -> NDArray[np.bool_]:
        """Records of one pulse in each part, shape (example,): the only ones whose parts mean something."""
        return np.asarray((self.n_pulses == 1).all(axis=1))

    @classmethod
    def of_targets(cls, targets: NDArray[np.float32], waveforms: NDArray[np.float32] | None = None) -> Mixture:
        """Build from what :meth:`as_targets` returned; without waveforms these are the sums of the parts."""
        flat, beside = targets[:, :-_N_BESIDE], targets[:, -_N_BESIDE:]
        parts = flat.reshape(len(flat), 2, -1)
        return cls(
            waveforms=parts.sum(axis=1) if waveforms is None else waveforms,
            parts=parts,
            n_pulses=beside[:, :2].astype(np.int64),
            divisor=beside[:, 2],
            run=beside[:, 3].astype(np.int64),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Remix:
    """Puts training records together again.

    Parameters
    ----------
    scale : {"peak", "area", "none"}
        Of the preparation.
    gain, mixed_share, moved_share, single_share, more_share
        As of :class:`~discrimen.training.tasks.separation.Separation`.
    """

    scale: Scale
    gain: float
    mixed_share: float
    moved_share: float
    single_share: float
    more_share: float

    def draw(self, examples: Examples, at: NDArray[np.int64], *, rng: np.random.Generator) -> Examples:
        """Return new examples of the records at these places."""
        return self._made(examples, at, rng=rng, changed=True)

    def judging(self, examples: Examples, *, rng: np.random.Generator) -> Examples:
        """Return examples to judge by: the records as they are, some made single or given a third pulse."""
        return self._made(examples, np.arange(len(examples)), rng=rng, changed=False)

    def alone(self, examples: Examples) -> Examples:
        """Return the first parts alone, of the records of one pulse in each part."""
        mixture = Mixture.of_targets(examples.targets, examples.waveforms[:, 0])
        # A third pulse is in no part, and would stay in the record.
        single = np.flatnonzero((mixture.n_pulses[:, 0] == 1) & (mixture.n_pulses[:, 1] <= 1))
        second = mixture.parts[single, 1]
        parts = np.stack([mixture.parts[single, 0], np.zeros_like(second)], axis=1)
        n_pulses = np.column_stack([np.ones_like(single), np.zeros_like(single)])
        one = Mixture(
            waveforms=mixture.waveforms[single] - second,
            parts=parts,
            n_pulses=n_pulses,
            divisor=mixture.divisor[single],
            run=mixture.run[single],
        )
        return self._rescaled(one, examples.pulse[single])

    def _made(
        self,
        examples: Examples,
        at: NDArray[np.int64],
        *,
        rng: np.random.Generator,
        changed: bool,
    ) -> Examples:
        every = Mixture.of_targets(examples.targets, examples.waveforms[:, 0])
        in_adc = every.divisor[:, np.newaxis, np.newaxis] * every.parts
        parts, n_pulses = in_adc[at], every.n_pulses[at]
        noise = every.divisor[at, np.newaxis] * every.waveforms[at] - parts.sum(axis=1)
        n_made = len(at)
        other = _others(every.run, every.run[at], rng=rng)
        if changed:
            mixed = rng.random(n_made) < self.mixed_share
            parts[mixed, 1], n_pulses[mixed, 1] = in_adc[other[0, mixed], 1], every.n_pulses[other[0, mixed], 1]
            self._move(parts[:, 1], rng=rng)
            if self.gain:
                self._make_strange(parts, noise, rng=rng)
        which = rng.random(n_made)
        single = (which < self.single_share) & (n_pulses[:, 0] == 1)
        parts[single, 1], n_pulses[single, 1] = 0, 0
        more = (which >= 1 - self.more_share) & (n_pulses[:, 1] > 0)
        third = np.where(more[:, np.newaxis], in_adc[other[1], 1], np.float32(0))
        n_third = np.where(more, every.n_pulses[other[1], 1], 0)
        made = Mixture(
            waveforms=parts.sum(axis=1) + third + noise,
            parts=parts,
            n_pulses=n_pulses + np.column_stack([np.zeros_like(n_third), n_third]),
            divisor=np.ones(n_made, np.float32),
            run=every.run[at],
        )
        return self._rescaled(made, examples.pulse[at])

    def _move(self, second: NDArray[np.float32], *, rng: np.random.Generator) -> None:
        """Move some second parts later in their records, in place; before them there is the baseline."""
        n_samples = second.shape[1]
        moved = np.flatnonzero(rng.random(len(second)) < self.moved_share)
        by = rng.integers(1, max(2, n_samples // 2), len(moved))
        at = np.arange(n_samples) - by[:, np.newaxis]
        taken = np.take_along_axis(second[moved], np.maximum(at, 0), axis=1)
        second[moved] = np.where(at >= 0, taken, np.float32(0))

    def _make_strange(
        self, parts: NDArray[np.float32], noise: NDArray[np.float32], *, rng: np.random.Generator
    ) -> None:
        """Make half of the records such as another source would give, in place.

        The other half stays, so what is known of the lines of the training is used where heights and places are
        those. What is known of any source is that pulses of one line are frequent: the parts are made about as high as
        each other, at any height. The place in the record tells of the height, for a trigger comes later for a low
        pulse; so it varies too. Rounding is what whole counts tell the height by, and is added again.
        """
        made = np.flatnonzero(rng.random(len(parts)) < 0.5)
        chosen = parts[made]
        height = chosen.max(axis=2)
        gains = np.exp(_RECORD_GAIN * rng.standard_normal((len(made), 1))) * np.ones((1, 2))
        alike = height.min(axis=1) > 0
        ratio = height[alike, 0] / height[alike, 1]
        gains[alike, 1] *= ratio * np.exp(self.gain * rng.standard_normal(len(ratio)))
        by = rng.integers(-_RECORD_SHIFT, _RECORD_SHIFT + 1, (len(made), 1))
        by = by + rng.integers(-_PART_SHIFT, _PART_SHIFT + 1, (len(made), 2))
        parts[made] = _shifted(chosen * gains[:, :, np.newaxis].astype(np.float32), by)
        noise[made] += rng.uniform(-0.5, 0.5, (len(made), noise.shape[1])).astype(np.float32)

    def _rescaled(self, mixture: Mixture, pulse: NDArray[np.int64]) -> Examples:
        """Divide as the preparation does; what has no height is left as it is."""
        if self.scale == "none":
            factor = np.ones(len(mixture.waveforms), np.float32)
        else:
            waves = mixture.waveforms
            factor = waves.max(axis=1) if self.scale == "peak" else waves.sum(axis=1)
            factor = np.where(factor > 0, factor, np.float32(1))
        made = replace(
            mixture,
            waveforms=mixture.waveforms / factor[:, np.newaxis],
            parts=mixture.parts / factor[:, np.newaxis, np.newaxis],
            divisor=mixture.divisor * factor,
        )
        return Examples(waveforms=made.waveforms[:, np.newaxis], targets=made.as_targets(), pulse=pulse)


def _shifted(parts: NDArray[np.float32], by: NDArray[np.int64]) -> NDArray[np.float32]:
    """Move parts later by so many samples, shape (made, part); beyond the record there is the baseline."""
    n_samples = parts.shape[2]
    at = np.arange(n_samples) - by[:, :, np.newaxis]
    taken = np.take_along_axis(parts, np.clip(at, 0, n_samples - 1), axis=2)
    return np.where((at >= 0) & (at < n_samples), taken, np.float32(0))


def _others(run: NDArray[np.int64], wanted: NDArray[np.int64], *, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw two other examples of the same run for each, shape (2, made)."""
    drawn = rng.random((2, len(wanted)))
    other = np.empty(drawn.shape, dtype=np.int64)
    for number in np.unique(wanted):
        members, here = np.flatnonzero(run == number), wanted == number
        other[:, here] = members[(drawn[:, here] * len(members)).astype(np.int64)]
    return other
