"""Scores as an MFM file of GANIL: one NEDACOMP frame a pulse, for programs that read these frames.

The field NeuralNetWork holds 65535 times the neutron score, rounded to the nearest whole number; NeutronFlag is 1 where
the pulse counts as a neutron, else 0. A pulse that could not be scored has 0 in both, and 255 as number of zero
crossings, which otherwise is 0. Of a run of NEDA's raw frames, event number, time stamp, location, TDC and integrals
are those of the frame; of any other run the event number is the entry, location and time come from board, channel and
time stamp, and the rest is 0. Energy, time and rise time are 0: they are not computed here.

Provenance stands in an XML frame at the beginning. Where entries of the run have no row, a small XML frame before the
next row says its entry: so entries are read back, and every other program passes over it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import escape, unescape

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.formats.base import opened_to_read
from discrimen.formats.mfm.frames import (
    HEAD_BYTES,
    NEDA_COMP,
    NEDA_COMP_BYTES,
    XML_DESCRIPTION,
    XML_FILE_HEADER,
    Layout,
    head_at,
)
from discrimen.formats.mfm.neda import BOARD_BITS, FULL_SCORE, NOT_SCORED_ZEROS, TICK_PS, compressed_type, places, ticks
from discrimen.formats.mfm.reader import scores_of
from discrimen.formats.mfm.source_frames import COPIED, SourceFrames, holds_raw_frames
from discrimen.formats.mfm.writer import blob_head_bytes, location_of, time_bytes
from discrimen.scoring.score_rows import SCORE_PREFIX, ScoreTable, StagedScoreWriter, table_of

NEUTRON = "neutron"

_FIRST, _LAST = b"<discrimen_scores>", b"</discrimen_scores>"
_GAP = "<entry>{:019d}</entry>"
_GAP_DIGITS = slice(HEAD_BYTES + 7, HEAD_BYTES + 26)
_HEAD = blob_head_bytes(NEDA_COMP, NEDA_COMP_BYTES)
_GAP_HEAD = blob_head_bytes(XML_DESCRIPTION, NEDA_COMP_BYTES)
_LARGEST_PROVENANCE = 2**24


def _layout() -> Layout:
    head = head_at(_HEAD, 0)
    assert head is not None
    return Layout(head)


class MfmScoreWriter(StagedScoreWriter):
    """Writes scores as NEDACOMP frames; a :class:`~discrimen.scoring.scores.ScoreWriter`.

    Parameters
    ----------
    path, classes, attributes
        See :class:`~discrimen.scoring.score_rows.StagedScoreWriter`.
    source : Path or None
        The run file; frames take over what the raw frames of NEDA in it say.

    Raises
    ------
    SettingsError
        If no class is called neutron.
    """

    def __init__(
        self, path: Path, *, classes: Sequence[str], attributes: Mapping[str, str], source: Path | None
    ) -> None:
        super().__init__(path, classes=classes, attributes=attributes)
        if NEUTRON not in classes:
            raise SettingsError(
                f"{path}: a NEDACOMP frame holds the score of a class called {NEUTRON}, this model has "
                f"{', '.join(classes)}: write .h5, .parquet, .root or .csv"
            )
        self._source = SourceFrames(source) if source is not None and holds_raw_frames(source) else None
        self._next_entry = 0
        self._stream: IO[bytes]

    @contextmanager
    def _open(self, part: Path) -> Iterator[None]:
        with part.open("wb") as stream:
            self._stream = stream
            yield

    def _begin(self, columns: Mapping[str, NDArray[Any]]) -> None:  # noqa: ARG002 - frames have a place for some alone
        told = json.dumps({"classes": self._classes, "attributes": self._attributes})
        content = _FIRST + escape(told).encode() + _LAST
        content += b" " * (len(content) % 2)
        if len(content) > _LARGEST_PROVENANCE:
            raise DataError(f"{self._path}: provenance of {len(content)} bytes does not fit a frame; write .h5")
        self._stream.write(blob_head_bytes(XML_FILE_HEADER, HEAD_BYTES + len(content)) + content)

    def _append(self, columns: Mapping[str, NDArray[Any]]) -> None:
        entry = columns["entry"]
        if not len(entry):
            return
        frames = self._frames(columns)
        is_gap = np.diff(entry, prepend=self._next_entry - 1) != 1
        self._next_entry = int(entry[-1]) + 1
        if not is_gap.any():
            self._stream.write(frames.tobytes())
            return
        row = np.arange(len(entry)) + np.cumsum(is_gap)
        content = np.empty((len(entry) + int(is_gap.sum()), NEDA_COMP_BYTES), np.uint8)
        content[row] = frames
        gaps = b"".join(_GAP_HEAD + _GAP.format(first).encode() for first in entry[is_gap].tolist())
        content[row[is_gap] - 1] = np.frombuffer(gaps, np.uint8).reshape(-1, NEDA_COMP_BYTES)
        self._stream.write(content.tobytes())

    def _complete(self) -> None:
        self._stream.flush()

    def _frames(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
        """Return one frame a row, shape (row, byte)."""
        n_rows = len(columns["entry"])
        content = np.zeros((n_rows, NEDA_COMP_BYTES), np.uint8)
        content[:, :HEAD_BYTES] = np.frombuffer(_HEAD, np.uint8)
        frames = content.view(compressed_type(_layout()))[:, 0]
        if self._source is None:
            frames["event_number"] = columns["entry"] & 0xFFFF_FFFF
            frames["location"] = location_of(columns.get("board"), columns.get("channel"), n_rows)
            frames["time"] = time_bytes(columns.get("timestamp_ps"), n_rows)
        else:
            raw = self._source.of_entries(columns["entry"])
            for name in COPIED:
                frames[name] = raw[name]
            frames["time"] = time_bytes(TICK_PS * raw["ticks"], n_rows)
        score = columns[SCORE_PREFIX + NEUTRON].astype(np.float64)
        is_scored = ~np.isnan(score)
        frames["neural_network"] = np.rint(FULL_SCORE * np.clip(np.where(is_scored, score, 0), 0, 1))
        frames["n_zeros"] = np.where(is_scored, 0, NOT_SCORED_ZEROS)
        frames["is_neutron"] = is_scored & (self._class_numbers(columns) == self._classes.index(NEUTRON))
        return content

    def _class_numbers(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Return what each row counts as: as told, else by its best score."""
        if "class_number" in columns:
            return columns["class_number"]
        scores = np.stack([columns[SCORE_PREFIX + name] for name in self._classes], axis=1)
        return np.asarray(np.nan_to_num(scores, nan=-1.0).argmax(axis=1))


def read_mfm_scores(path: Path) -> ScoreTable:
    """Read what :class:`MfmScoreWriter` wrote.

    Of the classes a frame knows the neutron alone: of two classes the other has the rest of the score; of more than two
    all others are one, called "other".

    Raises
    ------
    FormatError
        If it is no such file.
    """
    with opened_to_read(path) as stream:
        told = _provenance(stream, path)
        content = stream.read()
    if len(content) % NEDA_COMP_BYTES:
        raise FormatError(f"no file of scores: its last frame of {NEDA_COMP_BYTES} bytes is cut off", path)
    rows = np.frombuffer(content, np.uint8).reshape(-1, NEDA_COMP_BYTES)
    is_gap, is_score = (
        (rows[:, :4] == head[:4]).all(axis=1) & (rows[:, 5:HEAD_BYTES] == head[5:]).all(axis=1)
        for head in (np.frombuffer(_GAP_HEAD, np.uint8), np.frombuffer(_HEAD, np.uint8))
    )
    if not (is_gap | is_score).all():
        at = len(content) and int((is_gap | is_score).argmin()) * NEDA_COMP_BYTES
        raise FormatError(f"no file of scores: frame {at // NEDA_COMP_BYTES} behind the first is no score", path)
    frames = rows[is_score].view(compressed_type(_layout()))[:, 0]
    columns: dict[str, NDArray[Any]] = {
        "entry": _entries(rows, is_gap, path),
        "timestamp_ps": TICK_PS * ticks(frames, _layout(), is_raw=False),
        **places(frames["location"], board_bit=BOARD_BITS[0]),
        **_scores(frames, told["classes"]),
    }
    return table_of(columns, told["attributes"])


def read_mfm_attributes(path: Path) -> dict[str, str]:
    """Read the provenance that :class:`MfmScoreWriter` wrote.

    Raises
    ------
    FormatError
        If it is no such file.
    """
    with opened_to_read(path) as stream:
        attributes: dict[str, str] = _provenance(stream, path)["attributes"]
    return attributes


def _scores(frames: NDArray[np.void], stored: Sequence[str]) -> dict[str, NDArray[Any]]:
    score = scores_of(frames).astype(np.float32)
    classes = tuple(stored) if len(stored) == 2 else ("other", NEUTRON)
    number = np.where(frames["is_neutron"] != 0, classes.index(NEUTRON), 1 - classes.index(NEUTRON))
    number[np.isnan(score)] = -1
    both = {SCORE_PREFIX + name: score if name == NEUTRON else 1 - score for name in classes}
    return {"class_number": number.astype(np.int8), **both}


def _entries(rows: NDArray[np.uint8], is_gap: NDArray[np.bool_], path: Path) -> NDArray[np.int64]:
    """Return the entry of each score: it goes on from the one before, or from what the frame between them says."""
    digits = np.ascontiguousarray(rows[is_gap][:, _GAP_DIGITS]).view(f"S{_GAP_DIGITS.stop - _GAP_DIGITS.start}")
    try:
        first = np.concatenate([[0], digits[:, 0].astype(np.int64)])
    except ValueError as error:
        raise FormatError(f"no file of scores: {error}", path) from error
    n_gaps = np.cumsum(is_gap)
    ordinal = np.arange(len(rows)) - n_gaps
    begin = np.concatenate([[0], ordinal[is_gap] + 1])
    entries: NDArray[np.int64] = (first[n_gaps] + ordinal - begin[n_gaps])[~is_gap]
    return entries


def _provenance(stream: IO[bytes], path: Path) -> dict[str, Any]:
    """Read the first frame."""
    begin = stream.read(HEAD_BYTES)
    head = head_at(begin, 0)
    if head is None or head.type != XML_FILE_HEADER or head.bytes > HEAD_BYTES + _LARGEST_PROVENANCE:
        raise FormatError(f"no file of scores: expected an XML frame at its beginning, got {begin!r}", path)
    content = stream.read(head.bytes - HEAD_BYTES).rstrip()
    try:
        if not (content.startswith(_FIRST) and content.endswith(_LAST)):
            raise ValueError(f"its first frame begins with {content[:30]!r}, not with {_FIRST.decode()}")
        told: dict[str, Any] = json.loads(unescape(content[len(_FIRST) : -len(_LAST)].decode()))
        if NEUTRON not in told["classes"] or not isinstance(told["attributes"], dict):
            raise ValueError("its first frame names no classes")
    except (ValueError, TypeError, KeyError) as error:
        raise FormatError(f"no file of scores: {error}", path) from error
    return told
