"""In words: what differs between pulses outside of a domain and those that the model has seen, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.network.domain.domain import Domain, Outside
from discrimen.network.domain.measure import HALF, Measured, measure, residuals
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import constant_fraction_crossing, with_channels

_THIS_DETECTOR = "adapt the model to this detector, or train on it"


@dataclass(frozen=True, slots=True, eq=False)
class _Odd:
    """Some pulses outside, and what they are outside of."""

    samples: NDArray[Any]
    measured: Measured
    domain: Domain
    preparation: Preparation

    @property
    def record(self) -> NDArray[np.float32]:
        """Whole records, pulses upwards, shape (pulse, sample)."""
        upwards = self.samples[:, 0].astype(np.float32) * self.preparation.only.polarity
        return upwards

    def edge_ns(self) -> float:
        """Where the pulses cross half their height in the record; NaN if they do not."""
        above = self.record - self.record.min(axis=1, keepdims=True)
        crossing = constant_fraction_crossing(above, fraction=HALF)
        found = crossing[np.isfinite(crossing)]
        return float(np.median(found)) * self.preparation.sample_period_ns if len(found) else float("nan")

    def goes_the_other_way(self) -> bool:
        """Whether the pulses fall where the model's rise, or rise where they fall."""
        middle = np.median(self.record, axis=1)
        up, down = self.record.max(axis=1) - middle, middle - self.record.min(axis=1)
        return float(np.median(down)) > max(2 * float(np.median(up)), self.domain.quiet_adc)

    def over_ranges(self, name: str) -> str:
        """Return the widest limits of a quantity over all ranges of height."""
        limits = [getattr(each, name) for each in self.domain.ranges]
        return f"{min(low for low, _ in limits):.3g} to {max(high for _, high in limits):.3g}"


def difference_of(reason: Outside, samples: NDArray[Any], domain: Domain, preparation: Preparation) -> str:
    """Say in what pulses differ from those that the model has seen.

    Parameters
    ----------
    reason : Outside
        One of the flags that all of the pulses have.
    samples : ndarray, shape (pulse, sample) or (pulse, 1, sample)
        As digitised.
    domain : Domain
        Of the model.
    preparation : Preparation
        Of the model.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        odd = _Odd(with_channels(samples, preparation), measure(samples, preparation), domain, preparation)
        if reason in (Outside.UNPREPARED, Outside.TOO_LOW, Outside.SHAPE) and odd.goes_the_other_way():
            return _polarity(odd)
        return _DIFFERENCES[reason](odd)


def _polarity(odd: _Odd) -> str:
    if odd.preparation.only.polarity > 0:
        return "fall, where those of the training rise: adapt the model with --polarity negative"
    return "rise, where those of the training fall: adapt the model with --polarity positive"


def _unprepared(odd: _Odd) -> str:
    del odd
    return "cannot be prepared, for no pulse rises above the baseline: check polarity, channel and trigger"


def _edge_in_baseline(odd: _Odd) -> str:
    channel, period_ns = odd.preparation.only, odd.preparation.sample_period_ns
    return (
        f"have their edge (at {odd.edge_ns():.4g} ns) inside the baseline window of the model "
        f"({channel.baseline_start * period_ns:g} to {channel.baseline_stop * period_ns:g} ns), which is an error: "
        "record a longer pre-trigger, or train on this detector with its own --pretrigger-ns or --baseline-ns"
    )


def _baseline_noise(odd: _Odd) -> str:
    spread = float(np.median(odd.measured.spread_adc))
    return (
        f"have a baseline that spreads over {spread:.3g} ADC counts, trained were {odd.over_ranges('spread_adc')}: "
        f"another noise or gain, or the rest of an earlier pulse; {_THIS_DETECTOR}"
    )


def _height(odd: _Odd) -> str:
    low, high = odd.domain.height_adc
    return (
        f"are {float(np.median(odd.measured.height_adc)):.3g} ADC counts high, trained were {low:.3g} to {high:.3g}: "
        f"{_THIS_DETECTOR}"
    )


def _edge(odd: _Odd) -> str:
    preparation = odd.preparation
    window_start = preparation.only.window_start
    first = min(each.edge[0] for each in odd.domain.ranges) + window_start
    last = max(each.edge[1] for each in odd.domain.ranges) + window_start
    if preparation.alignment is not None:
        return f"have no edge where the alignment puts it: {_THIS_DETECTOR}"
    period_ns = preparation.sample_period_ns
    return (
        f"cross half their height at {odd.edge_ns():.4g} ns, trained were {max(0, first) * period_ns:g} to "
        f"{last * period_ns:g} ns: train with --align, so that the window follows the pulse, or on this detector"
    )


def _clipped(odd: _Odd) -> str:
    return f"are clipped at {odd.domain.rail_adc:g} ADC counts, none of the training were: lower the gain"


def _shape(odd: _Odd) -> str:
    at = odd.domain.range_of(odd.measured.height_adc)
    most = np.array([each.residual[1] for each in odd.domain.ranges])[at]
    ratio = float(np.median(residuals(odd.measured.shape, odd.domain) / most))
    off = f"off by {ratio:.3g} times the most of the training" if ratio > 1 else "smoother than any of the training"
    return f"have another shape ({off}): another detector, gain, trigger or sampling, or pile-up; {_THIS_DETECTOR}"


_DIFFERENCES: dict[Outside, Callable[[_Odd], str]] = {
    Outside.UNPREPARED: _unprepared,
    Outside.EDGE_IN_BASELINE: _edge_in_baseline,
    Outside.BASELINE_NOISE: _baseline_noise,
    Outside.TOO_LOW: _height,
    Outside.TOO_HIGH: _height,
    Outside.EDGE: _edge,
    Outside.CLIPPED: _clipped,
    Outside.SHAPE: _shape,
}
