"""What hits a model of many channels was trained on: what is unlike them gets no position in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import IntFlag
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.network.preparation import Preparation
from discrimen.pulses.hits import Hits

DOMAIN_KEY = "hits_domain"
"""Where the provenance of a model keeps it."""
END_SAMPLES = 5
"""The last samples of a record, by when transients are over."""
NET_SHARE = 0.1
"""A segment that collects this share of the charge of the reference holds net charge."""
NET_SIGMA = 5.0
"""And so many standard deviations of the noise."""
_RARE = 5e-3
"""What so small a share of the training has is not known."""
_SEEN_MARGIN = 1.1
_SPREAD_OF_STEP = np.sqrt(2.0)


class PositionFlag(IntFlag):
    """Why a hit has no position, or what is unlike the training; bits of the column ``flags``."""

    NO_REFERENCE = 0x1
    MISSING_CHANNELS = 0x2
    SEVERAL_SEGMENTS = 0x4
    TOO_LOW = 0x8
    TOO_HIGH = 0x10
    UNPREPARED = 0x20
    UNLIKE_SIGNALS = 0x40


FLAG_WORDS: Mapping[PositionFlag, str] = {
    PositionFlag.NO_REFERENCE: "without the channel that time and gain are taken from",
    PositionFlag.MISSING_CHANNELS: "without channels that were there in the training",
    PositionFlag.SEVERAL_SEGMENTS: "with net charge in more segments than in the training",
    PositionFlag.TOO_LOW: "lower than the training",
    PositionFlag.TOO_HIGH: "higher than the training",
    PositionFlag.UNPREPARED: "which cannot be prepared",
    PositionFlag.UNLIKE_SIGNALS: "unlike every signal of the basis",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HitsDomain:
    """Limits of the hits of a training.

    Parameters
    ----------
    level_adc : tuple of float
        Least and largest charge of the reference, the mean of its last samples above the baseline, in ADC counts.
    most_net : int
        In how many channels beside the reference there was net charge, at most.
    may_miss : tuple of str
        Channels that were absent from hits of the training.
    most_missing : int
        How many were absent at once, at most.
    n_hits : int
        That the limits come from.
    """

    level_adc: tuple[float, float]
    most_net: int
    may_miss: tuple[str, ...]
    most_missing: int
    n_hits: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return asdict(self) | {"level_adc": list(self.level_adc), "may_miss": list(self.may_miss)}

    @classmethod
    def of_model(cls, provenance: Mapping[str, Any]) -> HitsDomain | None:
        """Read it from the provenance of a model; None for a model that keeps none.

        Raises
        ------
        SettingsError
            If it is damaged.
        """
        if DOMAIN_KEY not in provenance:
            return None
        try:
            given = dict(provenance[DOMAIN_KEY])
            low, high = map(float, given.pop("level_adc"))
            return cls(level_adc=(low, high), may_miss=tuple(given.pop("may_miss")), **given)
        except (TypeError, KeyError, ValueError) as error:
            raise SettingsError(f"this is no domain of a model of hits: {error}") from error

    def flags(self, hits: Hits, preparation: Preparation) -> NDArray[np.uint16]:
        """Return in what each hit is unlike the training, bits of :class:`PositionFlag`, shape (hit,).

        Parameters
        ----------
        hits : Hits
            In the order of the model's channels.
        preparation : Preparation
            Of the model.
        """
        found = _Found.of(hits, preparation)
        level = found.level[:, found.reference]
        names = np.array(preparation.channel_names)
        strange = found.missing & ~np.isin(names, self.may_miss)
        strange[:, found.reference] = False
        too_many = (found.missing.sum(axis=1) > max(self.most_missing, 0)) | strange.any(axis=1)
        bits = {
            PositionFlag.NO_REFERENCE: found.missing[:, found.reference],
            PositionFlag.MISSING_CHANNELS: too_many & ~found.missing[:, found.reference],
            PositionFlag.SEVERAL_SEGMENTS: found.n_net > self.most_net,
            PositionFlag.TOO_LOW: level < self.level_adc[0],
            PositionFlag.TOO_HIGH: level > self.level_adc[1],
        }
        flags = np.zeros(len(hits), np.uint16)
        for bit, there in bits.items():
            flags[there] |= np.uint16(bit)
        return flags


def dead_channels(hits: Hits, before: slice) -> NDArray[np.bool_]:
    """Return which channels hold one value from beginning to end, in hits whose other channels have noise.

    None of hits that say which channels are there. Signals without noise may have such traces far away from the charge;
    of those nothing is taken for dead.

    Parameters
    ----------
    hits : Hits
        In the order of the model's or the basis' channels.
    before : slice
        Samples before the rise.

    Returns
    -------
    ndarray of bool, shape (hit, channel)
    """
    dead = np.zeros(hits.samples.shape[:2], np.bool_)
    if hits.present is not None:
        return dead
    baseline = hits.samples[:, :, before]
    still = (baseline == baseline[:, :, :1]).all(axis=2)
    row, channel = np.nonzero(still & (2 * still.sum(axis=1) <= hits.n_channels)[:, np.newaxis])
    traces = hits.samples[row, channel]
    dead[row, channel] = (traces == traces[:, :1]).all(axis=1)
    return dead


def unlike_training(
    hits: Hits, preparation: Preparation, domain: HitsDomain | None
) -> tuple[NDArray[np.uint16], NDArray[np.bool_] | None]:
    """Return the flags of hits, and which channels are there as the model may be told.

    A model that knows no domain flags what it cannot take at all.

    Parameters
    ----------
    hits : Hits
        In the order of the model's channels.
    preparation : Preparation
        Of the model.
    domain : HitsDomain or None
        Of the model.
    """
    if domain is None:
        flags = np.zeros(len(hits), np.uint16)
        if hits.present is not None:
            flags[~hits.present[:, preparation.reference or 0]] |= np.uint16(PositionFlag.NO_REFERENCE)
    else:
        flags = domain.flags(hits, preparation)
    if hits.present is not None and not preparation.masked:
        flags[~hits.present.all(axis=1) & (flags == 0)] |= np.uint16(PositionFlag.MISSING_CHANNELS)
    return flags, hits.present if preparation.masked else None


def learn_hits_domain(hits: Hits, preparation: Preparation) -> HitsDomain:
    """Learn the limits of hits that a model is trained on.

    Parameters
    ----------
    hits : Hits
        In the order of the model's channels.
    preparation : Preparation
        Of the model; it names the reference.
    """
    found = _Found.of(hits, preparation)
    there = ~found.missing[:, found.reference]
    level = found.level[there, found.reference]
    n_missing = found.missing[there].sum(axis=1)
    names = np.array(preparation.channel_names)
    return HitsDomain(
        level_adc=(float(level.min()) / _SEEN_MARGIN, float(level.max()) * _SEEN_MARGIN),
        most_net=max(1, int(np.quantile(found.n_net[there], 1 - _RARE, method="lower"))),
        may_miss=tuple(map(str, names[found.missing[there].any(axis=0)])),
        most_missing=int(n_missing.max()),
        n_hits=int(there.sum()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What is measured of hits: levels and absence (hit, channel), net charges (hit,)."""

    reference: int
    level: NDArray[np.float64]
    missing: NDArray[np.bool_]
    n_net: NDArray[np.int64]

    @classmethod
    def of(cls, hits: Hits, preparation: Preparation) -> _Found:
        reference = preparation.reference or 0
        channel = preparation.channels[reference]
        polarity = np.array([each.polarity for each in preparation.channels])
        before = hits.samples[:, :, channel.baseline_start : channel.baseline_stop]
        n_before = before.shape[2]
        level = polarity * (_mean(hits.samples[:, :, -END_SAMPLES:]) - _mean(before))
        missing = dead_channels(hits, slice(channel.baseline_start, channel.baseline_stop))
        missing |= False if hits.present is None else ~hits.present
        noise_of_level = _noise(before, ~missing) * np.sqrt(1 / END_SAMPLES + 1 / n_before)
        # A charge of either sign is a net charge: electrons and holes are collected by different contacts.
        limit = np.maximum(NET_SHARE * np.abs(level[:, reference]), NET_SIGMA * noise_of_level)
        net = (np.abs(level) > limit[:, np.newaxis]) & ~missing
        net[:, reference] = False
        return cls(reference, level, missing, net.sum(axis=1))


def _mean(samples: NDArray[Any]) -> NDArray[np.float64]:
    """Return means over the samples; sums of integers are exact, and quick by `einsum`, which makes no copy."""
    short = samples.dtype.itemsize <= 2 and samples.shape[2] < 2**15
    kind = (np.int32 if short else np.int64) if samples.dtype.kind in "iu" else np.float64
    mean: NDArray[np.float64] = np.einsum("hcs->hc", samples, dtype=kind) / samples.shape[2]
    return mean


def _noise(before: NDArray[Any], there: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the standard deviation of a sample, shape (hit,), from the steps before the rise in all channels."""
    if before.shape[2] < 2:
        return np.zeros(len(before))
    step = np.subtract(before[:, :, 1:], before[:, :, :-1], dtype=np.float32)
    squares = np.einsum("hcs,hcs->hc", step, step, dtype=np.float32)
    square = np.einsum("hc,hc->h", squares, there.astype(np.float32), dtype=np.float32)
    n_steps = np.maximum(there.sum(axis=1), 1) * step.shape[2]
    noise: NDArray[np.float64] = np.sqrt(square / n_steps) / _SPREAD_OF_STEP
    return noise
