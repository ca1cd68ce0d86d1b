"""Learn what a channel is like from pulses in which all was well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, require_module
from discrimen.inference.base import Predictor
from discrimen.reconstruction.quality.look import UNUSABLE, Looked, Mark, look
from discrimen.reconstruction.quality.profile import Profile
from discrimen.reconstruction.quality.reference import ChannelReference
from discrimen.reconstruction.quality.signatures import Whitening, learn_signatures, matched_weights
from discrimen.reconstruction.quality.tails import Values
from discrimen.reconstruction.quality.windows import SCALES, block_of
from discrimen.simulation.distortion import Digitisation

FEWEST_PULSES = 100
MOST_PULSES = 200_000
MOST_SAMPLES = 2**25
_FEWEST_PLANTED, _MOST_PLANTED, _MOST_PLANTED_SAMPLES = 200, 10_000, 2**21
_HELD_SHARE = 1e-3
_FEWEST_HELD = 4
_FEWEST_WINDOWS = 5
_SURELY = 1e-3
_PRUDENT = 0.1


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Looker:
    """Looks at raw pulses of one channel.

    Parameters
    ----------
    predictor : Predictor
        Of the auto-encoder.
    adc_bits : int or None
        Of the digitizer.
    held_from : int
        Equal samples in a row that tell that samples are missing.
    """

    predictor: Predictor
    adc_bits: int | None
    held_from: int

    def __call__(self, samples: NDArray[Any]) -> Looked:
        """Measure and mark, all but what is odd."""
        looked = look(samples, self.predictor, adc_bits=self.adc_bits)
        return looked.with_marks(marked(looked, self.held_from))

    def usable(self, samples: NDArray[Any]) -> Looked:
        """Measure, and return the usable ones alone."""
        looked = self(samples)
        return looked[usable(looked)]


def marked(looked: Looked, held_from: int) -> NDArray[np.uint16]:
    """Return the marks with those of held samples."""
    held = (looked.longest_run >= held_from) & (looked.marks == 0)
    return np.where(held, np.uint16(Mark.MISSING), looked.marks)


def usable(looked: Looked) -> NDArray[np.bool_]:
    """Say of which pulses statistics are taken."""
    found: NDArray[np.bool_] = ((looked.marks & UNUSABLE) == 0) & np.isfinite(looked.crossing_ns)
    return found


def learn_channel(
    samples: NDArray[Any],
    looked: Looked,
    predictor: Predictor,
    *,
    adc_bits: int | None,
    window: int,
    rng: np.random.Generator,
    where: str,
) -> ChannelReference:
    """Learn a channel.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        Raw pulses into which faults may be planted: some of those that were looked at.
    looked : Looked
        All of its pulses, in the order of time.
    predictor : Predictor
        Of the auto-encoder.
    adc_bits : int or None
        Of the digitizer.
    window : int
        Pulses of a window.
    rng : numpy.random.Generator
        Of what is planted.
    where : str
        Name of the channel, for messages.

    Raises
    ------
    DataError
        If there are too few usable pulses.
    """
    held_from = _held_from(looked)
    looked = looked.with_marks(marked(looked, held_from))
    good = looked[usable(looked)]
    if len(good) < FEWEST_PULSES:
        told = ", ".join(f"{count} {name}" for name, count in n_marked(looked.marks).items() if count)
        raise DataError(
            f"{where}: a reference needs at least {FEWEST_PULSES} usable pulses, got {len(good)} of {len(looked)}"
            + (f" ({told})" if told else "")
        )
    profile = Profile.of(good, held_from=held_from)
    statistics, score = profile.statistics(good)
    marks = looked.marks.copy()
    marks[np.flatnonzero(usable(looked))[score > profile.odd_above]] |= np.uint16(Mark.ODD)
    covariance = np.cov(statistics.T)
    preparation = predictor.description.preparation
    digitisation = Digitisation(
        sample_period_ns=preparation.sample_period_ns,
        baseline_start=preparation.only.baseline_start,
        baseline_stop=preparation.only.baseline_stop,
        adc_bits=adc_bits,
    )
    looker = Looker(predictor=predictor, adc_bits=adc_bits, held_from=held_from)
    signatures = learn_signatures(samples[: n_planted(samples.shape[1])], looker.usable, profile, digitisation, rng=rng)
    matched = matched_weights(signatures, Whitening.of(covariance))
    weights = np.column_stack([np.eye(statistics.shape[1]), *matched.values()])
    tested = statistics @ weights
    values = tuple(Values.of(column) for column in tested.T)
    return ChannelReference(
        profile=profile,
        tested=(*profile.names, *(f"like {name}" for name in matched)),
        weights=weights,
        values=values,
        covariance=covariance,
        mean=statistics.mean(axis=0),
        signatures=signatures,
        n_pulses=len(looked),
        n_usable=len(good),
        n_marked=n_marked(marks),
        restless=_restless(tested, block_of(window)),
    )


def n_marked(marks: NDArray[np.uint16]) -> dict[str, int]:
    """Count the pulses with each mark."""
    return {str(mark.name): int(np.count_nonzero(marks & mark)) for mark in Mark}


def n_planted(n_samples: int) -> int:
    """Return into how many pulses of such records faults are planted."""
    return min(_MOST_PLANTED, max(_FEWEST_PLANTED, _MOST_PLANTED_SAMPLES // n_samples))


def _held_from(looked: Looked) -> int:
    """Return how many equal samples in a row never occur in these pulses, nor where their noise is half as large."""
    unmarked = looked.longest_run[looked.marks == 0]
    if not len(unmarked):
        return _FEWEST_HELD
    return max(_FEWEST_HELD, 2 + 2 * int(np.quantile(unmarked, 1 - _HELD_SHARE, method="higher")))


def _restless(tested: NDArray[np.float64], block: int) -> dict[int, tuple[float, ...]]:
    """Return how much more the means of windows vary than those of independent pulses, where it is sure."""
    special = require_module("scipy.special", extra="analysis")
    spread = tested.std(axis=0)
    factors = np.ones(tested.shape[1])
    found = {}
    for scale in SCALES:
        n_pulses = scale * block
        n_windows = len(tested) // n_pulses
        if n_windows >= _FEWEST_WINDOWS:
            means = tested[: n_windows * n_pulses].reshape(n_windows, n_pulses, -1).mean(axis=1)
            with np.errstate(invalid="ignore", divide="ignore"):
                ratio = np.nan_to_num(means.var(axis=0, ddof=1) * n_pulses / spread**2, nan=1.0)
            freedom = n_windows - 1
            prudent = freedom / special.chdtri(freedom, 1 - _PRUDENT)
            surely = special.chdtrc(freedom, ratio * freedom) < _SURELY / len(ratio)
            factors = np.maximum(factors, np.where(surely, ratio * prudent, 1.0))
        found[n_pulses] = tuple(map(float, factors))
    return found
