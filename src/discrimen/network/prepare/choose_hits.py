"""A preparation for hits of many channels: one time and one gain for all, a window that ends just after the rise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.network.preparation import Alignment, Channel, Preparation, Scale
from discrimen.network.prepare.choose import PRETRIGGER_SHARE
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.hits import Hits

MOST_HITS = 5000
"""So many tell where the hits rise."""
_FIRST, _LAST = 0.1, 0.9
"""Shares of the height between which a hit rises."""
_BEGINS = 2
"""Samples that a hit may rise before it is at that first share."""
_BEFORE, _AFTER = 3, 3
"""Samples that the window begins before the earliest rise, and ends after the latest."""
_SURE = 0.75
"""Of the hits must rise, not fall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """Where hits rise, in samples of the record; nearly all of them.

    Parameters
    ----------
    first, last : int
        The earliest sample at a tenth of the height, and the latest at nine tenths.
    """

    first: int
    last: int


def rise_of(record: NDArray[Any], *, polarity: int, before: int) -> Rise:
    """Measure where the records of the reference channel rise, on the higher half of them.

    Parameters
    ----------
    record : ndarray, shape (hit, sample)
        Of the reference channel, as digitised.
    polarity : int
        +1 or -1.
    before : int
        So many first samples lie before the rise.

    Raises
    ------
    DataError
        If most of the hits do not rise.
    """
    some = record[:: max(1, len(record) // MOST_HITS)].astype(np.float64)
    above = polarity * (some - some[:, :before].mean(axis=1, keepdims=True))
    height = above.max(axis=1)
    rising = height > -above.min(axis=1)
    if rising.mean() < _SURE:
        raise DataError(
            f"{rising.mean():.0%} of the hits rise in the reference channel, and at least {_SURE:.0%} should: give "
            f"--polarity {'negative' if polarity > 0 else 'positive'}, or another --reference"
        )
    high = above[height >= np.median(height)]
    share = high / high.max(axis=1, keepdims=True)
    return Rise(
        first=int(np.quantile((share > _FIRST).argmax(axis=1), 0.005)),
        last=int(np.quantile((share > _LAST).argmax(axis=1), 0.995)),
    )


def choose_hits_preparation(
    hits: Hits,
    settings: DetectorSettings,
    *,
    reference: str,
    scale: Scale = "area",
    window: tuple[int, int] | None = None,
    alignment: Alignment | None = None,
) -> Preparation:
    """Describe how hits become network input.

    All channels have the gain of the reference, so that transients keep their sign and their size beside the charge
    that is collected; none is divided by its own peak.

    Parameters
    ----------
    hits : Hits
        Of the training; they tell where the rise lies.
    settings : DetectorSettings
        The sampling period must be known; pulses rise unless `polarity` says otherwise; the baseline window is
        measured where neither `baseline` nor `pretrigger_ns` is known.
    reference : str
        Name of the channel that time and gain are taken from, for example the core.
    scale : {"area", "peak", "none"}
        Of the window of the reference.
    window : tuple of int, optional
        First sample and length; by default from just before the earliest rise to just after the latest.
    alignment : Alignment, optional
        Lets the window follow the crossing of the reference.

    Raises
    ------
    SettingsError
        If the sampling period is not known, there is no such channel, or the window does not fit into the record.
    DataError
        If the hits do not rise, or rise too early for a baseline.
    """
    names = hits.channels or tuple(map(str, range(hits.n_channels)))
    if reference not in names:
        raise SettingsError(f"there is no channel '{reference}' to be the reference; there are: {', '.join(names)}")
    period_ns = hits.info.sample_period_ns or settings.sample_period_ns
    if period_ns is None:
        raise SettingsError("the sampling period is not known: give it with --sample-period-ns or in --settings")
    at = names.index(reference)
    there = slice(None) if hits.present is None else hits.present[:, at]
    polarity = -1 if settings.polarity == "negative" else 1
    rise = rise_of(hits.samples[there, at], polarity=polarity, before=max(2, hits.n_samples // 20))
    start, stop = _baseline(settings, period_ns, rise)
    begin, length = window or _window(rise, hits.n_samples, alignment)
    preparation = Preparation(
        sample_period_ns=period_ns,
        channels=tuple(
            Channel(name=name, polarity=polarity, baseline_start=start, baseline_stop=stop, window_start=begin)
            for name in names
        ),
        window_length=length,
        alignment=alignment,
        scale=scale,
        reference=at,
        masked=hits.present is not None,
    )
    if preparation.shortest_record > hits.n_samples:
        raise SettingsError(
            f"baseline and window reach to sample {preparation.shortest_record}, but the hits have {hits.n_samples}"
        )
    return preparation


def _baseline(settings: DetectorSettings, period_ns: float, rise: Rise) -> tuple[int, int]:
    if settings.baseline is not None:
        start = round(settings.baseline.start_ns / period_ns)
        return start, max(start + 1, round(settings.baseline.stop_ns / period_ns))
    before = rise.first - _BEGINS if settings.pretrigger_ns is None else settings.pretrigger_ns / period_ns
    stop = math.floor(PRETRIGGER_SHARE * before)
    if stop < 1:
        raise DataError(
            f"the hits rise from sample {rise.first} on, which leaves no baseline before them: give --baseline-ns "
            "START:STOP, or records that begin earlier"
        )
    return 0, stop


def _window(rise: Rise, n_samples: int, alignment: Alignment | None) -> tuple[int, int]:
    length = rise.last + 1 + _AFTER - max(0, rise.first - _BEFORE)
    if alignment is not None:  # counted from the crossing, which lies alignment.position into the window
        return 0, min(n_samples, max(length, alignment.position + 1 + _AFTER))
    begin = max(0, rise.first - _BEFORE)
    return begin, min(length, n_samples - begin)
