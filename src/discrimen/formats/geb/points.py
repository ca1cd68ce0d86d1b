"""Interaction points of GEB streams (mode 2): read, and written for programs that track gamma rays.

A frame of type 1, little-endian: what is known of the hit, and room for 16 points.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.base import DEFAULT_CHUNK_BYTES, ReadReport
from discrimen.formats.geb.frames import HEAD, HEAD_BYTES, LATEST_TICK, POINTS, POINTS_BYTES, TICK_PS, Piece, pieces
from discrimen.formats.geb.survey import name_of
from discrimen.formats.staged_writer import StagedWriter
from discrimen.pulses.interaction_points import NOT_LOCATED, InteractionPoints

MOST_POINTS = 16
MARK = 0xABCD5678

_POINT = np.dtype(
    [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("e", "<f4"), ("segment", "<i4"), ("segment_energy", "<f4")]
)
POINTS_FRAME = np.dtype(
    [
        ("mark", "<u4"),
        ("crystal", "<i4"),
        ("n_points", "<i4"),
        ("energy", "<f4"),
        ("core_energies", "<i4", (4,)),
        ("tick", "<i8"),
        ("trigger_tick", "<i8"),
        ("t0", "<f4"),
        ("cfd", "<f4"),
        ("chi_square", "<f4"),
        ("normalised_chi_square", "<f4"),
        ("baseline", "<f4"),
        ("prestep", "<f4"),
        ("poststep", "<f4"),
        ("pad", "<i4"),
        ("points", _POINT, (MOST_POINTS,)),
    ]
)
"""The load of a frame."""

OTHER_LAYOUT = "GEB frame(s): interaction points (mode 2), of another layout than 0xabcd5678"
WRONG_NUMBER = f"mode 2 frame whose number of points is not 0 to {MOST_POINTS}"
WRONG_TIME = "mode 2 frame with an impossible time stamp"
NO_POINT = "mode 2 frame(s) without a point"


def good_frames(piece: Piece, report: ReadReport) -> Iterator[tuple[NDArray[np.void], NDArray[np.int64]]]:
    """Yield the frames of mode 2 of a piece that can be read, and their positions among those of each stretch.

    Others are counted: damaged ones as damage, other types as passed over.
    """
    for stretch in piece.stretches:
        if stretch.type != POINTS or stretch.frame_bytes != HEAD_BYTES + POINTS_BYTES:
            report.pass_over(name_of(stretch.type, stretch.frame_bytes), count=stretch.count)
            continue
        frames = np.ascontiguousarray(piece.rows(stretch)[:, HEAD_BYTES:]).view(POINTS_FRAME)[:, 0]
        is_good = frames["mark"] == MARK
        if not is_good.all():
            report.pass_over(OTHER_LAYOUT, count=int((~is_good).sum()))
        faults = {
            WRONG_NUMBER: (frames["n_points"] < 0) | (frames["n_points"] > MOST_POINTS),
            WRONG_TIME: (frames["tick"] < 0) | (frames["tick"] >= LATEST_TICK),
        }
        for kind, is_bad in faults.items():
            bad = np.flatnonzero(is_good & is_bad)
            if len(bad):
                offset = piece.offset + stretch.at + int(bad[0]) * stretch.frame_bytes
                report.add_damage(kind, offset=offset, count=len(bad))
                is_good = is_good & ~is_bad
        yield frames, np.flatnonzero(is_good)


def geb_points(
    path: Path, *, report: ReadReport | None = None, chunk_bytes: int = DEFAULT_CHUNK_BYTES
) -> Iterator[InteractionPoints]:
    """Read the interaction points of a GEB stream, piece by piece.

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
        With the core's energy, the chi-square and the status; `event` counts the frames of mode 2.

    Raises
    ------
    FormatError
        If the file cannot be read.
    """
    report = ReadReport() if report is None else report
    first = 0
    for piece in pieces(path, chunk_bytes=chunk_bytes, report=report):
        for frames, good in good_frames(piece, report):
            n_empty = int((frames["n_points"][good] == 0).sum())
            if n_empty:
                report.add_remark(NO_POINT, count=n_empty)
            report.n_read += len(good)
            if len(good) > n_empty:
                points = _points(frames[good], first + good)
                _tell_lost(points, report)
                yield points
            first += len(frames)


def _tell_lost(points: InteractionPoints, report: ReadReport) -> None:
    n_lost = int((~points.is_located).sum())
    if n_lost:
        report.add_remark(NOT_LOCATED, count=n_lost)


def _points(frames: NDArray[np.void], event: NDArray[np.int64]) -> InteractionPoints:
    which, number = np.nonzero(np.arange(MOST_POINTS) < frames["n_points"][:, np.newaxis])
    point, of_hit = frames["points"][which, number], frames[which]
    return InteractionPoints(
        event=event[which],
        crystal=of_hit["crystal"],
        segment=point["segment"],
        x_mm=point["x"],
        y_mm=point["y"],
        z_mm=point["z"],
        energy_kev=point["e"],
        timestamp_ps=TICK_PS * of_hit["tick"].astype(np.int64),
        core_energy_kev=of_hit["energy"],
        chi_square=of_hit["chi_square"],
        status=of_hit["pad"],
    )


class GebPointsWriter(StagedWriter):
    """Writer of interaction points as frames of mode 2, one a hit.

    Parameters
    ----------
    path : Path
        The final name; the file is complete or absent.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._stream: IO[bytes] | None = None

    def _open(self, stack: ExitStack) -> None:
        self._stream = self._open_run_file(stack)
        stack.callback(setattr, self, "_stream", None)

    def write(self, points: InteractionPoints) -> None:
        """Append hits; all points of a hit must come at once.

        Raises
        ------
        DataError
            If a hit has more than 16 points, or a time that cannot be stored.
        """
        if self._stream is None:
            raise DataError(f"{self._path}: open the writer with 'with' before writing")
        self._stream.write(points_as_bytes(points))


def points_as_bytes(points: InteractionPoints) -> bytes:
    """Return hits as frames of mode 2; what is not known is zero, the energy of a hit then the sum of its points.

    Raises
    ------
    DataError
        If a hit has more than 16 points, or a time that cannot be stored.
    """
    begins = points.begins()
    counts = np.diff(np.append(begins, len(points)))
    ticks = (points.timestamp_ps[begins] + TICK_PS // 2) // TICK_PS
    if len(counts) and counts.max() > MOST_POINTS:
        raise DataError(f"mode 2 stores up to {MOST_POINTS} points of a hit, got {counts.max()}")
    if len(ticks) and not (ticks.min() >= 0 and ticks.max() < LATEST_TICK):
        raise DataError(f"mode 2 stores times from 0 to {LATEST_TICK * TICK_PS} ps, got {points.timestamp_ps.min()} ps")
    frames = np.zeros(len(begins), np.dtype([("head", HEAD), ("load", POINTS_FRAME)]))
    frames["head"]["type"], frames["head"]["load_bytes"] = POINTS, POINTS_BYTES
    frames["head"]["tick"] = ticks
    load = frames["load"]
    load["mark"], load["n_points"], load["tick"] = MARK, counts, ticks
    for name, values in _of_hits(points, begins).items():
        load[name] = values
    which = np.repeat(np.arange(len(begins)), counts)
    slot = np.arange(len(points)) - begins[which]
    names = {"x": "x_mm", "y": "y_mm", "z": "z_mm", "e": "energy_kev", "segment": "segment"}
    for name, column in names.items():
        load["points"][name][which, slot] = getattr(points, column)
    load["points"]["segment_energy"][which, slot] = _segment_energies(points, which)
    return frames.tobytes()


def _of_hits(points: InteractionPoints, begins: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    core = points.core_energy_kev
    values = {
        "crystal": points.crystal[begins],
        "energy": np.add.reduceat(points.energy_kev, begins) if core is None and len(begins) else None,
    }
    if core is not None:
        values["energy"] = core[begins]
    for name, column in (("chi_square", points.chi_square), ("pad", points.status)):
        values[name] = None if column is None else column[begins]
    return {name: column for name, column in values.items() if column is not None}


def _segment_energies(points: InteractionPoints, which: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return for each point the energy that all points of its hit left in its segment."""
    key = np.stack([which, points.segment.astype(np.int64)], axis=1)
    _, inverse = np.unique(key, axis=0, return_inverse=True)
    sums = np.bincount(inverse.reshape(-1), weights=points.energy_kev)
    return np.asarray(sums[inverse.reshape(-1)])
