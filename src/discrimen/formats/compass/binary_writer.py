"""Writing CoMPASS ``.BIN`` files, with a settings file beside them that readers find by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.compass.binary_layout import FILE_HEADER_BYTES, MAGIC, EventContent, Layout, Tail
from discrimen.formats.compass.writer import CompassWriter
from discrimen.pulses.detector import DetectorSettings

_SLICE_BYTES = 4 * 2**20
_INPUT_PROBE = 1
"""The probe code of the digitized input."""


class CompassBinWriter(CompassWriter):
    """Writer of one ``.BIN`` file; see :class:`~discrimen.formats.compass.writer.CompassWriter`."""

    def _head(self, content: EventContent) -> bytes:
        return (MAGIC | content).to_bytes(FILE_HEADER_BYTES, "little")

    def _write_events(self, stream: BinaryIO, fields: dict[str, NDArray[Any]], samples: NDArray[Any]) -> None:
        assert self._content is not None
        head = Layout(self._content, Tail.PROBE_AND_COUNT, FILE_HEADER_BYTES).head
        fields["probe"] = np.broadcast_to(_INPUT_PROBE, len(samples))
        fields["count"] = np.broadcast_to(samples.shape[1], len(samples))
        event = np.dtype([("head", head), ("samples", "<u2", samples.shape[1:])])
        step = max(1, _SLICE_BYTES // event.itemsize)
        for start in range(0, len(samples), step):
            part = slice(start, start + step)
            records = np.empty(len(samples[part]), event)
            for name in head.names or ():
                records["head"][name] = fields[name][part]
            records["samples"] = samples[part]
            stream.write(records.tobytes())


def open_growing_writer(path: Path, settings: DetectorSettings) -> CompassBinWriter:
    """Open a ``.BIN`` file that grows as CoMPASS' own do, its settings beside it from the start."""
    return CompassBinWriter(path, settings, grows=True)
