"""CAEN CoMPASS CSV files; the columns are described in :mod:`discrimen.formats.compass.csv_layout`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, FormatError
from discrimen.formats.base import Format, ReadOptions, ReadReport, RunInfo, no_waveforms
from discrimen.formats.compass.boards import BoardPeriods
from discrimen.formats.compass.csv_layout import CsvLayout, find_csv_layout, first_lengths, header_columns
from discrimen.formats.compass.csv_rows import (
    Rows,
    UsualLengths,
    finite_number,
    hexadecimals,
    numbers,
    regular_rows,
    split_rows,
    whole_numbers,
)
from discrimen.formats.compass.csv_writer import CompassCsvWriter
from discrimen.formats.compass.files import open_run_file
from discrimen.formats.compass.settings import find_compass_settings, with_companion
from discrimen.formats.compass.writer import KEPT
from discrimen.formats.records import read_by_threads
from discrimen.pulses import FAKE_FLAGS, Pulses
from discrimen.pulses.list_mode import ListModeEvents, events_of_columns

_MOST_BLOCK_BYTES = 2**20
_MOST_LINE_BYTES = 64 * 2**20
_SAMPLE_DIGITS = 5
_MOST_FLAGS = 0xFFFFFFFF


class CompassCsvReader:
    """Reader of one CoMPASS CSV file.

    The column `energy` is ENERGY where the file has it, else CALIB_ENERGY. A row that lacks columns, or holds something
    else than numbers or samples beyond 65535, is counted as damaged; so is a row of a length that no other row has, in
    a file of many, and one with fewer samples than usual right before a damaged one: the two are one row that was torn.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        Settings and size of the chunks.

    Raises
    ------
    FormatError
        If the file cannot be read or is no CoMPASS CSV.
    SettingsError
        If the settings.xml beside it is broken, or several contradict each other.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._block_bytes = max(256, min(options.chunk_bytes, _MOST_BLOCK_BYTES))
        self.report = ReadReport()
        self._layout = find_csv_layout(path)
        self.waveforms = self._layout.waveforms
        companion = find_compass_settings(path, given=options.companion, known=options.settings)
        settings, source = with_companion(path, options.settings, companion)
        self._periods_ns = BoardPeriods(options.settings.sample_period_ns, companion)
        self.info = RunInfo(
            path=path,
            format=FORMAT.name,
            layout=f"CoMPASS CSV{'' if self._layout.waveforms else ', charges only'} ({self._layout})",
            settings=settings,
            settings_source=source,
        )

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once and yield its pulses; see :meth:`discrimen.formats.base.Reader.chunks`.

        Raises
        ------
        DataError
            If no event of the file has a waveform.
        FormatError
            If the operating system reports a read error, or a line never ends.
        """
        self.report = report = ReadReport()
        if not self._layout.waveforms:
            raise no_waveforms(self.info)
        for table in self._tables(report):
            for samples, columns in table.groups():
                yield from self._by_period(samples, columns, report)
        if report.n_empty and not report.n_read and not report.n_fake:
            raise DataError(f"{self._path}: none of its {report.n_empty} events has a waveform (all have 0 samples)")

    def _tables(self, report: ReadReport) -> Iterator[_Table]:
        entry = 0
        usual = UsualLengths(first_lengths(self._path, self._layout))
        for block, regular in read_by_threads(self._blocks(), self._regular_rows):
            rows = split_rows(np.frombuffer(block.text, np.uint8)) if regular is None else regular
            table = _Table(self._layout, rows, block, entry, report)
            table.note_lengths(usual)
            entry += len(rows.first)
            yield table

    def _regular_rows(self, block: _Block) -> Rows | None:
        return regular_rows(block.text, n_columns=len(self._layout.columns)) if self.waveforms else None

    def _blocks(self) -> Iterator[_Block]:
        """Yield blocks of whole lines."""
        with open_run_file(self._path) as stream:
            offset = stream.seek(self._layout.start)
            rest = b""
            while True:
                try:
                    read = stream.read(max(self._block_bytes, len(rest)))
                except OSError as error:
                    raise FormatError(f"cannot read: {error.strerror or error}", self._path, offset) from error
                if not read:
                    break
                cut = read.rfind(b"\n") + 1
                if cut:
                    text = b"".join((rest, memoryview(read)[:cut]))
                    yield _Block(text, offset, ended=True)
                    offset += len(text)
                    rest = read[cut:]
                else:
                    rest += read
                if len(rest) > _MOST_LINE_BYTES:
                    problem = f"a line of more than {_MOST_LINE_BYTES} bytes; is this a text file?"
                    raise FormatError(problem, self._path, offset)
            if rest:
                yield _Block(rest + b"\n", offset, ended=False)

    def _by_period(
        self, samples: NDArray[np.uint16], columns: dict[str, NDArray[Any]], report: ReadReport
    ) -> Iterator[Pulses]:
        board = columns.get("board", np.full(len(samples), -1, np.int32))
        for period_ns, chosen in self._periods_ns.split(board):
            pulses = Pulses(samples=samples, sample_period_ns=period_ns, **columns)
            part = pulses if chosen is None else pulses[chosen]
            report.n_read += len(part)
            yield part


class CompassCsvListReader(CompassCsvReader):
    """Reader of one CoMPASS CSV file without waveforms; a :class:`~discrimen.formats.base.ListModeReader`."""

    def event_chunks(self) -> Iterator[ListModeEvents]:
        """Read the file once and yield its events; see the protocol.

        Raises
        ------
        FormatError
            If the operating system reports a read error, or a line never ends.
        """
        self.report = report = ReadReport()
        for table in self._tables(report):
            columns = table.events()
            if len(columns["entry"]):
                report.n_read += len(columns["entry"])
                yield events_of_columns(columns)


def open_compass_csv(path: Path, options: ReadOptions) -> CompassCsvReader:
    """Open a file with waveforms or without; see :class:`CompassCsvReader`."""
    reader = CompassCsvReader(path, options)
    return reader if reader.waveforms else CompassCsvListReader(path, options)


@dataclass(frozen=True, slots=True)
class _Block:
    """Whole lines, where they start in the file, and whether the last one had its newline."""

    text: bytes
    offset: int
    ended: bool


class _Table:
    """The rows of one block, turned into pulses of equal length; damage is counted on the way."""

    def __init__(self, layout: CsvLayout, rows: Rows, block: _Block, entry: int, report: ReadReport) -> None:
        self._layout = layout
        self._rows = rows
        self._block = block
        self.report = report
        self._entry = entry + np.arange(len(rows.first), dtype=np.int64)
        self._lengths = rows.n_tokens - len(layout.columns)
        self._problem: dict[int, str] = {}

    def note_lengths(self, usual: UsualLengths) -> None:
        """Note rows that lack columns, have a length that no other row has, or are cut by the end of the file."""
        cut = len(self._lengths) > 0 and not self._block.ended  # a last line may hold nothing but its end
        if cut and (self._lengths[-1] not in usual or self._entry[-1] == 0):
            self._note([len(self._lengths) - 1], "truncated last event")
        self._note(np.flatnonzero(self._lengths < 0), "missing columns")
        self._note(usual.unusual(self._lengths), "unusual number of samples")

    def groups(self) -> list[tuple[NDArray[np.uint16], dict[str, NDArray[Any]]]]:
        """Return samples and columns of the good rows, one group for each length."""
        lengths = self._lengths
        parsed = []
        for n_samples in np.unique(lengths[lengths >= 0]):
            at = np.flatnonzero(lengths == n_samples)
            parsed.append((at, self._samples(at, int(n_samples)), self._columns(at)))
        self._note_torn()
        groups = []
        for at, samples, columns in parsed:
            kept = self._kept(at, samples.shape[1], columns)
            if kept.all() and len(kept):
                groups.append((samples, columns))
            elif kept.any():
                groups.append((samples[kept], {name: column[kept] for name, column in columns.items()}))
        self._report_problems()
        return groups

    def events(self) -> dict[str, NDArray[Any]]:
        """Return the columns of the good rows, whose samples are none."""
        at = np.flatnonzero(self._lengths == 0)
        self._note(np.flatnonzero(self._lengths > 0), "more columns than the header line")
        columns = self._columns(at)
        kept = self._kept(at, None, columns)
        self._report_problems()
        return {name: column[kept] for name, column in columns.items()}

    def _report_problems(self) -> None:
        for row, problem in sorted(self._problem.items()):
            self.report.add_damage(problem, offset=self._offset(row))

    def _samples(self, at: NDArray[np.intp], n_samples: int) -> NDArray[np.uint16]:
        if self._rows.samples is not None:
            return self._rows.samples  # all rows of the block have one length
        first = self._rows.first[at] + len(self._layout.columns)
        tokens = first[:, None] + np.arange(n_samples)
        values, bad = whole_numbers(self._rows, tokens, most_digits=_SAMPLE_DIGITS)
        for row in np.flatnonzero(bad.any(axis=1)):
            for column in np.flatnonzero(bad[row]):
                value = _tolerant(self._rows.token(tokens[row, column]))
                if value is None:
                    self._note(at[row : row + 1], "not a number")
                    break
                values[row, column] = value
        self._note(at[((values < 0) | (values > 0xFFFF)).any(axis=1)], "sample out of range")
        return values.astype(np.uint16)

    def _columns(self, at: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
        columns: dict[str, NDArray[Any]] = {"entry": self._entry[at]}
        for name in ("BOARD", "CHANNEL", "TIMETAG"):
            if name in self._layout.columns:
                values, bad = whole_numbers(self._rows, self._tokens(at, name))
                self._note(at[bad], "not a number")
                columns["timestamp_ps" if name == "TIMETAG" else name.lower()] = values
        for name in ("board", "channel"):
            if name in columns:
                self._note(at[columns[name] > 0xFFFF], "board or channel out of range")
                columns[name] = columns[name].astype(np.int32)
        if "FLAGS" in self._layout.columns:
            read = whole_numbers if self._layout.decimal_flags else hexadecimals
            flags, bad = read(self._rows, self._tokens(at, "FLAGS"))
            self._note(at[bad | (flags > _MOST_FLAGS)], "FLAGS no number of 32 bits")
            columns["flags"] = flags.astype(np.uint32)
        energy = "ENERGY" if "ENERGY" in self._layout.columns else "CALIB_ENERGY"
        for name, source in {"energy": energy, "energy_short": "ENERGYSHORT"}.items():
            if source in self._layout.columns:
                columns[name], bad = numbers(self._rows, self._tokens(at, source))
                self._note(at[bad], "not a number")
        return columns

    def _tokens(self, at: NDArray[np.intp], name: str) -> NDArray[np.int64]:
        return self._rows.first[at] + self._layout.columns.index(name)

    def _note(self, rows: Iterable[int], problem: str) -> None:
        for row in rows:
            self._problem.setdefault(int(row), problem)

    def _note_torn(self) -> None:
        """Note rows that are shorter than the longest and come right before a damaged row."""
        lengths = self._lengths
        if not len(lengths):
            return
        longest = lengths.max()
        for row in [row for row in self._problem if row > 0 and 0 <= lengths[row - 1] < longest]:
            self._problem.setdefault(row - 1, "torn row")

    def _kept(self, at: NDArray[np.intp], n_samples: int | None, columns: dict[str, NDArray[Any]]) -> NDArray[np.bool_]:
        good = ~np.isin(at, np.fromiter(self._problem, np.intp, len(self._problem)))
        if "flags" in columns:
            fake = good & ((columns["flags"] & np.uint32(FAKE_FLAGS)) != 0)
            self.report.n_fake += int(np.count_nonzero(fake))
            good &= ~fake
        if n_samples == 0:
            self.report.n_empty += int(np.count_nonzero(good))
            return np.zeros(len(at), bool)
        return good

    def _offset(self, row: int) -> int:
        return self._block.offset + int(self._rows.starts[self._rows.first[row]])


def _tolerant(token: bytes) -> int | None:
    """Return a whole number written with spaces or as ``892.0``, or None."""
    value = finite_number(token)
    return int(value) if value is not None and value.is_integer() and abs(value) < 2**31 else None


def recognises(path: Path, head: bytes) -> bool:
    """Whether a file that starts with these bytes is a CoMPASS CSV file."""
    named = header_columns(head)
    if named is not None:
        return "TIMETAG" in named[0] and len(named[0]) > 2
    first = head.split(b"\n", 1)[0].split(b";")
    numeric = len(first) >= 3 and all(token.strip()[:1].isdigit() for token in first[:3])
    return path.suffix.lower() == ".csv" and numeric and any(b"0x" in token.lower() for token in first[2:7])


FORMAT = Format(
    name="compass-csv",
    description="CAEN CoMPASS text (.csv)",
    suffixes=(".csv",),
    recognises=recognises,
    open_reader=open_compass_csv,
    open_writer=CompassCsvWriter,
    keeps=KEPT,
    takes=("companion",),
)
"""The row of the table of formats."""
