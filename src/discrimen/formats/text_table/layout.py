"""How a table of text is laid out: what parts its columns, their names, and which of them mean what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from discrimen.errors import FormatError, SettingsError
from discrimen.formats.columns import split_unit
from discrimen.pulses.list_mode import LIST_COLUMNS

HEAD_BYTES = 2**16
_ROWS = 64
_DELIMITERS = (",", ";", "\t", None)
"""None stands for blanks of any number."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLayout:
    """The columns of one table.

    Parameters
    ----------
    delimiter : str or None
        Between columns; None for blanks.
    names : tuple of str
        From the header line; empty without one.
    n_columns : int
        Of each row.
    fields : mapping of str to (int, int)
        For each column that is read: its position, and a factor to the unit of the field.
    """

    delimiter: str | None
    names: tuple[str, ...]
    n_columns: int
    fields: Mapping[str, tuple[int, int]]


def tokens_of(line: str, delimiter: str | None) -> list[str]:
    """Return the cells of a line, without blanks and quotes around them."""
    return [cell.strip().strip('"') for cell in line.strip().split(delimiter)]


def is_comment(line: str) -> bool:
    """Whether a line holds no cells: blank, or begun by ``#``."""
    return not line.strip() or line.lstrip().startswith("#")


def sniff(head: bytes) -> tuple[str | None, tuple[str, ...], int] | None:
    """Tell delimiter, names and number of columns from the first lines, or None where they are no table of numbers."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # A character may be cut by the end of the head.
        if error.end < len(head):
            return None
        text = head[: error.start].decode("utf-8-sig")
    all_lines = text.splitlines()
    whole = all_lines[:-1] if len(head) >= HEAD_BYTES else all_lines
    names_in_comment = [line.lstrip(" #") for line in whole[:1] if line.lstrip().startswith("#")]
    lines = [line for line in whole if not is_comment(line)][:_ROWS]
    for delimiter in _DELIMITERS:
        rows = [tokens_of(line, delimiter) for line in lines]
        headed = bool(rows) and not _numeric(rows[0])
        body = rows[1:] if headed else rows
        width = Counter(map(len, body)).most_common(1)[0][0] if body else 0
        # A few damaged rows do not make it another kind of file.
        good = sum(len(row) == width and _numeric(row) for row in body)
        if width < 2 or good <= len(body) / 2 or (headed and len(rows[0]) != width):
            continue
        if headed:
            return delimiter, tuple(rows[0]), width
        named = tokens_of(names_in_comment[0], delimiter) if names_in_comment else []
        return delimiter, tuple(named) if len(named) == width and not _numeric(named) else (), width
    return None


def _numeric(row: list[str]) -> bool:
    return all(_NUMBER.fullmatch(cell) for cell in row)


def find_layout(path: Path, head: bytes, mapping: Mapping[str, str]) -> TableLayout:
    """Tell which column of a table means what.

    Parameters
    ----------
    path : Path
        For errors.
    head : bytes
        Beginning of the file.
    mapping : mapping of str to str
        Field to name of the column in the header line, or its number, from 1. Columns named like a field need none.

    Raises
    ------
    FormatError
        If the file is no table of numbers.
    SettingsError
        If no column is known, or one that is named is not there.
    """
    found = sniff(head)
    if found is None:
        raise FormatError("expected a table of text: a header line at most, then rows of two or more numbers", path)
    delimiter, names, n_columns = found
    lower = [name.lower() for name in names]
    fields = {field: (lower.index(field), 1) for field in LIST_COLUMNS if field in lower and field != "entry"}
    for field, named in mapping.items():
        if field not in LIST_COLUMNS or field == "entry":
            known = ", ".join(name for name in LIST_COLUMNS if name != "entry")
            raise SettingsError(f"{path}: --column {field}={named}: a table of text holds {known}")
        fields[field] = _place(path, names, n_columns, field=field, named=named)
    if not fields:
        raise SettingsError(
            f"{path}: a table of {n_columns} columns{' (' + ', '.join(names) + ')' if names else ''}: which is what? "
            "--column energy=NAME --column psd=NAME --column tof_ns=NAME, by name or number from 1"
        )
    return TableLayout(delimiter=delimiter, names=names, n_columns=n_columns, fields=fields)


def _place(path: Path, names: tuple[str, ...], n_columns: int, *, field: str, named: str) -> tuple[int, int]:
    name, factor = (named, 1) if named in names else split_unit(field, named)
    if name in names:
        return names.index(name), factor
    if name.isdigit() and 1 <= int(name) <= n_columns:
        return int(name) - 1, factor
    there = ", ".join(names) or "no header line"
    raise SettingsError(
        f"{path}: --column {field}={named}: there is no such column; the table has {n_columns} ({there})"
    )
