"""ABCD events files (``.ade``): list mode, the charges of each pulse without its waveform.

The layout is that of the handbook of ABCD (https://abcd-docs.readthedocs.io, "Data files and serialization"): records
of 16 bytes, little-endian and packed, without a header. A charge of 65535 stands for an overflow. The time stamp counts
ticks whose length depends on the digitizer and does not stand in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError
from discrimen.formats.base import Format, ReadOptions, ReadReport, RunInfo, WithoutWaveforms, opened_to_read
from discrimen.pulses.list_mode import ListModeEvents

EVENT = np.dtype(
    [
        ("timestamp", "<u8"),
        ("qshort", "<u2"),
        ("qlong", "<u2"),
        ("baseline", "<u2"),
        ("channel", "u1"),
        ("group", "u1"),
    ]
)
"""One record."""

OVERFLOW = 65_535
"""A charge that did not fit."""

_LATEST_TICK = 2**62
"""Later than any run: at 1/1024 of 1 ns, the shortest tick known, this is 52 days."""


class AbcdEventsReader(WithoutWaveforms):
    """Reader of one ``.ade`` file; a :class:`~discrimen.formats.base.ListModeReader`.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        Size of the chunks; settings are passed on.

    Raises
    ------
    FormatError
        If the file cannot be read or holds not even one event.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._chunk_events = max(1, options.chunk_bytes // EVENT.itemsize)
        self.report = ReadReport()
        with opened_to_read(path) as stream:
            n_events = stream.seek(0, 2) // EVENT.itemsize
        if n_events == 0:
            raise FormatError(f"expected records of {EVENT.itemsize} bytes, the file holds less than one", path)
        known = options.settings.model_dump(exclude_none=True)
        self.info = RunInfo(
            path=path,
            format=FORMAT.name,
            layout="ABCD events, charges only",
            settings=options.settings,
            settings_source=MappingProxyType(dict.fromkeys(known, "command line")),
            n_entries=n_events,
        )

    def event_chunks(self) -> Iterator[ListModeEvents]:
        """Read the file once, from its start, and yield its charges; overflows are left out and counted.

        Raises
        ------
        FormatError
            If the operating system reports a read error.
        """
        self.report = report = ReadReport()
        first = 0
        with opened_to_read(self._path) as stream:
            while content := stream.read(self._chunk_events * EVENT.itemsize):
                n_whole, rest = divmod(len(content), EVENT.itemsize)
                if rest:
                    report.add_damage("truncated event", offset=(first + n_whole) * EVENT.itemsize)
                events = np.frombuffer(content, EVENT, count=n_whole)
                kept = _kept(events, first, report)
                first += n_whole
                if len(kept):
                    report.n_read += len(kept)
                    yield _list(events[kept], kept + first - n_whole)


def recognises(path: Path, head: bytes) -> bool:
    """Whether the file is named ``.ade``: its records bear no mark, and any bytes could be charges."""
    return path.suffix.lower() == ".ade" and len(head) >= EVENT.itemsize


def _kept(events: NDArray[np.void], first: int, report: ReadReport) -> NDArray[np.int64]:
    """Return the positions of sound events and count the others, each by its first fault."""
    overflow = (events["qlong"] == OVERFLOW) | (events["qshort"] == OVERFLOW)
    wild = events["timestamp"] >= _LATEST_TICK
    for kind, bad in (("timestamp out of range", wild), ("charge overflow", overflow & ~wild)):
        if bad.any():
            report.add_damage(kind, offset=(first + int(bad.argmax())) * EVENT.itemsize, count=int(bad.sum()))
    return np.flatnonzero(~(overflow | wild))


def _list(events: NDArray[np.void], entry: NDArray[np.int64]) -> ListModeEvents:
    return ListModeEvents(
        entry=entry,
        long_charge=events["qlong"].astype(np.float64),
        short_charge=events["qshort"].astype(np.float64),
        channel=events["channel"].astype(np.int32),
        timestamp_ticks=events["timestamp"].astype(np.int64),
    )


FORMAT = Format(
    name="abcd-events",
    description="ABCD events (.ade): list mode, charges only",
    suffixes=(".ade",),
    recognises=recognises,
    open_reader=AbcdEventsReader,
)
"""The row of the table of formats."""
