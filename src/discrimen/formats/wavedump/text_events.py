"""Regular WaveDump text as arrays: events whose headers have the same lines, and equally many whole numbers each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.records import Records, regular_records

MARK = b"Record Length:"
LARGEST_NUMBER = 2**31 - 1
LARGEST_TAG = 2**32 - 1

_MOST_DIGITS = 10
_LEAST_SAMPLE_BYTES = 2
_HEADER_LINE = re.compile(rb"[ \t]*([A-Za-z][A-Za-z ()]*?)[ \t]*:[ \t]*(\S*)[ \t\r]*(?:\n|$)")


@dataclass(frozen=True, slots=True)
class Event:
    """One event: where it belongs, and its samples."""

    entry: int
    board: int
    channel: int
    tag: int
    samples: NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Events:
    """Events in the order of the file: where each belongs, shape (event,), and its samples.

    Parameters
    ----------
    entry, board, channel, tag : ndarray of int64, shape (event,)
    samples : sequence of ndarray, or ndarray of shape (event, sample)
    """

    entry: NDArray[np.int64]
    board: NDArray[np.int64]
    channel: NDArray[np.int64]
    tag: NDArray[np.int64]
    samples: Sequence[NDArray[np.generic]] | NDArray[np.uint16]

    def by_length(self) -> list[tuple[NDArray[np.intp], NDArray[np.generic]]]:
        """Return which events have each length, and their samples, shape (event, sample)."""
        if isinstance(self.samples, np.ndarray):
            return [(np.arange(len(self.samples)), self.samples)]
        lengths = np.array([len(one) for one in self.samples])
        chosen = [np.flatnonzero(lengths == length) for length in dict.fromkeys(lengths.tolist())]
        return [(rows, np.stack([self.samples[row] for row in rows.tolist()])) for rows in chosen]


def collected(events: Sequence[Event]) -> Events:
    """Put events together that were read one by one."""
    columns = zip(*((event.entry, event.board, event.channel, event.tag) for event in events), strict=True)
    entry, board, channel, tag = (np.array(column, dtype=np.int64) for column in columns)
    return Events(entry, board, channel, tag, [event.samples for event in events])


def parse_header(text: bytes) -> tuple[dict[bytes, bytes], bytes]:
    """Return the values of the header's lines and the text below them."""
    values: dict[bytes, bytes] = {}
    position = 0
    while (line := _HEADER_LINE.match(text, position)) and line.end() > position:
        values[line[1]] = line[2]
        position = line.end()
    return values, text[position:]


def regular_events(text: bytes) -> Events | None:
    """Read whole events that are all alike, counted from 0; None if anything differs from one to the next."""
    names, prefixes = _lines(text)
    place = {name: number for number, name in enumerate(names)}
    wanted = (b"Record Length", b"BoardID", b"Channel", b"Trigger Time Stamp")
    length = parse_header(text[: text.find(b"\n") + 1])[0].get(b"Record Length", b"")
    if not length.isdigit() or len(length) > _MOST_DIGITS or not set(wanted) <= set(names):
        return None
    # Anywhere else than at the beginning, the mark begins another event.
    if b"".join(prefixes).count(MARK) > 1 or len(place) < len(names):
        return None
    n_samples = int(length)
    most = len(text) // (_LEAST_SAMPLE_BYTES * n_samples + sum(map(len, prefixes)) + 1) + 1
    records = regular_records(text, prefixes=prefixes, field_end="\n", separator="\n", n_numbers=n_samples, most=most)
    if records is None:
        return None
    fields = [_whole(records, place[name], LARGEST_NUMBER) for name in wanted[:3]]
    fields.append(_whole(records, place[wanted[3]], LARGEST_TAG))
    lengths, board, channel, tag = fields
    if lengths is None or board is None or channel is None or tag is None or (lengths != n_samples).any():
        return None
    return Events(np.arange(len(records)), board, channel, tag, records.numbers)


def _lines(text: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the names of the lines of the first header, and what stands before their values."""
    names, prefixes, position = [], [], 0
    while (line := _HEADER_LINE.match(text, position)) and line.end() > position:
        names.append(line[1])
        prefixes.append(text[position : line.start(2)])
        position = line.end()
    return names, prefixes


def _whole(records: Records, place: int, largest: int) -> NDArray[np.int64] | None:
    """Return a field of all records, None unless all are plain numbers in range."""
    values = records.values[:, place]
    digits = records.stops[:, place] - records.starts[:, place]
    return values if ((values >= 0) & (values <= largest) & (digits <= _MOST_DIGITS)).all() else None
