"""Tables of text without waveforms: one event a row, one number a column, with or without a header line.

Commas, semicolons, tabs or blanks part the columns; lines that begin with ``#`` are comments, the first of which may
name the columns. A row of another length, or with a cell that is no number, is damaged and left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.base import Format, ReadOptions, ReadReport, RunInfo, WithoutWaveforms, opened_to_read
from discrimen.formats.columns import convert_column
from discrimen.formats.text_table.layout import HEAD_BYTES, find_layout, is_comment, sniff, tokens_of
from discrimen.pulses import FAKE_FLAGS
from discrimen.pulses.list_mode import ListModeEvents, events_of_columns

_MOST_BLOCK_BYTES = 4 * 2**20
_EXACT = 2**53
"""Whole numbers beyond this are no float64."""


class TextTableReader(WithoutWaveforms):
    """Reader of one table; a :class:`~discrimen.formats.base.ListModeReader`.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        Which column means what, and settings that are passed on.

    Raises
    ------
    FormatError
        If the file cannot be read or is no table of numbers.
    SettingsError
        If no column is known, or one that is named is not there.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._block_bytes = max(256, min(options.chunk_bytes, _MOST_BLOCK_BYTES))
        self.report = ReadReport()
        with opened_to_read(path) as stream:
            self._layout = find_layout(path, stream.read(HEAD_BYTES), options.branches)
        known = options.settings.model_dump(exclude_none=True)
        columns = ", ".join(f"{field} from column {place + 1}" for field, (place, _) in self._layout.fields.items())
        self.info = RunInfo(
            path=path,
            format=FORMAT.name,
            layout=f"table of {self._layout.n_columns} columns, list mode: charges only, {columns}",
            settings=options.settings,
            settings_source=dict.fromkeys(known, "command line"),
        )

    def event_chunks(self) -> Iterator[ListModeEvents]:
        """Read the file once and yield its events; see the protocol.

        Raises
        ------
        FormatError
            If the operating system reports a read error.
        """
        self.report = report = ReadReport()
        entry = 0
        header = bool(self._layout.names)
        with opened_to_read(self._path) as stream:
            offset = 0
            while block := stream.read(self._block_bytes) + stream.readline():
                lines = [
                    line for line in block.decode("utf-8-sig", errors="replace").splitlines() if not is_comment(line)
                ]
                rows = [tokens_of(line, self._layout.delimiter) for line in lines]
                if header and rows:
                    rows = rows[1:] if tuple(rows[0]) == self._layout.names else rows
                    header = False
                columns = self._columns(rows, entry, offset)
                entry += len(rows)
                offset += len(block)
                if len(columns["entry"]):
                    report.n_read += len(columns["entry"])
                    yield events_of_columns(columns)

    def _columns(self, rows: list[list[str]], entry: int, offset: int) -> dict[str, NDArray[Any]]:
        whole = [number for number, row in enumerate(rows) if len(row) == self._layout.n_columns]
        self._damage("row of another length", len(rows) - len(whole), offset)
        columns: dict[str, NDArray[Any]] = {"entry": entry + np.array(whole, np.int64)}
        good = np.ones(len(whole), bool)
        for field, (place, factor) in self._layout.fields.items():
            values, known = _numbers([rows[number][place] for number in whole])
            columns[field], fits = convert_column(values, field, factor)
            self._damage("not a number", int((good & ~known).sum()), offset)
            self._damage("value out of range", int((good & known & ~fits).sum()), offset)
            good &= known & fits
        if "flags" in columns:
            fake = good & ((columns["flags"] & np.uint32(FAKE_FLAGS)) != 0)
            self.report.n_fake += int(fake.sum())
            good &= ~fake
        return {name: values[good] for name, values in columns.items()}

    def _damage(self, kind: str, count: int, offset: int) -> None:
        if count:
            self.report.add_damage(kind, offset=offset, count=count)


def _numbers(cells: list[str]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the numbers of a column, whole ones exactly, and which cells are numbers."""
    try:
        values = np.array(cells, dtype=np.float64)
        known = np.ones(len(cells), bool)
    except ValueError:
        parsed = [_number(cell) for cell in cells]
        known = np.array([value is not None for value in parsed])
        values = np.array([0.0 if value is None else value for value in parsed])
    with np.errstate(invalid="ignore"):
        large = bool((np.abs(values[known]) >= _EXACT).any())
    if large and known.all():
        try:
            return np.array([int(cell) for cell in cells], dtype=np.int64), known
        except (ValueError, OverflowError):
            pass
    return values, known


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def recognises(path: Path, head: bytes) -> bool:
    """Whether a file begins with a line of names and a row of as many numbers."""
    del path
    found = sniff(head)
    return found is not None and bool(found[1])


FORMAT = Format(
    name="text-table",
    description="table of text with one event a row; columns named with --column FIELD=NAME or their number",
    suffixes=(".csv", ".txt", ".tsv", ".dat", ".asc"),
    recognises=recognises,
    open_reader=TextTableReader,
    takes=("branches",),
)
"""The row of the table of formats."""
