"""Tables of a page: what stands in each cell, as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """A value with its interval; `best` stands out."""

    value: str
    interval: str = ""
    best: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table; `group` begins a new group."""

    name: str
    cells: tuple[Cell, ...]
    group: bool = False


@dataclass(frozen=True, slots=True)
class TableRows:
    """A table: a heading for each column, the name's among them, and lines."""

    heading: tuple[str, ...]
    lines: tuple[Line, ...]


NOTHING = Cell("-")


def table_of(heading: Sequence[str], lines: Iterable[Sequence[str | Cell]]) -> TableRows:
    """Return a table of plain text; the first of each line is its name.

    Parameters
    ----------
    heading : sequence of str
        Of each column, that of the names among them.
    lines : iterable of sequence of str or Cell
        As long as the heading.

    Raises
    ------
    ValueError
        If a line has another length than the heading.
    """
    made = []
    for line in lines:
        if len(line) != len(heading):
            raise ValueError(f"expected {len(heading)} cells, got {len(line)}: {line!r}")
        name, *cells = (cell if isinstance(cell, Cell) else Cell(cell) for cell in line)
        made.append(Line(name.value, tuple(cells)))
    return TableRows(tuple(heading), tuple(made))
