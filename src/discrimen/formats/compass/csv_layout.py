"""The columns of a CoMPASS CSV file, from its header line, from the first file of the run, or from its rows.

``[BOARD;CHANNEL;]TIMETAG;ENERGY[;CALIB_ENERGY][;ENERGYSHORT];FLAGS[;PROBE_CODE];SAMPLES``, the samples in all columns
that follow, FLAGS hexadecimal (``0x4000``; decimal where a spreadsheet has saved the file), TIMETAG in ps. Old versions
start at TIMETAG. Continuation files have no header line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from discrimen.errors import FormatError
from discrimen.formats.compass.csv_rows import finite_number
from discrimen.formats.compass.files import earlier_files, open_run_file

COLUMNS = ("BOARD", "CHANNEL", "TIMETAG", "ENERGY", "CALIB_ENERGY", "ENERGYSHORT", "FLAGS", "PROBE_CODE")
HEAD_BYTES = 2**20
"""How much of the file the layout is told from."""

_ROWS = 1024
_MOST_TOKENS = 64
_MOST_PROBE = 63
_MOST_BOARD, _MOST_CHANNEL = 255, 1023
_WHOLE = ("BOARD", "CHANNEL", "TIMETAG", "PROBE_CODE")


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """The columns of one file.

    Parameters
    ----------
    columns : tuple of str
        Names of the columns before the samples.
    waveforms : bool
        Whether samples follow.
    start : int
        Offset of the first row: behind the header line, or 0.
    source : str
        Where the columns are known from, for people.
    decimal_flags : bool
        Whether FLAGS is decimal, as a spreadsheet saves it.
    """

    columns: tuple[str, ...]
    waveforms: bool
    start: int
    source: str
    decimal_flags: bool = False

    def __str__(self) -> str:
        return f"{';'.join(self.columns)}{';SAMPLES' if self.waveforms else ', no samples'}; {self.source}"

    def misfit(self, row: list[bytes]) -> str | None:
        """Say what in a row contradicts these columns, as far as can be seen, or return None."""
        if len(row) < len(self.columns):
            return f"{len(row)} columns, expected {len(self.columns)} before the samples"
        for name, value in zip(self.columns, row, strict=False):
            text = value.decode("ascii", errors="replace")
            if name == "TIMETAG" and not value.isdigit() and finite_number(value) is not None:
                return (
                    f"TIMETAG is {text!r}, not a whole number of ps: a spreadsheet has rounded the times; take the "
                    "file as CoMPASS wrote it"
                )
            if name in _WHOLE and not value.isdigit():
                return f"{name} is {text!r}, expected a whole number"
            if name == "FLAGS" and not _is_hexadecimal(value):
                elsewhere = _flags_place(row)
                if not value.isdigit() or elsewhere is not None:
                    there = "" if elsewhere is None else f", which stands in column {elsewhere + 1}"
                    return f"FLAGS is {text!r}, expected a number such as 0x4000{there}"
        return None


def find_csv_layout(path: Path) -> CsvLayout:
    """Tell the columns of a file.

    Raises
    ------
    FormatError
        If the file is no CoMPASS CSV, lacks TIMETAG, or its columns cannot be told for certain.
    """
    head = _head(path)
    named = header_columns(head)
    if named is not None:
        layout = _from_header(named, path)
        return _checked(layout, _rows(head[layout.start :]), path)
    rows = _rows(head)
    if not rows or not rows[0][0][:1].isdigit():
        raise FormatError("expected a header line BOARD;CHANNEL;TIMETAG;... or rows of numbers between ';'", path, 0)
    if all(len(row) == 1 for row in rows):
        raise FormatError("expected CoMPASS CSV, columns between ';'; got rows without any ';'", path, 0)
    for first in earlier_files(path):
        named = header_columns(_head(first))
        if named is not None:
            layout = _from_header(named, first)
            return _checked(CsvLayout(layout.columns, layout.waveforms, 0, f"columns from {first.name}"), rows, path)
    return _from_rows(rows, path)


def first_lengths(path: Path, layout: CsvLayout) -> list[int]:
    """Return the numbers of samples of the first rows."""
    return [max(0, line.count(b";") + 1 - len(layout.columns)) for line in _lines(_head(path)[layout.start :])]


def header_columns(head: bytes) -> tuple[list[str], int] | None:
    """Return names of columns and offset of the first row, or None where the first line is not the header line."""
    line, newline, _ = head.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
    text = line.decode("ascii", errors="replace").strip().upper()
    names = [name.strip() for name in text.rstrip(";").split(";")]
    if "TIMETAG" not in names and not {"FLAGS", "ENERGY", "SAMPLES"} <= set(names):
        return None
    return names, len(head) - len(head.removeprefix(b"\xef\xbb\xbf")) + len(line) + len(newline)


def _from_header(named: tuple[list[str], int], path: Path) -> CsvLayout:
    names, start = named
    for needed in ("TIMETAG", "FLAGS"):
        if needed not in names:
            raise FormatError(f"the header line lacks the column {needed}; it has: {';'.join(names)}", path, 0)
    waveforms = "SAMPLES" in names
    if waveforms and names[-1] != "SAMPLES":
        raise FormatError(f"SAMPLES must be the last column of the header line, got {';'.join(names)}", path, 0)
    columns = tuple(names[:-1] if waveforms else names)
    foreign = [name for name in columns[columns.index("FLAGS") + 1 :] if name not in COLUMNS]
    if foreign:
        # Rows cannot tell such a column from a sample; in front of FLAGS they could.
        raise FormatError(f"unknown column {foreign[0]!r} between FLAGS and SAMPLES in the header line", path, 0)
    if len(set(columns)) < len(columns):
        raise FormatError(f"the header line names a column twice: {';'.join(names)}", path, 0)
    return CsvLayout(columns, waveforms, start, "columns from the header line")


def _checked(layout: CsvLayout, rows: list[list[bytes]], path: Path) -> CsvLayout:
    problems = [layout.misfit(row) for row in rows]
    if rows and None not in problems:
        line = 2 if layout.start else 1
        raise FormatError(
            f"line {line} contradicts the columns {layout}: {problems[0]}. If these are wrong, correct the header "
            "line, or put the run's first file beside it",
            path,
            layout.start,
        )
    good = [row for row, problem in zip(rows, problems, strict=True) if problem is None]
    place = layout.columns.index("FLAGS")
    return replace(layout, decimal_flags=bool(good) and not any(_is_hexadecimal(row[place]) for row in good))


def _from_rows(rows: list[list[bytes]], path: Path) -> CsvLayout:
    """Tell the columns of a file without header line from where FLAGS stands and what the numbers are like."""
    places = {_flags_place(row) for row in rows} - {None}
    if len(places) != 1:
        raise FormatError(
            "no header line, and FLAGS (0x...) does not stand in one column; put the first file of the run beside it",
            path,
            0,
        )
    place = places.pop() or 0
    whole = [row for row in rows if _flags_place(row) == place]
    leading = _leading_columns(whole, place)
    probe = _has_probe_code(whole, place)
    if leading is None or probe is None:
        raise FormatError(
            "no header line, and several layouts fit the rows; put the first file of the run beside it", path, 0
        )
    columns = (*leading, "FLAGS", *(("PROBE_CODE",) if probe else ()))
    waveforms = any(len(row) > len(columns) for row in whole)
    return CsvLayout(columns, waveforms, 0, "columns told from the rows")


def _leading_columns(rows: list[list[bytes]], place: int) -> tuple[str, ...] | None:
    """Return the names of the columns before FLAGS, or None where they are in doubt."""
    modern = place >= 4 and all(_small(row[0], _MOST_BOARD) and _small(row[1], _MOST_CHANNEL) for row in rows)
    old = place <= 4 and not all(_small(row[0], _MOST_BOARD) for row in rows)
    if modern == old:
        return None
    first = ("BOARD", "CHANNEL", "TIMETAG", "ENERGY") if modern else ("TIMETAG", "ENERGY")
    n_more = place - len(first)
    if n_more == 0:
        return first
    if n_more == 1:
        whole = all(row[place - 1].isdigit() for row in rows)
        return (*first, "ENERGYSHORT" if whole else "CALIB_ENERGY")
    return (*first, "CALIB_ENERGY", "ENERGYSHORT") if n_more == 2 else None


def _has_probe_code(rows: list[list[bytes]], place: int) -> bool | None:
    """Whether the column after FLAGS is the probe code: one small number, unlike the samples; None if in doubt."""
    after = {row[place + 1] for row in rows if len(row) > place + 1}
    if not after:
        return False
    if len(after) > 1 or not all(_small(value, _MOST_PROBE) for value in after):
        return False
    samples = [row[place + 2] for row in rows if len(row) > place + 2]
    if not samples:
        return True
    return None if any(_small(sample, 4 * _MOST_PROBE) for sample in samples) else True


def _flags_place(row: list[bytes]) -> int | None:
    return next((place for place, token in enumerate(row[:8]) if _is_hexadecimal(token)), None)


def _is_hexadecimal(token: bytes) -> bool:
    digits = token.strip().lower()
    return digits.startswith(b"0x") and len(digits) > 2 and all(digit in b"0123456789abcdef" for digit in digits[2:])


def _small(token: bytes, most: int) -> bool:
    return token.isdigit() and len(token) < 6 and int(token) <= most


def _head(path: Path) -> bytes:
    with open_run_file(path) as stream:
        return stream.read(HEAD_BYTES)


def _rows(head: bytes) -> list[list[bytes]]:
    """Return the first tokens of the first rows, enough to tell the columns from."""
    return [line.split(b";", _MOST_TOKENS) for line in _lines(head)]


def _lines(head: bytes) -> list[bytes]:
    """Return the first rows, without the last line, which may be cut, and without what stands around them."""
    lines = head.split(b"\n", _ROWS)
    whole = lines[:-1] if len(lines) > 1 else lines
    return [line.strip().rstrip(b";") for line in whole if line.strip()]
