"""GEB streams with interaction points (mode 2) and no waveforms: a list of the energies of their hits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from discrimen.errors import DataError
from discrimen.formats.base import ReadOptions, ReadReport, RunInfo
from discrimen.formats.geb.frames import TICK_PS, pieces
from discrimen.formats.geb.points import good_frames
from discrimen.formats.geb.survey import Survey
from discrimen.formats.settings_merge import merge_settings
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.list_mode import ListModeEvents

NAME = "geb"


class GebPointsReader:
    """Reader of the energies of hits, with their crystals and times; a :class:`~discrimen.formats.base.ListModeReader`.

    The points themselves are read by :func:`~discrimen.formats.geb.points.geb_points`.

    Parameters
    ----------
    path : Path
    options : ReadOptions
    found : Survey
        Of the beginning of the file.
    """

    def __init__(self, path: Path, options: ReadOptions, found: Survey) -> None:
        settings, source = merge_settings(options.settings, DetectorSettings(), found_in="file")
        self._chunk_bytes = options.chunk_bytes
        self.report = ReadReport()
        self.info = RunInfo(
            path=path,
            format=NAME,
            layout=f"GEB stream, {found}; interaction points and no waveforms",
            settings=settings,
            settings_source=source,
        )

    def chunks(self) -> Iterator[Pulses]:
        """Refuse: there are no waveforms.

        Raises
        ------
        DataError
            Always.
        """
        self.report = ReadReport()
        raise DataError(
            f"{self.info.path}: holds interaction points (mode 2) and no waveforms; discrimen.formats.geb.points reads "
            "them, traces are in streams of mode 3 or type 100"
        )

    def event_chunks(self) -> Iterator[ListModeEvents]:
        """Read the file once and yield the energy of each hit; see the protocol.

        Raises
        ------
        FormatError
            If the operating system reports a read error.
        """
        self.report = ReadReport()
        first = 0
        for piece in pieces(self.info.path, chunk_bytes=self._chunk_bytes, report=self.report):
            for frames, good in good_frames(piece, self.report):
                if len(good):
                    self.report.n_read += len(good)
                    with np.errstate(invalid="ignore"):
                        energy = frames["energy"][good].astype(np.float64)
                    yield ListModeEvents(
                        entry=first + good,
                        long_charge=energy,
                        board=frames["crystal"][good].astype(np.int32),
                        timestamp_ps=TICK_PS * frames["tick"][good].astype(np.int64),
                    )
                first += len(frames)
