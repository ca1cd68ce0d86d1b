"""Learn the domain of a model from the pulses that it was trained on."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from discrimen.network.domain.domain import MOST_RANGES, Domain, HeightRange, no_rail
from discrimen.network.domain.limits import edge_limits, lower_limit, upper_limit
from discrimen.network.domain.measure import BATCH_PULSES, HALF, measure, residuals
from discrimen.network.domain.photon_change import learn_photons
from discrimen.network.domain.photons import Photons
from discrimen.network.domain.shape import Shape, shape_of
from discrimen.network.preparation import Preparation

FALSE_ALARMS = 5e-4
"""Beyond each side of each limit: four quantities of two sides stay below 0.4 % together."""

FEWEST_PULSES = 50
MOST_PULSES = 100_000
MOST_FOR_SHAPE = 10_000
FEWEST_IN_RANGE = 200
RANGE_FACTOR = 2.0

SEEN_MARGIN = 1.1
"""Heights this much beyond the lowest and highest that were seen are still like them."""

QUIET_SIGMA, QUIET_COUNTS = 12.0, 4.0
"""A baseline of noise alone never spreads so far: in standard deviations, and in ADC counts."""

_STD_OF_MEAN_STEP = math.sqrt(math.pi) / 2
"""From the mean step between neighbouring samples of white noise to its standard deviation."""


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """Quantities of the pulses that can be prepared, each of shape (pulse,); see :class:`measure.Measured`."""

    height: NDArray[np.float64]
    spread: NDArray[np.float64]
    extreme: NDArray[np.float64]
    edge: NDArray[np.int64]
    residual: NDArray[np.float64]


def learn_domain(
    samples: NDArray[Any],
    preparation: Preparation,
    *,
    adc_bits: int | None = None,
    false_alarms: float = FALSE_ALARMS,
    photons: Photons | Literal["learn"] | None = "learn",
) -> Domain | None:
    """Learn the domain of a model of one channel.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample) or (pulse, 1, sample)
        Raw pulses that the model was trained and judged on, as it saw them: distorted ones too, if it saw such.
    preparation : Preparation
        Of the model.
    adc_bits : int, optional
        The ADC gives 0 to 2**adc_bits - 1.
    false_alarms : float
        Share of pulses like these beyond each side of each limit, at most.
    photons : Photons, "learn" or None
        How much light they have for their height, where not all of these pulses are as digitised; by default it is
        learnt from them. None: it cannot be known, as of piled-up pulses.

    Returns
    -------
    Domain or None
        None where it cannot be known: for a model of several channels or without a baseline window, and for fewer than
        :data:`FEWEST_PULSES` pulses that can be prepared.
    """
    if not has_domain(preparation):
        return None
    samples = samples[:: max(1, -(-len(samples) // MOST_PULSES))]
    some = measure(samples[:: max(1, len(samples) // MOST_FOR_SHAPE)], preparation)
    if np.count_nonzero(some.valid & (some.height_adc > 0)) < FEWEST_PULSES:
        return None
    shape = shape_of(some.shape[some.valid & (some.height_adc > 0)])
    empty = _without_ranges(shape, false_alarms=false_alarms, rail_adc=no_rail(preparation))
    seen = _seen(samples, preparation, empty)
    low = lower_limit(seen.height, false_alarms) or float(seen.height[seen.height > 0].min())
    return replace(
        empty,
        height_adc=(_rounded(low / SEEN_MARGIN), _rounded(float(seen.height.max()) * SEEN_MARGIN)),
        quiet_adc=_rounded(_quiet_adc(samples, preparation)),
        rail_adc=_rail_adc(samples, seen, preparation, adc_bits=adc_bits, share=false_alarms),
        ranges=_ranges(seen, low, false_alarms, preparation.window_length),
        n_pulses=len(seen.height),
        photons=learn_photons([samples], preparation) if photons == "learn" else photons,
    )


def has_domain(preparation: Preparation) -> bool:
    """Tell whether a domain can be known: of one channel with a baseline window."""
    return preparation.n_channels == 1 and preparation.only.baseline_start < preparation.only.baseline_stop


def _without_ranges(shape: Shape, *, false_alarms: float, rail_adc: float) -> Domain:
    return Domain(
        height_adc=(1.0, 1.0),
        quiet_adc=0.0,
        rail_adc=rail_adc,
        ranges=(HeightRange(from_adc=0.0, spread_adc=(0.0, 0.0), edge=(-1, 0), residual=(0.0, 0.0)),),
        rows=shape.rows,
        mean=tuple(map(_rounded, shape.mean)),
        weight=tuple(map(_rounded, shape.weight)),
        components=tuple(tuple(map(_rounded, component)) for component in shape.components),
        false_alarms=false_alarms,
        n_pulses=0,
    )


def _seen(samples: NDArray[Any], preparation: Preparation, domain: Domain) -> _Seen:
    parts = []
    for start in range(0, len(samples), BATCH_PULSES):
        one = measure(samples[start : start + BATCH_PULSES], preparation)
        quantities = (one.height_adc, one.spread_adc, one.extreme_adc, one.edges(), residuals(one.shape, domain))
        parts.append([values[one.valid] for values in quantities])
    return _Seen(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _quiet_adc(samples: NDArray[Any], preparation: Preparation) -> float:
    """Return how far noise alone may spread, in ADC counts."""
    channel = preparation.only
    some = samples[:: max(1, len(samples) // MOST_FOR_SHAPE), ..., channel.baseline_start : channel.baseline_stop]
    step = np.abs(np.diff(some.reshape(len(some), -1).astype(np.float64), axis=1)).mean(axis=0)
    # Where a pulse lies in the window, the steps are large at its places, but seldom at three quarters of all places.
    noise = float(np.quantile(step, 0.25)) * _STD_OF_MEAN_STEP if len(step) else 0.0
    return max(QUIET_COUNTS if samples.dtype.kind in "iu" else 0.0, QUIET_SIGMA * noise)


def _rail_adc(
    samples: NDArray[Any], seen: _Seen, preparation: Preparation, *, adc_bits: int | None, share: float
) -> float:
    """Return the sample that clipped pulses reach, infinity where it is not known or is nothing new to the model."""
    polarity = preparation.only.polarity
    if samples.dtype.kind not in "iu" or samples.min() < 0 or (polarity > 0 and adc_bits is None):
        return no_rail(preparation)
    rail = float(2 ** (adc_bits or 0) - 1) if polarity > 0 else 0.0
    clipped = polarity * seen.extreme >= polarity * rail - HALF
    return no_rail(preparation) if clipped.mean() > share else rail


def _ranges(seen: _Seen, low: float, share: float, n_samples: int) -> tuple[HeightRange, ...]:
    highest = float(seen.height.max())
    factor = max(RANGE_FACTOR, (highest / low) ** (1 / MOST_RANGES))
    n_bounds = min(MOST_RANGES - 1, max(0, math.ceil(math.log(highest / low, factor)) - 1))
    begins = [0.0]
    for bound in (_rounded(low * factor**number) for number in range(1, n_bounds + 1)):
        n_below = np.count_nonzero((seen.height >= begins[-1]) & (seen.height < bound))
        if n_below >= FEWEST_IN_RANGE and np.count_nonzero(seen.height >= bound) >= FEWEST_IN_RANGE:
            begins.append(bound)
    ends = [*begins[1:], math.inf]
    return tuple(
        _range(seen, begin, (seen.height >= begin) & (seen.height < end), share, n_samples)
        for begin, end in zip(begins, ends, strict=True)
    )


def _range(seen: _Seen, begin: float, there: NDArray[np.bool_], share: float, n_samples: int) -> HeightRange:
    spread, residual = seen.spread[there], seen.residual[there]
    first, last = edge_limits(seen.edge[there], share)
    return HeightRange(
        from_adc=begin,
        spread_adc=(_rounded(lower_limit(spread, share)), _rounded(upper_limit(spread, share))),
        edge=(max(-1, first - 1), min(last, n_samples - 1)),
        residual=(_rounded(lower_limit(residual, share)), _rounded(upper_limit(residual, share))),
    )


def _rounded(value: float) -> float:
    """Return a number as float32 holds it, which is what the frozen file does."""
    return float(np.float32(value))
