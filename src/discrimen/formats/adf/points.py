"""Interaction points that AGATA's search found (data:psa): read, and written for tests and for programs that track.

A frame holds 24 bytes on the crystal and 42 on each point, little-endian.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.adf.frames import KEY, PSA, TICK_PS, AdfFrame, adf_frames
from discrimen.formats.base import DEFAULT_CHUNK_BYTES, ReadReport
from discrimen.formats.staged_writer import StagedWriter
from discrimen.pulses.interaction_points import NOT_LOCATED, InteractionPoints

PSA_HEAD = np.dtype(
    [
        ("crystal", "<u2"),
        ("status", "<u2"),
        ("energies", "<f4", (2,)),
        ("times", "<f4", (2,)),
        ("search_status", "<u2"),
        ("n_points", "<u2"),
    ]
)
PSA_POINT = np.dtype(
    [
        ("status", "<u2"),
        ("segment", "<i2"),
        ("crystal", "<i2"),
        ("x", "<f4"),
        ("y", "<f4"),
        ("z", "<f4"),
        ("e", "<f4"),
        ("t", "<f4"),
        ("corrections", "<f4", (4,)),
    ]
)

EVENT_PSA = 0xCA010102
WRONG_LENGTH = "data:psa frame whose length is not that of its points"
NO_POINT = "data:psa frame(s) without a point"


def good_heads(frames: Sequence[AdfFrame], report: ReadReport) -> tuple[NDArray[np.void], list[int]]:
    """Return the heads of data:psa frames as long as they say, and their positions; others are counted as damage."""
    good = [number for number, frame in enumerate(frames) if _fits(frame.payload)]
    bad = [frame for frame in frames if not _fits(frame.payload)]
    if bad:
        report.add_damage(WRONG_LENGTH, offset=bad[0].offset, count=len(bad))
    content = b"".join(frames[number].payload[: PSA_HEAD.itemsize] for number in good)
    return np.frombuffer(content, PSA_HEAD), good


def _fits(payload: bytes) -> bool:
    if len(payload) < PSA_HEAD.itemsize:
        return False
    n_points = int.from_bytes(payload[PSA_HEAD.itemsize - 2 : PSA_HEAD.itemsize], "little")
    return len(payload) == PSA_HEAD.itemsize + n_points * PSA_POINT.itemsize


def adf_points(
    path: Path, *, report: ReadReport | None = None, chunk_bytes: int = DEFAULT_CHUNK_BYTES
) -> Iterator[InteractionPoints]:
    """Read the interaction points of an ADF file, piece by piece.

    Parameters
    ----------
    path : Path
        The file.
    report : ReadReport, optional
        Counts what is read, damaged or passed over; `n_read` counts hits.
    chunk_bytes : int
        About how much of the file to hold at a time.

    Yields
    ------
    InteractionPoints
        With the energy of the core and the status of the search; `event` counts the data:psa frames.

    Raises
    ------
    FormatError
        If the file cannot be read.
    """
    report = ReadReport() if report is None else report
    first = 0
    for frames in adf_frames(path, frozenset([PSA]), chunk_bytes=chunk_bytes, report=report):
        heads, good = good_heads(frames, report)
        report.n_read += len(good)
        n_empty = int((heads["n_points"] == 0).sum())
        if n_empty:
            report.add_remark(NO_POINT, count=n_empty)
        if len(good) > n_empty:
            points = _points([frames[number] for number in good], heads, first + np.array(good, np.int64))
            _tell_lost(points, report)
            yield points
        first += len(frames)


def _tell_lost(points: InteractionPoints, report: ReadReport) -> None:
    n_lost = int((~points.is_located).sum())
    if n_lost:
        report.add_remark(NOT_LOCATED, count=n_lost)


def _points(frames: Sequence[AdfFrame], heads: NDArray[np.void], event: NDArray[np.int64]) -> InteractionPoints:
    points = np.frombuffer(b"".join(frame.payload[PSA_HEAD.itemsize :] for frame in frames), PSA_POINT)
    which = np.repeat(np.arange(len(frames)), heads["n_points"])
    times_ps = np.array([frame.timestamp_ps for frame in frames], np.int64)
    return InteractionPoints(
        event=event[which],
        crystal=heads["crystal"][which],
        segment=points["segment"],
        x_mm=points["x"],
        y_mm=points["y"],
        z_mm=points["z"],
        energy_kev=points["e"],
        timestamp_ps=times_ps[which],
        core_energy_kev=heads["energies"][which, 0],
        status=heads["search_status"][which],
    )


class AdfPointsWriter(StagedWriter):
    """Writer of interaction points as data:psa frames; hits of one time that follow each other become one event.

    Parameters
    ----------
    path : Path
        The final name; the file is complete or absent.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._stream: IO[bytes] | None = None
        self._n_events = 0

    def _open(self, stack: ExitStack) -> None:
        self._stream = self._open_run_file(stack)
        stack.callback(setattr, self, "_stream", None)

    def write(self, points: InteractionPoints) -> None:
        """Append hits; all points of a hit must come at once.

        Raises
        ------
        DataError
            If a value does not fit the format.
        """
        if self._stream is None:
            raise DataError(f"{self._path}: open the writer with 'with' before writing")
        begins = points.begins()
        ends = np.append(begins[1:], len(points))
        ticks = (points.timestamp_ps[begins] + TICK_PS // 2) // TICK_PS
        _check(points, ticks)
        is_new = np.append(True, ticks[1:] != ticks[:-1])[: len(ticks)]
        for hits in np.split(np.arange(len(begins)), np.flatnonzero(is_new)[1:]) if len(begins) else ():
            frames = b"".join(
                psa_frame(points[begins[hit] : ends[hit]], event=self._n_events, tick=int(ticks[hit]))
                for hit in hits.tolist()
            )
            key = KEY.pack(KEY.size + len(frames), EVENT_PSA, self._n_events % 2**32, int(ticks[hits[0]]))
            self._stream.write(key + frames)
            self._n_events += 1


def _check(points: InteractionPoints, ticks: NDArray[np.int64]) -> None:
    limits: dict[str, tuple[NDArray[Any], int, int]] = {
        "crystals": (points.crystal, 0, 2**15),
        "segments": (points.segment, -(2**15), 2**15),
        "times in steps of 10 ns": (ticks, 0, 2**48),
    }
    for what, (values, lowest, beyond) in limits.items():
        if values.size and not (values.min() >= lowest and values.max() < beyond):
            raise DataError(f"data:psa stores {what} of {lowest} to {beyond - 1}, got {values.min()} to {values.max()}")


def psa_frame(points: InteractionPoints, *, event: int, tick: int) -> bytes:
    """Return the points of one hit as a data:psa frame; what is not known is zero."""
    head = np.zeros(1, PSA_HEAD)
    head["crystal"], head["n_points"] = points.crystal[0], len(points)
    core = points.core_energy_kev
    head["energies"] = points.energy_kev.sum() if core is None else core[0]
    if points.status is not None:
        head["search_status"] = points.status[0]
    rows = np.zeros(len(points), PSA_POINT)
    names = {"segment": "segment", "crystal": "crystal", "x": "x_mm", "y": "y_mm", "z": "z_mm", "e": "energy_kev"}
    for name, column in names.items():
        rows[name] = getattr(points, column)
    payload = head.tobytes() + rows.tobytes()
    return KEY.pack(KEY.size + len(payload), PSA, event % 2**32, tick) + payload
