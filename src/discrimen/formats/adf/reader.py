"""Reader of ADF files: the energies of hits as a list; the payload of crystals is refused by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from discrimen.errors import DataError, FormatError
from discrimen.formats.adf.frames import (
    CALIBRATED_CRYSTAL,
    COMPOSITE,
    CRYSTAL,
    KEY,
    NAMES,
    PSA,
    adf_frames,
    is_key,
    name_of,
)
from discrimen.formats.adf.points import good_heads
from discrimen.formats.base import Format, ReadOptions, ReadReport, RunInfo
from discrimen.formats.settings_merge import merge_settings
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.list_mode import ListModeEvents

NAME = "adf"
_LOOKED_AT = 2**24
_PIECE_BYTES = 2**20
_NOT_PUBLIC = (CRYSTAL, CALIBRATED_CRYSTAL)
PLUG_IN = (
    "what they hold is not public: a package of AGATA's collaboration may read it as a plug-in (entry point "
    "'discrimen.formats', --format NAME; docs/extending.md), with the frames of discrimen.formats.adf.frames"
)


@dataclass(frozen=True, slots=True)
class Survey:
    """Frames of each type at the beginning of a file, and whether that was all of it."""

    n_frames: Counter[int]
    is_whole: bool

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {name_of(kind)}" for kind, count in sorted(self.n_frames.items()))
        return f"{'frames' if self.is_whole else f'in the first {_LOOKED_AT >> 20} MiB, frames'}: {counts}"


def survey(path: Path) -> Survey:
    """Look at the beginning of a file, and on until interaction points are found.

    Raises
    ------
    FormatError
        If it cannot be read, or holds no data:psa; frames whose payload is not public are named.
    """
    n_frames: Counter[int] = Counter()
    wanted = frozenset(kind for kind in NAMES if kind not in COMPOSITE)
    for frames in adf_frames(path, wanted, chunk_bytes=_PIECE_BYTES, report=ReadReport()):
        n_frames.update(frame.type for frame in frames)
        if frames[-1].offset > _LOOKED_AT and n_frames[PSA]:
            return Survey(n_frames, is_whole=False)
    if n_frames[PSA]:
        return Survey(n_frames, is_whole=True)
    secret = [f"{n_frames[kind]} of {name_of(kind)}" for kind in _NOT_PUBLIC if n_frames[kind]]
    if secret:
        raise FormatError(f"holds frames of AGATA's crystals ({', '.join(secret)}); {PLUG_IN}", path)
    raise FormatError(f"expected frames of data:psa, got {Survey(n_frames, is_whole=True)}", path)


class AdfReader:
    """Reader of the energies of hits in data:psa frames; a :class:`~discrimen.formats.base.ListModeReader`.

    The points themselves are read by :func:`~discrimen.formats.adf.points.adf_points`.

    Parameters
    ----------
    path : Path
    options : ReadOptions

    Raises
    ------
    FormatError
        If the file cannot be read, or holds no data:psa.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        found = survey(path)
        settings, source = merge_settings(options.settings, DetectorSettings(), found_in="file")
        self._chunk_bytes = options.chunk_bytes
        self.report = ReadReport()
        self.info = RunInfo(
            path=path,
            format=NAME,
            layout=f"ADF, {found}; interaction points and no waveforms",
            settings=settings,
            settings_source=source,
            n_entries=found.n_frames[PSA] if found.is_whole else None,
        )

    def chunks(self) -> Iterator[Pulses]:
        """Refuse: there are no waveforms that can be read.

        Raises
        ------
        DataError
            Always.
        """
        self.report = ReadReport()
        raise DataError(
            f"{self.info.path}: holds interaction points (data:psa), which discrimen.formats.adf.points reads; of "
            f"frames with traces (data:crystal), {PLUG_IN}"
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
        for frames in adf_frames(self.info.path, frozenset([PSA]), chunk_bytes=self._chunk_bytes, report=self.report):
            heads, good = good_heads(frames, self.report)
            if good:
                self.report.n_read += len(good)
                with np.errstate(invalid="ignore"):
                    energy = heads["energies"][:, 0].astype(np.float64)
                yield ListModeEvents(
                    entry=first + np.array(good, np.int64),
                    long_charge=energy,
                    board=heads["crystal"].astype(np.int32),
                    timestamp_ps=np.array([frames[number].timestamp_ps for number in good], np.int64),
                )
            first += len(frames)


def recognises(path: Path, head: bytes) -> bool:  # noqa: ARG001 - the first bytes tell
    """Whether the file begins with a key of a known type."""
    if len(head) < KEY.size or not is_key(head, 0):
        return False
    return KEY.unpack_from(head, 0)[1] in NAMES


FORMAT = Format(
    name=NAME,
    description="AGATA data flow (ADF): interaction points of data:psa (list mode)",
    suffixes=(".adf",),
    recognises=recognises,
    open_reader=AdfReader,
)
"""The row of the table of formats."""
