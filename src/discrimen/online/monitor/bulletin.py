"""Bulletins: what a stream tells a monitor twice a second, in the bytes of one message.

A bulletin has eight parts (frames of ZeroMQ), little-endian: the mark ``DSCMONI`` with a version byte; JSON with counts
since the stream began (so that a lost bulletin loses no count) and what was measured since the last bulletin; JSON that
describes the model; then a few pulses as an example of all: their columns as in :mod:`~discrimen.online.message`,
scores float32 (pulse, class), classes i8, bits of what is unlike the training u16, samples of the first channel (pulse,
sample).
Scores, classes and bits are empty where the model does not give them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.online.message import PULSE_COLUMNS, SAMPLE_TYPES

MARK = b"DSCMONI\1"
MOST_PULSES = 2**16
"""Of one bulletin."""

COUNTED = ("n_pulses", "n_neutron", "n_other", "n_unscored", "n_saturated", "n_pile_up")
"""What is counted of each channel: neutrons, other classes, pulses without a score, and the digitizer's flags."""

_N_PARTS = 8
_MOST_CHANNELS = 4096
_LARGEST = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The figures of a bulletin.

    Parameters
    ----------
    instance : int
        A number that a stream draws when it begins.
    number : int
        Of the bulletin, from 0.
    seconds : float
        Since the stream began.
    n_messages, n_pulses : int
        That came.
    n_counted : int
        Pulses that were counted by channel: all, unless that took too long.
    channels : sequence of [board, channel, one for each of COUNTED]
        What was counted.
    n_garbage, n_repeated, n_lost, missing_ps, overlap_ps : int
        See :class:`~discrimen.online.delivery.Ledger`, of all sources together.
    refused : mapping of str to int
        See :class:`~discrimen.online.scorer.Scorer`.
    latency_ms : sequence of float
        Of the messages since the last bulletin, from their arrival until they are kept: median, 90 % and 99 % quantile,
        and the longest; empty if there were none.
    n_waiting : int
        Messages that were under way between arrival and receipt, at most.
    busy : float
        Share of the time since the last bulletin in which pulses were scored.
    watching : float
        Share of it that was spent on the bulletins.
    is_ended : bool
        Whether it is the last one.
    n_samples, sample_type : int
        Of the pulses of this bulletin; the type as in :data:`~discrimen.online.message.SAMPLE_TYPES`.
    sample_period_ns : float
        Of them.
    """

    instance: int
    number: int
    seconds: float
    n_messages: int = 0
    n_pulses: int = 0
    n_counted: int = 0
    channels: Sequence[Sequence[int]] = ()
    n_garbage: int = 0
    n_repeated: int = 0
    n_lost: int = 0
    missing_ps: int = 0
    overlap_ps: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    latency_ms: Sequence[float] = ()
    n_waiting: int = 0
    busy: float = 0.0
    watching: float = 0.0
    is_ended: bool = False
    n_samples: int = 0
    sample_type: int = 1
    sample_period_ns: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examples:
    """A few pulses with their results; shapes (pulse,), of scores (pulse, class), of samples (pulse, sample)."""

    columns: NDArray[Any]
    scores: NDArray[np.float32]
    numbers: NDArray[np.int8]
    outside: NDArray[np.uint16]
    samples: NDArray[Any]

    def __len__(self) -> int:
        return len(self.columns)


@dataclass(frozen=True, slots=True, eq=False)
class Bulletin:
    """What a stream tells: figures, the model (as JSON), and a few pulses."""

    told: Told
    model: bytes
    examples: Examples

    def frames(self) -> list[Any]:
        """Return its parts."""
        given = self.examples
        arrays = (given.columns, given.scores, given.numbers, given.outside, given.samples)
        figures = {name: getattr(self.told, name) for name in Told.__dataclass_fields__}
        told = json.dumps(figures, allow_nan=False).encode()
        return [MARK, told, self.model, *(np.ascontiguousarray(each) for each in arrays)]


def no_examples() -> Examples:
    """Return no pulses."""
    return Examples(
        columns=np.empty(0, PULSE_COLUMNS),
        scores=np.empty((0, 0), np.float32),
        numbers=np.empty(0, np.int8),
        outside=np.empty(0, np.uint16),
        samples=np.empty((0, 0), np.uint16),
    )


def read_bulletin(frames: Sequence[bytes]) -> Bulletin:
    """Check what came, and take it apart.

    Raises
    ------
    DataError
        If it is no bulletin of this layout, or contradicts itself.
    """
    if not frames or frames[0] != MARK:
        raise DataError(
            f"expected a bulletin that begins with {MARK!r}, got {bytes(frames[0][:8]) if frames else b''!r}"
        )
    if len(frames) != _N_PARTS:
        raise DataError(f"expected {_N_PARTS} parts of a bulletin, got {len(frames)}")
    told = _told(frames[1])
    return Bulletin(told, bytes(frames[2]), _examples(told, frames[3:]))


def _told(content: bytes) -> Told:
    try:
        values = json.loads(content)
        told = Told(**values)
        numbers = [getattr(told, name) for name in Told.__dataclass_fields__ if name not in _NOT_NUMBERS]
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError(f"the figures of a bulletin cannot be read: {error}") from error
    if not all(isinstance(each, int | float) and 0 <= each < _LARGEST for each in numbers):
        raise DataError("the figures of a bulletin are no numbers, below 0 or too large")
    rows = told.channels
    if not isinstance(rows, list) or len(rows) > _MOST_CHANNELS or not all(map(_is_row, rows)):
        raise DataError(f"expected for each channel (at most {_MOST_CHANNELS}) {len(COUNTED) + 2} whole numbers")
    if not isinstance(told.refused, dict) or not _are_numbers(list(told.refused.values())):
        raise DataError("expected numbers of refused pulses by reason")
    if not _are_numbers(told.latency_ms) or len(told.latency_ms) not in (0, 4):
        raise DataError("expected four latencies, or none")
    return told


_NOT_NUMBERS = ("channels", "refused", "latency_ms", "is_ended")


def _are_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(each, int | float) and 0 <= each < _LARGEST for each in values)


def _is_row(row: Any) -> bool:
    return (
        isinstance(row, list)
        and len(row) == len(COUNTED) + 2
        and all(isinstance(each, int) and 0 <= each < _LARGEST for each in row)
    )


def _examples(told: Told, parts: Sequence[bytes]) -> Examples:
    n_pulses, rest = divmod(len(parts[0]), PULSE_COLUMNS.itemsize)
    if rest or n_pulses > MOST_PULSES:
        raise DataError(f"{len(parts[0])} bytes are no columns of at most {MOST_PULSES} pulses")
    if not isinstance(told.sample_type, int) or told.sample_type >= len(SAMPLE_TYPES):
        raise DataError(f"there is no type {told.sample_type} of samples")
    samples_type = SAMPLE_TYPES[told.sample_type]
    allowed = (
        {4 * n_pulses * n_classes for n_classes in range(9)},
        {0, n_pulses},
        {0, 2 * n_pulses},
        {n_pulses * int(told.n_samples) * samples_type.itemsize},
    )
    for number, (part, lengths) in enumerate(zip(parts[1:], allowed, strict=True), start=4):
        if len(part) not in lengths:
            raise DataError(f"part {number} of a bulletin of {n_pulses} pulses has {len(part)} bytes")
    scores = np.frombuffer(parts[1], "<f4")
    return Examples(
        columns=np.frombuffer(parts[0], PULSE_COLUMNS),
        scores=scores.reshape(n_pulses, len(scores) // n_pulses if n_pulses else 0),
        numbers=np.frombuffer(parts[2], np.int8),
        outside=np.frombuffer(parts[3], "<u2"),
        samples=np.frombuffer(parts[4], samples_type).reshape(n_pulses, int(told.n_samples)),
    )
