"""Scores as a ROOT friend tree: one row for each entry of the run file, in its order, as ``AddFriend`` wants them.

The tree is called ``discrimen``. Entries without a pulse (fake, empty or damaged events, channels that were not chosen)
have ``has_pulse`` false, NaN scores, and -1 for time stamp, board and channel. Rows may come out of order: they wait in
a scratch file beside the result, mapped into memory, so that the memory of the process stays small.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, FormatError, require_module
from discrimen.formats.root.file import RootTree, open_root, reading, tree_names
from discrimen.scoring.score_rows import ScoreTable, StagedScoreWriter, table_of

TREE = "discrimen"
PROVENANCE = "provenance"
HAS_PULSE = "has_pulse"

_SLICE_ROWS = 131_072
_ABSENT = -1
_UNKNOWN = ("timestamp_ps", "board", "channel", "class_number")


class RootScoreWriter(StagedScoreWriter):
    """Writes scores as a friend tree; a :class:`~discrimen.scoring.scores.ScoreWriter`.

    Parameters
    ----------
    path, classes, attributes
        See :class:`~discrimen.scoring.score_rows.StagedScoreWriter`.
    n_entries : int or None
        Number of events in the run file; None: as many as the last entry written says.
    """

    def __init__(
        self, path: Path, *, classes: Sequence[str], attributes: Mapping[str, str], n_entries: int | None
    ) -> None:
        super().__init__(path, classes=classes, attributes=attributes)
        self._uproot = require_module("uproot", extra="root")
        self._n_entries = n_entries
        self._n_rows = 0
        self._row: np.dtype[Any] = np.dtype([(HAS_PULSE, np.bool_)])
        self._rows: NDArray[Any] = np.empty(0, dtype=self._row)

    @contextmanager
    def _open(self, part: Path) -> Iterator[None]:
        with tempfile.TemporaryFile(dir=part.parent, prefix=f"{part.name}.") as scratch:
            self._scratch, self._part = scratch, part
            try:
                yield
            finally:
                self._rows = np.empty(0, dtype=self._row)

    def _begin(self, columns: Mapping[str, NDArray[Any]]) -> None:
        fields = [(name, values.dtype) for name, values in columns.items() if name != "entry"]
        self._row = np.dtype([(HAS_PULSE, np.bool_), *fields])
        self._reserve(self._n_entries or 0)

    def _append(self, columns: Mapping[str, NDArray[Any]]) -> None:
        entry = columns["entry"]
        if not len(entry):
            return
        self._check_entries(entry)
        self._n_rows = max(self._n_rows, int(entry.max()) + 1)
        if self._n_rows > len(self._rows):
            self._reserve(max(self._n_rows, 2 * len(self._rows), _SLICE_ROWS))
        rising = bool((entry[1:] > entry[:-1]).all())
        if not (rising or len(np.unique(entry)) == len(entry)) or self._rows[HAS_PULSE][entry].any():
            raise DataError(
                f"{self._path}: an entry has two rows, among entries {entry.min()} to {entry.max()}; where they hold "
                "several pulses, write .h5, .parquet or .csv"
            )
        rows = np.empty(len(entry), dtype=self._row)
        rows[HAS_PULSE] = True
        for name in _names(self._row)[1:]:
            rows[name] = columns[name]
        self._rows[entry] = rows

    def _complete(self) -> None:
        n_rows = self._n_rows if self._n_entries is None else self._n_entries
        types = {name: self._row[name] for name in _names(self._row)}
        # ROOT reads Zstandard from 6.20 (2020) on; zlib takes five times as long for a file that is hardly smaller.
        with self._uproot.recreate(self._part, compression=self._uproot.ZSTD(1)) as file:
            file[PROVENANCE] = json.dumps(self._attributes)
            tree = file.mktree(TREE, {"entry": np.dtype(np.int64)} | types, title="neutron/gamma scores")
            for start in range(0, n_rows, _SLICE_ROWS):
                rows = self._rows[start : min(start + _SLICE_ROWS, n_rows)]
                tree.extend({"entry": np.arange(start, start + len(rows))} | _columns_of(rows))

    def _check_entries(self, entry: NDArray[np.int64]) -> None:
        highest = np.iinfo(np.int64).max if self._n_entries is None else self._n_entries - 1
        if entry.min() < 0 or entry.max() > highest:
            raise DataError(f"{self._path}: expected entries from 0 to {highest}, got {entry.min()} to {entry.max()}")

    def _reserve(self, n_rows: int) -> None:
        """Make room on the disk before it is mapped: a full disk is then an error here and not a signal later."""
        n_bytes = n_rows * self._row.itemsize
        if n_bytes:
            os.posix_fallocate(self._scratch.fileno(), 0, n_bytes)
            self._rows = np.memmap(self._scratch, dtype=self._row, mode="r+", shape=(n_rows,))


def read_root_scores(path: Path) -> ScoreTable:
    """Read what :class:`RootScoreWriter` wrote, leaving out the entries without a pulse.

    Raises
    ------
    FormatError
        If it is no such file.
    """
    attributes = read_root_attributes(path)
    with open_root(path) as file:
        tree = RootTree(file, TREE, path)
        columns = {name: tree.read_scalar(name, 0, tree.n_entries) for name in tree.branches}
    try:
        chosen = columns.pop(HAS_PULSE)
        return table_of({name: values[chosen] for name, values in columns.items()}, attributes)
    except (DataError, KeyError) as error:
        raise FormatError(f"no file of scores: {error}", path) from error


def read_root_attributes(path: Path) -> dict[str, str]:
    """Read the provenance that :class:`RootScoreWriter` wrote.

    Raises
    ------
    FormatError
        If it is no such file.
    """
    with open_root(path) as file:
        with reading(path):
            there = set(file.keys(recursive=False, cycle=False))
        if not {TREE, PROVENANCE} <= there or TREE not in tree_names(file, path):
            raise FormatError(f"no file of scores: expected a tree '{TREE}' and '{PROVENANCE}' in it", path)
        with reading(path):
            attributes: dict[str, str] = json.loads(str(file[PROVENANCE]))
            return attributes


def _columns_of(rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return the columns of rows, with what stands for no pulse where no row was written."""
    columns = {name: np.array(rows[name]) for name in _names(rows.dtype)}
    absent = ~columns[HAS_PULSE]
    for name, values in columns.items():
        if values.dtype.kind == "f":
            values[absent] = np.nan
        elif name in _UNKNOWN:
            values[absent] = _ABSENT
    return columns


def _names(row: np.dtype[Any]) -> tuple[str, ...]:
    assert row.names is not None
    return row.names
