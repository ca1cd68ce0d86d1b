"""Telling the layout of a CoMPASS ``.BIN`` file: by its header, by the first file of the run, by its events."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, pairwise
from pathlib import Path

from discrimen.errors import FormatError
from discrimen.formats.compass.binary_layout import (
    FILE_HEADER_BYTES,
    MAGIC,
    RESYNC_BYTES,
    EventContent,
    Fetch,
    Layout,
    Tail,
)
from discrimen.formats.compass.files import earlier_files, open_run_file

_DAMAGED_BEGINNING_BYTES = 2**20


def _headerless_layouts() -> tuple[Layout, ...]:
    """Return every layout of a file without file header: one written before 2022, or a continuation file."""
    energy, calibrated, short = EventContent.ENERGY, EventContent.CALIBRATED_ENERGY, EventContent.ENERGY_SHORT
    energies = (
        energy,
        energy | short,
        calibrated,
        calibrated | short,
        energy | calibrated,
        energy | calibrated | short,
    )
    old = [Layout(content | EventContent.WAVEFORM, Tail.COUNT, 0) for content in (energy | short, energy)]
    waves = [Layout(content | EventContent.WAVEFORM, Tail.PROBE_AND_COUNT, 0) for content in energies]
    charges = [Layout(content, tail, 0) for content in energies for tail in (Tail.PROBE_AND_COUNT, Tail.NOTHING)]
    return (*old, *waves, *charges)


HEADERLESS = _headerless_layouts()


def header_layouts(magic: int) -> tuple[Layout, ...]:
    """Return the layouts that a file header allows; empty if it is none."""
    if magic & 0xFFF0 != MAGIC:
        return ()
    content = EventContent(magic & 0xF)
    if EventContent.WAVEFORM in content:
        return (Layout(content, Tail.PROBE_AND_COUNT, FILE_HEADER_BYTES),)
    return tuple(Layout(content, tail, FILE_HEADER_BYTES) for tail in (Tail.PROBE_AND_COUNT, Tail.NOTHING))


def fitting(layouts: Sequence[Layout], fetch: Fetch, size: int) -> list[Layout]:
    """Return those layouts that the first events bear out: as many of them as are undamaged in any layout.

    A file of charges without file header must also divide into whole events.
    """
    for events in (64, 8, 3):
        fits = [layout for layout in layouts if _fits(layout, fetch, size, events)]
        if fits:
            return fits
    return []


def _fits(layout: Layout, fetch: Fetch, size: int, events: int) -> bool:
    if not layout.holds(fetch, layout.start, size, events=events):
        return False
    walked = list(islice(layout.chain(fetch, layout.start, size), events))
    waveforms = any(count for _, count in walked)
    if layout.tail is not Tail.NOTHING:
        # Without one waveform nothing tells a chain of heads from a chain of coincidences, unless a header vouches.
        return waveforms == (EventContent.WAVEFORM in layout.content) or (layout.start > 0 and not waveforms)
    times = [int.from_bytes(fetch(offset + 4, 8), "little") for offset, _ in walked]
    whole = (size - layout.start) % layout.head_bytes == 0
    if layout.start:
        return whole or _mostly_rising(times)
    # Any few bytes could be a single event.
    return whole and len(walked) > 1 and _mostly_rising(times)


def _mostly_rising(times: Sequence[int]) -> bool:
    """Whether timestamps rise as they do in a run; two boards may be out of step, bytes of other fields jump about."""
    falling = sum(later < earlier for earlier, later in pairwise(times))
    return falling <= len(times) // 4


def find_layout(path: Path, fetch: Fetch, size: int) -> Layout:
    """Tell the layout of a file from its header, from the first file of its run, or from its events.

    Raises
    ------
    FormatError
        If the events do not bear the header out, fit no layout, or fit several.
    """
    magic = int.from_bytes(fetch(0, FILE_HEADER_BYTES), "little")
    allowed = header_layouts(magic)
    return _layout_by_header(path, fetch, size, magic) if allowed else _layout_without_header(path, fetch, size)


def _layout_by_header(path: Path, fetch: Fetch, size: int, magic: int) -> Layout:
    allowed = header_layouts(magic)
    fits = fitting(allowed, fetch, size)
    if fits:
        return fits[0]
    for layout in reversed(allowed):
        if size - layout.start < layout.head_bytes or _damaged_only_at_first(layout, fetch, size):
            return layout
    others = [other for bits in range(16) for other in fitting(header_layouts(MAGIC | bits), fetch, size)]
    hint = f"; the events look like those of a header 0x{MAGIC | others[0].content:04X}" if len(others) == 1 else ""
    raise FormatError(
        f"the file header 0x{magic:04X} promises {allowed[0]}, but no such events follow{hint}; "
        "was the file cut, or written by another program?",
        path,
        FILE_HEADER_BYTES,
    )


def _damaged_only_at_first(layout: Layout, fetch: Fetch, size: int) -> bool:
    """Whether the first event is cut short by the end of the file, or damaged with good ones after it."""
    count = layout.plausible(fetch(layout.start, layout.head_bytes))
    waveforms = EventContent.WAVEFORM in layout.content
    if count is not None and waveforms and layout.start + layout.event_bytes(count) >= size:
        return True
    return waveforms and layout.next_chain(fetch, layout.start + 1, size, within=RESYNC_BYTES) is not None


def _layout_without_header(path: Path, fetch: Fetch, size: int) -> Layout:
    for first in earlier_files(path):
        with open_run_file(first) as stream:
            head = stream.read(FILE_HEADER_BYTES)
        same = [Layout(layout.content, layout.tail, 0) for layout in header_layouts(int.from_bytes(head, "little"))]
        fits = fitting(same, fetch, size)
        if fits:
            return fits[0]
    fits = fitting(HEADERLESS, fetch, size) or _fitting_further_on(fetch, size)
    waves = [layout for layout in fits if EventContent.WAVEFORM in layout.content]
    fits = waves or fits
    if len(fits) == 1:
        return fits[0]
    if fits:
        listed = " or ".join(f"({layout})" for layout in fits)
        raise FormatError(
            f"no file header, and the events fit several layouts: {listed}; put the first file of the run beside it",
            path,
            0,
        )
    raise FormatError(
        "no CoMPASS binary file: expected a header 0xCAE0..0xCAEF, or events that follow one another; "
        "is it of another format (--format)?",
        path,
        0,
    )


def _fitting_further_on(fetch: Fetch, size: int) -> list[Layout]:
    """Return the layouts that hold behind a damaged beginning."""
    fits = []
    for layout in HEADERLESS:
        if EventContent.WAVEFORM in layout.content:
            at = layout.next_chain(fetch, 1, size, within=_DAMAGED_BEGINNING_BYTES)
            if at is not None and len(list(islice(layout.chain(fetch, at, size), 8))) == 8:
                fits.append(layout)
    return fits


def recognises(path: Path, head: bytes) -> bool:
    """Whether a file that starts with these bytes is a CoMPASS binary file."""
    layouts = header_layouts(int.from_bytes(head[:FILE_HEADER_BYTES], "little"))
    is_bin = path.suffix.lower() == ".bin"
    if layouts and is_bin:
        return True
    return any(_starts_like(layout, head) for layout in (layouts or (HEADERLESS if is_bin else ())))


def _starts_like(layout: Layout, head: bytes) -> bool:
    """Whether the beginning of a file looks like events of this layout, as far as it goes."""
    at, n_events = layout.start, 0
    while at + layout.head_bytes <= len(head):
        count = layout.plausible(head[at : at + layout.head_bytes])
        if count is None or (layout.tail is not Tail.NOTHING and EventContent.WAVEFORM in layout.content and not count):
            return False
        at += layout.event_bytes(count)
        n_events += 1
    return n_events > 0
