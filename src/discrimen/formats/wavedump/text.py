"""CAEN WaveDump text files (`wave0.txt`): a header of named lines before each event, then one sample a line.

With OUTPUT_FILE_HEADER NO the file is samples only and RECORD_LENGTH of WaveDumpConfig.txt cuts it into events. Samples
are whole numbers, or decimal fractions on x742, whose header has one line more (Start Index Cell).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from io import BufferedReader
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError, SettingsError
from discrimen.formats.base import Format, ReadOptions, ReadReport, RunInfo, opened_to_read
from discrimen.formats.records import read_by_threads
from discrimen.formats.wavedump.config import (
    TagUnwrapper,
    WaveDumpConfig,
    find_config,
    run_settings,
    tag_clock,
)
from discrimen.formats.wavedump.text_events import (
    LARGEST_NUMBER,
    LARGEST_TAG,
    MARK,
    Event,
    Events,
    collected,
    parse_header,
    regular_events,
)
from discrimen.pulses import Pulses

NAME = "wavedump-text"

_BYTE_ORDERMARK = b"\xef\xbb\xbf"
_TRIGGER_CHANNEL = re.compile(rb"TR_([01])_([01])")
_LARGEST_EVENT_BYTES = 256 * 2**20
_DAMAGED = "damaged event"


class WaveDumpTextReader:
    """Reader of one WaveDump `.txt` file.

    The column `timestamp_ps` is there only if the clock of the trigger tags is known: for x742, or from the sampling
    period, which the file does not hold.

    Raises
    ------
    FormatError
        If the file cannot be read or does not start with an event.
    SettingsError
        If it has no headers and RECORD_LENGTH is not known.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        config = find_config(path, options.companion)
        with opened_to_read(path) as stream:
            head = stream.read(4096)
        self._has_headers = _starts_with_header(head)
        if not self._has_headers and not (config is not None and config.headers_off and _starts_with_number(head)):
            raise FormatError(
                "expected 'Record Length: N' and the samples of an event below it; if the run was taken with "
                "OUTPUT_FILE_HEADER NO, put its WaveDumpConfig.txt with RECORD_LENGTH beside the file",
                path,
                0,
            )
        header, body = parse_header(head.removeprefix(_BYTE_ORDERMARK)) if self._has_headers else ({}, head)
        self._floating = b"." in (body.split(None, 1) or [b""])[0]
        self._record_length = 0 if self._has_headers else _record_length(path, config)
        n_samples = _whole(header.get(b"Record Length")) or self._record_length
        settings, source = run_settings(options, config, channel=_channel(header.get(b"Channel")), adc_bits=None)
        self._options = options
        self._clock = tag_clock(settings.sample_period_ns, sample_bytes=4 if self._floating else 2)
        kind = "decimal fractions (x742)" if self._floating else "whole numbers"
        headers = "event headers" if self._has_headers else "no event headers"
        self.report = ReadReport()
        self.info = RunInfo(
            path=path,
            format=NAME,
            layout=f"WaveDump text: {headers}, samples as {kind}, {n_samples} in the first event",
            settings=settings,
            settings_source=source,
        )

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once from its start; see :class:`~discrimen.formats.base.Reader`."""
        self.report = ReadReport()
        unwrapper = TagUnwrapper(self._clock) if self._clock and self._has_headers else None
        with opened_to_read(self.info.path) as stream:
            for events in self._with_headers(stream) if self._has_headers else self._without_headers(stream):
                for pulses in self._pulses(events, unwrapper):
                    self.report.n_read += len(pulses)
                    yield pulses

    def _with_headers(self, stream: BufferedReader) -> Iterator[Events]:
        """Yield the events of each block of text."""
        entry = 0
        blocks = _blocks_between_events(stream, self.info.path, self._options.chunk_bytes)
        for (offset, text), regular in read_by_threads(blocks, self._regular_events):
            if regular is not None:
                yield replace(regular, entry=entry + regular.entry)
                entry += len(regular.entry)
                continue
            events = []
            starts = [found.start() for found in re.finditer(re.escape(MARK), text)]
            if offset == 0 and text[: starts[0] if starts else None].removeprefix(_BYTE_ORDERMARK).strip():
                self.report.add_damage(_DAMAGED, offset=0)
            for start, stop in zip(starts, [*starts[1:], len(text)], strict=True):
                event = self._event(text[start:stop], entry, offset + start)
                entry += 1
                if event is not None:
                    events.append(event)
            if events:
                yield collected(events)

    def _regular_events(self, block: tuple[int, bytes]) -> Events | None:
        return None if self._floating else regular_events(block[1])

    def _event(self, text: bytes, entry: int, offset: int) -> Event | None:
        header, body = parse_header(text)
        length = _whole(header.get(b"Record Length"))
        board, tag = _whole(header.get(b"BoardID")), _whole(header.get(b"Trigger Time Stamp"), largest=LARGEST_TAG)
        channel = _channel(header.get(b"Channel"))
        if length is None or board is None or channel is None or tag is None:
            self.report.add_damage(_DAMAGED, offset=offset)
            return None
        samples, n_lines = self._samples(body, length)
        if samples is None:
            self.report.add_damage("truncated or too short event" if n_lines < length else _DAMAGED, offset=offset)
            return None
        if n_lines > length:
            # Behind the samples is what should be the header of another event, and is not legible.
            self.report.add_damage(_DAMAGED, offset=offset)
        if length == 0:
            self.report.n_empty += 1
            return None
        return Event(entry, board, channel, tag, samples)

    def _without_headers(self, stream: BufferedReader) -> Iterator[Events]:
        """Yield events cut from a column of samples; a line that is no number damages its event only."""
        entry, carried, offset = 0, b"", 0
        length = self._record_length
        while data := stream.read(self._options.chunk_bytes):
            text = carried + data
            lines = text.splitlines(keepends=True)
            whole = lines[: (len(lines) - 1) // length * length]
            carried = b"".join(lines[len(whole) :])
            yield from self._cut(whole, entry, offset)
            entry += len(whole) // length
            offset += len(text) - len(carried)
        lines = carried.splitlines(keepends=True)
        whole = lines[: len(lines) // length * length]
        yield from self._cut(whole, entry, offset)

    def _cut(self, lines: list[bytes], entry: int, offset: int) -> Iterator[Events]:
        events = []
        for number in range(len(lines) // self._record_length):
            own = lines[number * self._record_length : (number + 1) * self._record_length]
            samples = self._numbers(own)
            if samples is None:
                self.report.add_damage(_DAMAGED, offset=offset)
            else:
                events.append(Event(entry + number, 0, 0, 0, samples))
            offset += sum(map(len, own))
        if events:
            yield collected(events)

    def _samples(self, body: bytes, length: int) -> tuple[NDArray[np.generic] | None, int]:
        """Return the first `length` samples, None if they are not all there and legible, and the number of lines."""
        if not self._floating and not body.translate(None, b"0123456789\r\n"):
            # Nothing but digits and ends of lines: no number can fail to parse, and the length must be right.
            text = body.decode("ascii").strip()
            whole = np.fromstring(text, dtype=np.int64, sep="\n")
            fits = len(whole) == length and not (whole > 0xFFFF).any()
            return whole.astype(np.uint16) if fits else None, len(whole)
        words = body.split()
        return self._numbers(words[:length]) if len(words) >= length else None, len(words)

    def _numbers(self, words: list[bytes]) -> NDArray[np.generic] | None:
        """Return samples as uint16 or float32, or None if a word is no sample."""
        try:
            if self._floating:
                fractions = np.array(list(map(float, words)), dtype=np.float32)
                return fractions if np.isfinite(fractions).all() else None
            # Goes by Python integers: a sample that does not fit raises instead of wrapping.
            return np.array(list(map(int, words)), dtype=np.uint16)
        except (ValueError, OverflowError):
            return None

    def _pulses(self, events: Events, unwrapper: TagUnwrapper | None) -> Iterator[Pulses]:
        """Make one chunk of the events of each length."""
        time_ps = unwrapper.time_ps(events.board, events.channel, events.tag) if unwrapper else None
        for chosen, samples in events.by_length():
            yield Pulses(
                samples=samples,
                sample_period_ns=self.info.settings.sample_period_ns,
                entry=events.entry[chosen],
                timestamp_ps=None if time_ps is None else time_ps[chosen],
                board=events.board[chosen].astype(np.int32) if self._has_headers else None,
                channel=events.channel[chosen].astype(np.int32) if self._has_headers else None,
            )


def _blocks_between_events(stream: BufferedReader, path: Path, block_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield offset and text of blocks that end before the header of an event, or with the file."""
    carried, offset, at_end = b"", 0, False
    while not at_end:
        wanted = max(block_bytes, len(carried), 4096)
        data = stream.read(wanted)
        text, at_end = carried + data, len(data) < wanted
        cut = len(text) if at_end else text.rfind(MARK)
        if cut > 0:
            yield offset, text[:cut]
            offset, text = offset + cut, text[cut:]
        elif len(text) > _LARGEST_EVENT_BYTES:
            raise FormatError(f"no header of an event within {_LARGEST_EVENT_BYTES} bytes", path, offset)
        carried = text


def _whole(text: bytes | None, *, largest: int = LARGEST_NUMBER) -> int | None:
    if text is None or not re.fullmatch(rb"[0-9]{1,10}", text) or int(text) > largest:
        return None
    return int(text)


def _channel(text: bytes | None) -> int | None:
    """Return the channel's number; the trigger channels TR_g_k of x742 get that of the binary files, 8 (2g + k) + 8."""
    trigger = _TRIGGER_CHANNEL.fullmatch(text or b"")
    return 8 * (2 * int(trigger[1]) + int(trigger[2])) + 8 if trigger else _whole(text)


def _record_length(path: Path, config: WaveDumpConfig | None) -> int:
    """Return RECORD_LENGTH for a file without headers, if its lines divide by it."""
    length = config.record_length if config else None
    if config is None or length is None:
        raise SettingsError(f"{path}: a file without event headers needs RECORD_LENGTH in its WaveDumpConfig.txt")
    n_lines, last = 0, b"\n"
    with opened_to_read(path) as stream:
        while data := stream.read(2**20):
            n_lines, last = n_lines + data.count(b"\n"), data[-1:]
    n_lines += last != b"\n"
    if n_lines % length:
        raise FormatError(
            f"expected a multiple of {length} lines (RECORD_LENGTH), found {n_lines}: either the last record is cut or "
            f"the board rounded the length up; set RECORD_LENGTH in {config.path} to the recorded number of samples",
            path,
        )
    return length


def _starts_with_header(head: bytes) -> bool:
    return head.removeprefix(_BYTE_ORDERMARK).lstrip().startswith(MARK)


def _starts_with_number(head: bytes) -> bool:
    return re.match(rb"\s*[0-9]+(\.[0-9]*)?\s", head) is not None


def recognises(path: Path, head: bytes) -> bool:
    """Whether the file starts with an event's header, or its configuration says that it has none."""
    if _starts_with_header(head):
        return True
    if path.suffix.lower() != ".txt" or not _starts_with_number(head):
        return False
    try:
        config = find_config(path, None)
    except SettingsError:
        return False
    return config is not None and config.headers_off


FORMAT = Format(
    name=NAME,
    description="CAEN WaveDump text",
    suffixes=(".txt",),
    recognises=recognises,
    open_reader=WaveDumpTextReader,
    takes=("companion",),
)
