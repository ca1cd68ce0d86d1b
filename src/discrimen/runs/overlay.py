"""Piled-up records of which the parts are known, made of the single pulses of a real run.

Each is a recorded pulse, with the noise and the baseline that it came with, and on it another pulse of the run, clean,
at a later time. Nothing is simulated: what the detector, its electronics and the digitizer do to a pulse is in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.pulses import PulseFlag, Pulses
from discrimen.runs.single_pulses import Singles

_STRETCHES = 10
_BLOCK_RECORDS = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayOptions:
    """What to make.

    Parameters
    ----------
    n_records : int
        How many.
    pileup_fraction : float
        Share of records with a second pulse; the others are records of the run as they are.
    delay_min_ns, delay_max_ns : float or None
        Shortest delay of the second, below 0 for pulses too low to trigger that come before the first (never in the
        baseline window), and the longest; by default from 0 to the end of the record. All delays are as frequent.
    gain_min : float
        Second pulses are made lower, by factors from this to 1 whose logarithms are as frequent: what does not trigger
        is not among the single pulses of a run. At 1 they stay as they are.
    share : (float, float)
        Part of the run to take pulses from: 0 is its beginning, 1 its end.
    seed : int
        The same seed gives the same records.
    """

    n_records: int = 20_000
    pileup_fraction: float = 1.0
    delay_min_ns: float = 0.0
    delay_max_ns: float | None = None
    gain_min: float = 1.0
    share: tuple[float, float] = (0.0, 1.0)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_records < 1:
            raise SettingsError(f"at least one record must be made, got {self.n_records}")
        if not 0 <= self.pileup_fraction <= 1:
            raise SettingsError(f"the share of piled-up records lies between 0 and 1, got {self.pileup_fraction}")
        if not 0 <= self.share[0] < self.share[1] <= 1:
            raise SettingsError(
                f"the part of the run goes from a share to a larger one, between 0 and 1, got {self.share[0]:g} to "
                f"{self.share[1]:g}"
            )
        longest = np.inf if self.delay_max_ns is None else self.delay_max_ns
        if not (np.isfinite(self.delay_min_ns) and self.delay_min_ns < longest and longest > 0):
            raise SettingsError(
                f"delays go from a shorter one to a longer one above 0, got {self.delay_min_ns:g} to {longest:g} ns"
            )
        if not 0 < self.gain_min <= 1:
            raise SettingsError(f"the least factor of second pulses lies above 0 and up to 1, got {self.gain_min}")


def overlaid(singles: Singles, options: OverlayOptions) -> Iterator[tuple[Pulses, Pulses]]:
    """Lay single pulses over each other, block by block.

    Pulses are taken from one stretch of the run, a tenth of it, and the column `run` is its number: so records that
    teach a network and those that judge it have no pulse in common, where runs stay together.

    Yields
    ------
    records, components : Pulses
        As the digitizer would have recorded them; each pulse on its own, clean, see
        :mod:`discrimen.runs.components`.
    """
    rng = np.random.default_rng([options.seed, 11])
    n_single = len(singles.pulses)
    stretch = np.minimum(np.arange(n_single) * _STRETCHES // n_single, _STRETCHES - 1)
    begin = np.searchsorted(stretch, np.arange(_STRETCHES + 1))
    for start in range(0, options.n_records, _BLOCK_RECORDS):
        n_made = min(_BLOCK_RECORDS, options.n_records - start)
        first = rng.integers(0, n_single, n_made)
        low, high = begin[stretch[first]], begin[stretch[first] + 1]
        second = low + (first - low + 1 + (rng.random(n_made) * (high - low - 1)).astype(np.int64)) % (high - low)
        delay = _delays(singles, first, options, rng)
        double = rng.random(n_made) < options.pileup_fraction
        gain = np.exp(np.log(options.gain_min) * rng.random(n_made))
        pairs = _Pairs(first=first, second=np.where(double, second, -1), delay=delay, gain=gain.astype(np.float32))
        yield _made(singles, pairs, entry=np.arange(start, start + n_made), run=stretch)


def _delays(
    singles: Singles, first: NDArray[np.int64], options: OverlayOptions, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw delays in samples, from the shortest one to the longest, outside the baseline window and in the record."""
    crossing, period_ns = singles.shapes.crossing[first], singles.preparation.sample_period_ns
    edge = max(1.0, float(np.median(singles.shapes.waveforms.argmax(axis=1)) - np.median(singles.shapes.crossing)))
    earliest = np.minimum(singles.preparation.only.baseline_stop + edge - crossing, 0)
    low = np.maximum(earliest, options.delay_min_ns / period_ns)
    high = np.maximum(singles.pulses.n_samples - np.ceil(crossing), low + 1)
    if options.delay_max_ns is not None:
        high = np.maximum(np.minimum(high, options.delay_max_ns / period_ns + 1), low + 1)
    return np.asarray(np.floor(low + rng.random(len(first)) * (high - low)).astype(np.int64))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Pairs:
    """Which single pulse lies on which, shape (record,): -1 is none; delays in samples."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    delay: NDArray[np.int64]
    gain: NDArray[np.float32]


def _made(
    singles: Singles, pairs: _Pairs, *, entry: NDArray[np.int64], run: NDArray[np.int64]
) -> tuple[Pulses, Pulses]:
    shapes, source = singles.shapes, singles.pulses
    first, second, delay = pairs.first, pairs.second, pairs.delay
    polarity, period_ns = singles.preparation.only.polarity, singles.preparation.sample_period_ns
    double = np.flatnonzero(second >= 0)
    # Both crossings lie where the first one and the delay say, to a sample.
    later = np.rint(shapes.crossing[first] - shapes.crossing[np.maximum(second, 0)]).astype(np.int64) + delay
    added = shapes.placed(second[double], later[double]) * pairs.gain[double, np.newaxis]
    records = source.samples[first].astype(np.float64)
    records[double] += polarity * added
    samples, flags = _digitised(records, source, singles.adc_bits)
    common: dict[str, NDArray[Any]] = {"entry": entry, "run": run[first].astype(np.int32), **_places(source, first)}
    made = Pulses(samples=samples, sample_period_ns=period_ns, flags=flags, **common, **_known(source, first, 1.0))
    alone = shapes.placed(first, np.zeros_like(first))
    parent = np.concatenate([np.arange(len(first)), double])
    part = np.repeat(np.array([0, 1], np.int8), [len(first), len(double)])
    order = np.lexsort((part, parent))
    owner = np.concatenate([first, second[double]])[order]
    waves = np.concatenate([alone, added])[order]
    baseline = singles.baseline_adc[first[parent[order]], np.newaxis]
    components = Pulses(
        samples=(baseline + polarity * waves).astype(np.float32),
        sample_period_ns=period_ns,
        part=part[order],
        time_offset_ns=np.concatenate([np.zeros(len(first)), delay[double] * period_ns])[order],
        **{name: values[parent[order]] for name, values in common.items()},
        **_known(source, owner, np.concatenate([np.ones(len(first), np.float32), pairs.gain[double]])[order]),
    )
    return made, components


def _digitised(
    records: NDArray[np.float64], source: Pulses, adc_bits: int | None
) -> tuple[NDArray[Any], NDArray[np.uint32]]:
    """Round to the type of the run, and cut off at the ends of the ADC's range, with the flag for that."""
    dtype = source.samples.dtype
    if dtype.kind == "f":
        return records.astype(dtype), np.zeros(len(records), np.uint32)
    limits = np.iinfo(dtype)
    low, high = (limits.min, limits.max) if adc_bits is None else (0, min(2**adc_bits - 1, limits.max))
    whole = np.rint(records)
    beyond = (whole.min(axis=1) < low) | (whole.max(axis=1) > high)
    return np.clip(whole, low, high).astype(dtype), np.where(beyond, PulseFlag.SATURATED_INPUT, 0).astype(np.uint32)


def _places(source: Pulses, at: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    columns = source.columns()
    return {name: columns[name][at] for name in ("board", "channel") if name in columns}


def _known(source: Pulses, at: NDArray[np.int64], gain: NDArray[np.float32] | float) -> dict[str, NDArray[Any]]:
    """Return class and light of pulses that were multiplied by a gain."""
    known: dict[str, NDArray[Any]] = {}
    if source.label is not None:
        known["label"] = source.label[at]
    if source.energy_kevee is not None:
        known["energy_kevee"] = source.energy_kevee[at] * gain
    return known
