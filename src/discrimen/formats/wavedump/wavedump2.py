"""CAEN WaveDump 2 binary files (`.bin`): every event with a header of its own, samples in mV.

Little-endian: u32 number of the event, u64 time stamp, u32 samples, u64 sampling period in ns, i32 channels where the
file holds several, then each channel's samples as float32. The unit of the time stamp was not found in any document at
hand: it is left out. (Layout as understood by public readers, among them MULE of the nuSense group, and by the files
themselves.)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError
from discrimen.formats.base import Format, ReadOptions, ReadReport, RunInfo, opened_to_read
from discrimen.formats.settings_merge import merge_settings
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

_FIELDS = [("number", "<u4"), ("time", "<u8"), ("n_samples", "<u4"), ("period_ns", "<u8")]
_MOST_SAMPLES, _MOST_PERIOD_NS, _MOST_CHANNELS = 2**24, 2**16, 64
NAME = "wavedump2"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """What the first header says, and whether the number of channels stands in it."""

    n_samples: int
    period_ns: int
    n_channels: int
    named_channels: bool

    @property
    def event(self) -> np.dtype[Any]:
        channels = [("n_channels", "<i4")] if self.named_channels else []
        return np.dtype([*_FIELDS, *channels, ("mv", "<f4", (self.n_channels, self.n_samples))])

    def holds(self, events: NDArray[np.void]) -> NDArray[np.bool_]:
        """Say which events have the header that all should have."""
        same = (events["n_samples"] == self.n_samples) & (events["period_ns"] == self.period_ns)
        return np.asarray(same & (events["n_channels"] == self.n_channels) if self.named_channels else same)


class WaveDump2Reader:
    """Reader of one such file; a pulse for each channel of an event.

    Parameters
    ----------
    path : Path
    options : ReadOptions

    Raises
    ------
    FormatError
        If the file cannot be read or does not begin with an event that leads to the next one.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        with opened_to_read(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            layout = _find_layout(stream, size)
        if layout is None:
            raise FormatError("expected events of WaveDump 2, the first header does not lead to the next one", path)
        self._layout = layout
        self._chunk_events = max(1, options.chunk_bytes // layout.event.itemsize)
        found = DetectorSettings(sample_period_ns=float(layout.period_ns))
        settings, source = merge_settings(options.settings, found, found_in="file")
        self.report = ReadReport()
        n_events = size // layout.event.itemsize
        self.info = RunInfo(
            path=path,
            format=NAME,
            layout=f"WaveDump 2: {n_events} events of {layout.n_channels} channel(s) of {layout.n_samples} samples in "
            "mV; time stamps of unknown unit, left out",
            settings=settings,
            settings_source=source,
            n_entries=n_events * layout.n_channels,
        )

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once from its start; see :class:`~discrimen.formats.base.Reader`."""
        self.report = ReadReport()
        dtype, first = self._layout.event, 0
        with opened_to_read(self.info.path) as stream:
            while content := stream.read(self._chunk_events * dtype.itemsize):
                count, rest = divmod(len(content), dtype.itemsize)
                if rest:
                    self.report.add_damage("truncated last event", offset=(first + count) * dtype.itemsize)
                yield from self._pulses(np.frombuffer(content, dtype, count), first)
                first += count

    def _pulses(self, events: NDArray[np.void], first: int) -> Iterator[Pulses]:
        layout = self._layout
        header, finite = layout.holds(events), np.isfinite(events["mv"]).all(axis=(1, 2))
        for kind, bad in (("header of another kind", ~header), ("NaN or infinite samples", header & ~finite)):
            if bad.any():
                offset = (first + int(bad.argmax())) * layout.event.itemsize
                self.report.add_damage(kind, offset=offset, count=int(bad.sum()) * layout.n_channels)
        kept = np.flatnonzero(header & finite)
        if not len(kept):
            return
        channels = np.arange(layout.n_channels)
        self.report.n_read += len(kept) * layout.n_channels
        yield Pulses(
            samples=events["mv"][kept].reshape(-1, layout.n_samples).astype(np.float32),
            sample_period_ns=self.info.settings.sample_period_ns,
            entry=((first + kept)[:, None] * layout.n_channels + channels).ravel(),
            channel=np.tile(channels, len(kept)).astype(np.int32),
        )


def _find_layout(stream: BufferedReader, size: int) -> _Layout | None:
    """Return the layout whose first event is followed by another one, or by the end of the file."""
    fields = np.dtype(_FIELDS)
    head = stream.read(fields.itemsize + 4)
    if len(head) < fields.itemsize + 4:
        return None
    first = np.frombuffer(head, fields, 1)[0]
    channels = int(np.frombuffer(head, "<i4", 1, fields.itemsize)[0])
    if not (0 < first["n_samples"] <= _MOST_SAMPLES and 0 < first["period_ns"] <= _MOST_PERIOD_NS):
        return None
    for named, count in ((True, channels), (False, 1)):
        if not 0 < count <= _MOST_CHANNELS:
            continue
        layout = _Layout(
            n_samples=int(first["n_samples"]),
            period_ns=int(first["period_ns"]),
            n_channels=count,
            named_channels=named,
        )
        stream.seek(layout.event.itemsize)
        following = stream.read(fields.itemsize)
        if not following and size == layout.event.itemsize:
            return layout
        if len(following) == fields.itemsize and _leads_on(first, np.frombuffer(following, fields, 1)[0]):
            return layout
    return None


def _leads_on(first: np.void, second: np.void) -> bool:
    same = all(second[name] == first[name] for name in ("n_samples", "period_ns"))
    return bool(same and second["number"] > first["number"])


def recognises(path: Path, head: bytes) -> bool:  # noqa: ARG001 - the chain of events tells
    """Whether the file begins with an event that leads to the next one."""
    try:
        with path.open("rb") as stream:
            return _find_layout(stream, os.fstat(stream.fileno()).st_size) is not None
    except OSError:
        return False


FORMAT = Format(
    name=NAME,
    description="CAEN WaveDump 2 binary (.bin), samples in mV",
    suffixes=(".bin",),
    recognises=recognises,
    open_reader=WaveDump2Reader,
)
"""The row of the table of formats."""
