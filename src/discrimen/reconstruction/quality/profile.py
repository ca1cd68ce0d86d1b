"""The statistics of a pulse of one channel, each 0 on average with a spread of 1 at every height when all is well."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.reconstruction.quality.by_height import Heights, Standard
from discrimen.reconstruction.quality.look import Looked
from discrimen.reconstruction.quality.variance import SampleVariance

N_BANDS = 8
ODD_SHARE = 1e-3
CLIP_SHARE = 1e-3
_EDGE_ABOVE = 0.1
_AROUND_EDGE = 2
_FAR_OFF = 4.0
_GAIN_TRIED = 0.9
_MOST_GAIN_BINS = 30
_FEWEST_IN_BIN = 40
_LEAST_RMS = 1e-2
_AT_ANY_HEIGHT = ("baseline", "baseline spread", "height", "gain")


def band_edges(n_samples: int) -> NDArray[np.int64]:
    """Return where bands of frequency begin and end, in steps of one period a record; wider where higher."""
    highest = n_samples // 2
    edges = np.unique(np.rint(np.geomspace(1, highest + 1, N_BANDS + 1)).astype(np.int64))
    return edges


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Profile:
    """What the pulses of a channel are like.

    Parameters
    ----------
    heights : Heights
        Where the rest is known.
    variance : SampleVariance
        Of the residual before, around and behind edge and peak.
    rms : ndarray of float64, shape (knot, sample)
        Of the residual in units of that.
    baseline_adc : float
        Median of the baselines.
    gain_edges, gain_llr : ndarray of float64
        Bins of the height, and in each the logarithm of how much more often it occurs with 10 % less gain.
    standards : mapping of str to Standard
        By the name of the statistic, in their order.
    clip : mapping of str to tuple of float
        Least and largest value of each that counts: one pulse in a thousand lies beyond.
    odd_above : float
        Mean square of the residual that one pulse in a thousand exceeds.
    held_from : int
        Equal samples in a row that tell that samples are missing.
    """

    heights: Heights
    variance: SampleVariance
    rms: NDArray[np.float64]
    baseline_adc: float
    gain_edges: NDArray[np.float64]
    gain_llr: NDArray[np.float64]
    standards: Mapping[str, Standard]
    clip: Mapping[str, tuple[float, float]]
    odd_above: float
    held_from: int

    @property
    def names(self) -> tuple[str, ...]:
        """Of the statistics."""
        return tuple(self.standards)

    @classmethod
    def of(cls, looked: Looked, *, held_from: int) -> Profile:
        """Learn from usable pulses in which all was well."""
        heights = Heights.of(looked.height_adc)
        groups = heights.groups(looked.height_adc)
        shape = np.divide(looked.above_adc, looked.height_adc[:, np.newaxis], dtype=np.float32)
        variance = SampleVariance.of(
            looked.residual_adc, looked.signal_adc, (*_edge(shape), looked.residual_adc.shape[1])
        )
        relative = looked.residual_adc / np.sqrt(variance(looked.signal_adc))
        rms = np.array([_rms(relative[groups == knot]) for knot in range(len(heights.knots))])
        rms = np.maximum(rms, _LEAST_RMS * rms.max(initial=1e-9))
        edges, llr = _gain_bins(looked.height_adc)
        bare = cls(
            heights=heights,
            variance=variance,
            rms=rms,
            baseline_adc=float(np.median(looked.baseline_adc)),
            gain_edges=edges,
            gain_llr=llr,
            standards={},
            clip={},
            odd_above=np.inf,
            held_from=held_from,
        )
        raw, score = bare.raw(looked)
        none = np.zeros(len(looked), np.intp)
        standards = {
            name: Standard.of(values, *((none, 1) if name in _AT_ANY_HEIGHT else (groups, len(heights.knots))))
            for name, values in raw.items()
        }
        clip = {}
        for name, standard in standards.items():
            values = standard.apply(raw[name], heights, looked.height_adc)
            low, high = np.quantile(values, [CLIP_SHARE, 1 - CLIP_SHARE])
            clip[name] = (float(low), float(high))
        odd_above = float(np.quantile(score, 1 - ODD_SHARE))
        return replace(bare, standards=standards, clip=clip, odd_above=odd_above)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "knots": self.heights.knots.tolist(),
            "variance": {"stops": list(self.variance.stops), "terms": self.variance.terms.tolist()},
            "rms": np.round(self.rms, 5).tolist(),
            "baseline_adc": self.baseline_adc,
            "gain_edges": self.gain_edges.tolist(),
            "gain_llr": self.gain_llr.tolist(),
            "standards": {name: standard.as_dict() for name, standard in self.standards.items()},
            "clip": {name: list(limits) for name, limits in self.clip.items()},
            "odd_above": self.odd_above,
            "held_from": self.held_from,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Profile:
        """Build from what :meth:`as_dict` returned."""
        variance = SampleVariance(
            stops=tuple(values["variance"]["stops"]), terms=np.array(values["variance"]["terms"], float)
        )
        return cls(
            heights=Heights(knots=np.array(values["knots"], float)),
            variance=variance,
            rms=np.array(values["rms"], float),
            baseline_adc=float(values["baseline_adc"]),
            gain_edges=np.array(values["gain_edges"], float),
            gain_llr=np.array(values["gain_llr"], float),
            standards={name: Standard.from_dict(each) for name, each in values["standards"].items()},
            clip={name: (float(low), float(high)) for name, (low, high) in values["clip"].items()},
            odd_above=float(values["odd_above"]),
            held_from=int(values["held_from"]),
        )

    def raw(self, looked: Looked) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
        """Return the statistics before they are standardised, and the score of each pulse.

        The score is the mean square of the residual in units of what it is at that height: 1 on average.
        """
        height = looked.height_adc
        sigma = np.sqrt(self.variance(looked.signal_adc)) * self.heights.at(self.rms, height)
        relative = looked.residual_adc / sigma
        square = relative**2
        first, last, _ = self.variance.stops
        values = {
            "noise": np.cbrt(looked.noise_adc2),
            "edge": np.cbrt(square[:, first:last].mean(axis=1)),
            "tail": np.cbrt(square[:, last:].mean(axis=1)) if last < square.shape[1] else np.zeros(len(looked)),
        }
        power = np.abs(np.fft.rfft(relative, axis=1)) ** 2
        edges = band_edges(relative.shape[1])
        for number, (low, high) in enumerate(itertools.pairwise(edges), start=1):
            values[f"band {number}"] = np.cbrt(power[:, low:high].mean(axis=1))
        values["slope"] = _slope(looked.residual_adc, 1 / sigma**2)
        values["baseline"] = looked.baseline_adc
        values["baseline spread"] = np.sqrt(np.abs(looked.baseline_adc - self.baseline_adc))
        values["time"] = looked.crossing_ns
        values["height"] = np.log(height)
        values["gain"] = self.gain_llr[np.searchsorted(self.gain_edges, height, side="right")]
        return values, square.mean(axis=1)

    def statistics(self, looked: Looked) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the statistics of usable pulses, shape (pulse, statistic), and their scores, shape (pulse,)."""
        raw, score = self.raw(looked)
        columns = [
            np.clip(standard.apply(raw[name], self.heights, looked.height_adc), *self.clip[name])
            for name, standard in self.standards.items()
        ]
        return np.stack(columns, axis=1), score


def _slope(residual_adc: NDArray[np.float32], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rise of each residual over the record in ADC counts, by weighted least squares, shape (pulse,)."""
    time = np.arange(residual_adc.shape[1])
    centred = time - (weight @ time / weight.sum(axis=1))[:, np.newaxis]
    per_sample = (weight * centred * residual_adc).sum(axis=1) / (weight * centred**2).sum(axis=1)
    rise: NDArray[np.float64] = per_sample * residual_adc.shape[1]
    return rise


def _rms(relative: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the root mean square of each sample, without pulses that are far off."""
    size = np.square(relative).mean(axis=1)
    near = relative[size <= _FAR_OFF * np.median(size)]
    rms: NDArray[np.float64] = np.sqrt(np.square(near).mean(axis=0))
    return rms


def _edge(shape: NDArray[np.float32]) -> tuple[int, int]:
    """Return the range of samples in which pulses are high, and a little around."""
    mean = shape[:10_000].mean(axis=0)
    high = np.flatnonzero(mean > _EDGE_ABOVE * mean.max())
    return max(0, int(high[0]) - _AROUND_EDGE), min(len(mean), int(high[-1]) + _AROUND_EDGE + 1)


def _gain_bins(height_adc: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return inner edges of bins of the height, and the log ratio in each of a spectrum with 10 % less gain.

    The threshold of the trigger stays where it is: what falls below the lowest pulses is not seen.
    """
    n_bins = int(np.clip(len(height_adc) // _FEWEST_IN_BIN, 2, _MOST_GAIN_BINS))
    edges = np.unique(np.quantile(height_adc, np.linspace(0, 1, n_bins + 1)))
    lower = _GAIN_TRIED * height_adc
    before, after = (np.histogram(values, edges)[0] + 1.0 for values in (height_adc, lower))
    ratio = np.log(after / after.sum()) - np.log(before / before.sum())
    return edges[1:-1], ratio
