"""How one WaveDump `.dat` file is laid out: with or without event headers, words a header, bytes a sample.

The file has no magic number. Each event starts with its size in bytes, so a file is known by the chain that these
sizes make; the width of the samples follows from the sizes against RECORD_LENGTH and from the values themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError, SettingsError
from discrimen.formats.wavedump.config import WaveDumpConfig

HEADER_BYTES = 24
LARGEST_EVENT_BYTES = 64 * 2**20
"""An event that claims to be larger is damaged: no board has that much memory for one channel."""

_X742_HEADER_BYTES = 32
_X742_RECORD_LENGTHS = (1024, 520, 256, 136)
LARGEST_CHANNEL = 1023
BOARD_MASK = 0x1F
_EVENTS_TO_JUDGE = 16
_LEAST_BYTES_OF_8_BIT = 256
_BYTES_TO_JUDGE = 8192

EVENT_HEADER = np.dtype(
    [("size", "<u4"), ("board", "<u4"), ("pattern", "<u4"), ("channel", "<u4"), ("number", "<u4"), ("tag", "<u4")]
)
"""The six words before the samples of an event; an x742 of recent WaveDump adds DC offset and start cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLayout:
    """Layout of the events of one file.

    Parameters
    ----------
    header_bytes : int
        24, or 32 on x742 with recent WaveDump; 0 where the file has no headers.
    sample_bytes : int
        1 (8-bit boards), 2, or 4 (floating point, x742).
    event_bytes : int
        Size of the first event; of every event where the file has no headers.
    board_word, channel : int or None
        From the first event's header.
    """

    header_bytes: int
    sample_bytes: int
    event_bytes: int
    board_word: int | None = None
    channel: int | None = None

    @property
    def n_samples(self) -> int:
        """Samples in the first event."""
        return (self.event_bytes - self.header_bytes) // self.sample_bytes

    @property
    def sample_type(self) -> str:
        """Type of one sample, as NumPy writes it."""
        return {1: "u1", 2: "<u2", 4: "<f4"}[self.sample_bytes]

    def __str__(self) -> str:
        header = f"event headers of {self.header_bytes // 4} words" if self.header_bytes else "no event headers"
        kind = "floating-point" if self.sample_bytes == 4 else f"{8 * self.sample_bytes}-bit"
        return f"{header}, {kind} samples, {self.n_samples} in the first event"


def plausible_header(words: Sequence[int], *, board_word: int | None) -> bool:
    """Whether these words (size, board, pattern, channel) can begin the header of an event of this board."""
    size, board, _, channel = words[:4]
    known_board = board <= BOARD_MASK if board_word is None else board in (board_word, board & BOARD_MASK)
    return HEADER_BYTES <= size <= LARGEST_EVENT_BYTES and known_board and channel <= LARGEST_CHANNEL


def board_number(board_word: NDArray[Any]) -> NDArray[Any]:
    """Return the board's number: the low five bits of the header's word, as CAENDigitizer fills it."""
    return board_word & BOARD_MASK


def starts_a_chain(stream: BinaryIO, file_bytes: int) -> bool:
    """Whether the file starts with an event whose size leads to another event or to the end of the file."""
    events = _first_headers(stream, file_bytes, count=2)
    if not events:
        return False
    end = events[0][0] + events[0][1][0]
    return len(events) == 2 or end == file_bytes or (end < file_bytes < end + HEADER_BYTES)


def find_layout(
    stream: BinaryIO, path: Path, *, file_bytes: int, config: WaveDumpConfig | None, sample_bytes: int | None
) -> EventLayout:
    """Tell the layout of a file.

    Parameters
    ----------
    stream : binary stream
        The file, seekable.
    path : Path
        For messages.
    file_bytes : int
        Size of the file.
    config : WaveDumpConfig or None
        The configuration beside the file.
    sample_bytes : int or None
        What the user said.

    Raises
    ------
    FormatError
        If the file is not of this format.
    SettingsError
        If the structure leaves the layout open, or contradicts what the user or the configuration says.
    """
    if starts_a_chain(stream, file_bytes):
        return _layout_with_headers(stream, path, file_bytes, config, sample_bytes)
    if config is not None and config.headers_off:
        return _layout_without_headers(stream, path, file_bytes, config, sample_bytes)
    raise FormatError(
        "expected the 24-byte header of a WaveDump event that leads to the next one, found none; if the run was taken "
        "with OUTPUT_FILE_HEADER NO, put its WaveDumpConfig.txt with RECORD_LENGTH beside the file",
        path,
        0,
    )


def _first_headers(stream: BinaryIO, file_bytes: int, *, count: int) -> list[tuple[int, tuple[int, ...]]]:
    """Return offset and header words of the first events of the chain, as far as it holds."""
    events: list[tuple[int, tuple[int, ...]]] = []
    offset, board_word = 0, None
    while len(events) < count and offset + HEADER_BYTES <= file_bytes:
        stream.seek(offset)
        head = stream.read(HEADER_BYTES)
        if len(head) < HEADER_BYTES:
            break
        words = tuple(np.frombuffer(head, dtype="<u4").tolist())
        # The upper bits of the first board word are not known to be zero in every version.
        board_word = words[1] if board_word is None else board_word
        if not plausible_header(words, board_word=board_word):
            break
        events.append((offset, words))
        offset += words[0]
    return events


def _layout_with_headers(
    stream: BinaryIO, path: Path, file_bytes: int, config: WaveDumpConfig | None, sample_bytes: int | None
) -> EventLayout:
    events = _first_headers(stream, file_bytes, count=_EVENTS_TO_JUDGE)
    first = events[0][1]
    after_header = first[0] - HEADER_BYTES
    payloads = []
    # The last event before the chain breaks may be the damaged one, and behind damage the chain may go astray.
    whole = events[:-1] if 1 < len(events) < _EVENTS_TO_JUDGE else events
    for offset, words in whole:
        if words[0] == first[0]:
            stream.seek(offset + HEADER_BYTES)
            payloads.append(stream.read(min(after_header, _BYTES_TO_JUDGE)))
    record_length = config.record_length if config else None
    width = _sample_bytes(payloads, after_header, path, record_length, sample_bytes)
    header_bytes = HEADER_BYTES
    if width == 4 and _has_x742_words(payloads, after_header // 4, record_length):
        header_bytes = _X742_HEADER_BYTES
    return EventLayout(
        header_bytes=header_bytes,
        sample_bytes=width,
        event_bytes=first[0],
        board_word=first[1],
        channel=first[3],
    )


def _layout_without_headers(
    stream: BinaryIO, path: Path, file_bytes: int, config: WaveDumpConfig, sample_bytes: int | None
) -> EventLayout:
    n_samples = config.record_length
    if n_samples is None:
        raise SettingsError(f"{path}: a file without event headers needs RECORD_LENGTH in {config.path}")
    stream.seek(0)
    width = _sample_bytes([stream.read(_BYTES_TO_JUDGE)], 0, path, None, sample_bytes)
    event_bytes = n_samples * width
    if file_bytes % event_bytes:
        raise FormatError(
            f"expected a multiple of {event_bytes} bytes, {n_samples} samples (RECORD_LENGTH) of {width} bytes and no "
            f"event headers, found {file_bytes} bytes: either the last record is cut or the board rounded the length "
            f"up; set RECORD_LENGTH in {config.path} to the recorded number of samples",
            path,
        )
    return EventLayout(header_bytes=0, sample_bytes=width, event_bytes=event_bytes)


def _sample_bytes(
    payloads: list[bytes], after_header: int, path: Path, record_length: int | None, given: int | None
) -> int:
    if given is not None:
        if given not in (1, 2, 4) or after_header % given:
            raise SettingsError(
                f"{path}: --sample-bytes must be 1, 2 or 4 and divide the {after_header} bytes after the header of the "
                f"first event, got {given}"
            )
        return given
    by_values = 1 if after_header % 2 else _sample_bytes_by_values(payloads)
    by_length = _sample_bytes_by_length(after_header, record_length)
    if by_values is not None and by_length is not None and by_values != by_length:
        raise SettingsError(
            f"{path}: the values look like samples of {by_values} bytes, but RECORD_LENGTH {record_length} and events "
            f"of {after_header} bytes like {by_length}; say which with --sample-bytes"
        )
    width = by_values or by_length
    if width is None:
        raise SettingsError(
            f"{path}: the file does not tell whether its samples have 1, 2 or 4 bytes; say it with --sample-bytes"
        )
    return width


def _sample_bytes_by_length(after_header: int, record_length: int | None) -> int | None:
    """Return the one width at which the first event has about RECORD_LENGTH samples, rounded up as boards do."""
    if record_length is None:
        return None
    longest = record_length + max(record_length // 20, 32)
    fitting = [width for width in (1, 2, 4) if record_length * width <= after_header <= longest * width]
    return fitting[0] if len(fitting) == 1 else None


def _sample_bytes_by_values(payloads: list[bytes]) -> int | None:
    """Judge by the values.

    Integers come from boards of at most 14 bits, so that two of them never look like a floating-point number above 2,
    while x742 samples are counts. Between one and two bytes smoothness decides: read at the wrong width, 8-bit data
    jump by 256 times their own steps, and 16-bit data do not. Each byte of 8-bit data is a sample like the next, so
    that first, second, third and fourth bytes have one mean; a few damaged bytes may have it by chance.
    """
    skipped = _X742_HEADER_BYTES - HEADER_BYTES
    long = [payload for payload in payloads if len(payload) > 2 * skipped]
    data = b"".join(payload[skipped:] for payload in long) if long else b"".join(payloads)
    data = data[: len(data) // 4 * 4]
    if len(data) < 4 or len(set(data)) == 1:
        return None
    if _looks_floating(np.frombuffer(data, dtype="<f4")):
        return 4
    values = np.frombuffer(data, dtype="u1").astype(np.int64)
    step_1 = np.abs(np.diff(values)).mean()
    step_2 = np.abs(np.diff(np.frombuffer(data, dtype="<u2").astype(np.int64))).mean()
    if step_2 <= 64 * step_1:
        return 2
    alike = np.ptp(values.reshape(-1, 4).mean(axis=0)) <= 0.5 * step_1 + 1
    enough = len(data) >= _LEAST_BYTES_OF_8_BIT
    return 1 if enough and alike and step_2 >= 128 * step_1 else None


def _looks_floating(values: NDArray[Any]) -> bool:
    size = np.abs(np.where(np.isfinite(values), values, 0))
    counts = (size >= 4) & (size < 1e6)
    return bool(counts.any()) and bool((counts | (size == 0)).mean() > 0.9)


def _has_x742_words(payloads: list[bytes], n_after_header: int, record_length: int | None) -> bool:
    """Whether DC offset and start cell stand before floating-point samples."""
    words = np.array([np.frombuffer(payload[:8], dtype="<u4") for payload in payloads if len(payload) >= 8])
    if words.size and words.any():
        # As floating-point numbers, such small words would be denormal: no sample is.
        return bool((words[:, 0] <= 0xFFFF).all() and (words[:, 1] <= 0xFFFF).all())
    if record_length is not None and record_length in (n_after_header, n_after_header - 2):
        return record_length == n_after_header - 2
    return n_after_header - 2 in _X742_RECORD_LENGTHS and n_after_header not in _X742_RECORD_LENGTHS
