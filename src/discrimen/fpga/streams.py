"""Streams of pulses as the ADC gives them, made of separate records, and the windows that the chip finds in them.

The chip sees no records: it takes baseline and alignment from the stream. A network must be trained on these, and
judged on them. Each record is turned so that its end, where the tail of the pulse has ended, comes before the pulse:
this is the stretch of baseline that the chip needs, with the noise and the pedestal of the very record. The turned
records then lie one after the other. At the joints, where the pedestal may step, nothing arms: each record is to the
chip as a stream of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.fpga.front_end import FrontEnd
from discrimen.pulses import Pulses

_BLOCK_RECORDS = 4096
_MOST_CUT = 0.05


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PulseWindows:
    """Windows of the pulses of records, at most one a record, and what became of the other records.

    Parameters
    ----------
    values : ndarray of int32, shape (window, sample)
        What the network sees.
    pulse : ndarray of int64, shape (window,)
        Which record each came from.
    position : ndarray of int64, shape (window,)
        Trigger sample in the record, before it was turned.
    n_pulses : int
        Records in all.
    n_cut : int
        Windows that reach beyond the end of their record, left out.
    n_later : int
        Further windows of a record that has one already, left out.
    """

    values: NDArray[np.int32]
    pulse: NDArray[np.int64]
    position: NDArray[np.int64]
    n_pulses: int
    n_cut: int
    n_later: int

    def __len__(self) -> int:
        return len(self.values)

    @property
    def share(self) -> float:
        """Share of the records that gave a window."""
        return len(self) / self.n_pulses if self.n_pulses else 0.0

    def positions(self) -> dict[int, float]:
        """Return the share of the windows with each trigger sample, the most frequent first."""
        position, count = np.unique(self.position, return_counts=True)
        order = np.argsort(-count, kind="stable")
        return {int(position[i]): float(count[i] / len(self)) for i in order}


def lead_in(front_end: FrontEnd) -> int:
    """Return how many samples of baseline the front end needs before a pulse: mean, gap, and the window's beginning."""
    return front_end.settling


def turned_stream(samples: NDArray[Any], *, front_end: FrontEnd) -> NDArray[Any]:
    """Lay records one after the other, each with its last samples first.

    Parameters
    ----------
    samples : ndarray of int, shape (pulse, sample)
        Records as digitised.
    front_end : FrontEnd
        Tells how many samples are put to the front.

    Returns
    -------
    ndarray of int, shape (pulse x sample,)
    """
    return np.roll(samples, lead_in(front_end), axis=1).reshape(-1)


def windows_of_pulses(pulses: Pulses, front_end: FrontEnd) -> PulseWindows:
    """Compute what the chip makes of the pulses of records.

    Parameters
    ----------
    pulses : Pulses
        Records of the ADC of the front end.
    front_end : FrontEnd
        Of the chip.

    Raises
    ------
    DataError
        If the samples are no whole numbers of the ADC, or the records are too short for window and baseline.
    """
    samples = pulses.samples
    n_samples, moved = samples.shape[1], lead_in(front_end)
    least = moved + front_end.length
    if n_samples < least:
        raise DataError(
            f"records of {n_samples} samples are too short for the chip: expected at least {least}, of which "
            f"{front_end.length} for the window and {moved} for baseline, gap and beginning; use longer records "
            "(simulate --digitizer NUMEXO2-NEDA gives 232) or a shorter window"
        )
    found = [_block(samples[start : start + _BLOCK_RECORDS], start, front_end) for start in _starts(len(samples))]
    kept = PulseWindows(
        values=np.concatenate([part.values for part in found] or [np.zeros((0, front_end.length), np.int32)]),
        pulse=np.concatenate([part.pulse for part in found] or [np.zeros(0, np.int64)]),
        position=np.concatenate([part.position for part in found] or [np.zeros(0, np.int64)]),
        n_pulses=len(samples),
        n_cut=sum(part.n_cut for part in found),
        n_later=sum(part.n_later for part in found),
    )
    if kept.n_cut > _MOST_CUT * max(kept.n_pulses, 1):
        raise DataError(
            f"{kept.n_cut} of {kept.n_pulses} windows reach beyond the end of their records of {n_samples} samples, "
            f"of which {moved} serve as baseline: use longer records or a shorter window than {front_end.length}"
        )
    return kept


def _starts(n_records: int) -> range:
    return range(0, n_records, _BLOCK_RECORDS)


def _block(samples: NDArray[Any], first: int, front_end: FrontEnd) -> PulseWindows:
    """Windows of a few records; `first` is the number of the first."""
    n_samples, moved = samples.shape[1], lead_in(front_end)
    stream = turned_stream(samples, front_end=front_end)
    # Behind the last record its own beginning: a stretch of baseline in which a window may end.
    stream = np.concatenate([stream, stream[-n_samples:][: front_end.length]])
    found = front_end.windows(stream, gate=np.arange(len(stream)) % n_samples >= moved)
    record, place = np.divmod(found.trigger, n_samples)
    inside = record < len(samples)
    cut = inside & (place - front_end.before + front_end.length > n_samples)
    whole = np.flatnonzero(inside & ~cut)
    _, leading = np.unique(record[whole], return_index=True)
    chosen = whole[leading]
    return PulseWindows(
        values=found.values[chosen],
        pulse=record[chosen] + first,
        position=place[chosen] - moved,
        n_pulses=len(samples),
        n_cut=int(cut.sum()),
        n_later=len(whole) - len(chosen),
    )
