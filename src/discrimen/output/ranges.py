"""Figures with intervals in each range of light, or of something else: what is shown of them, and their table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from discrimen.output.tables import NOTHING, Cell, TableRows, table_of


class Interval(Protocol):
    """A figure with its interval."""

    @property
    def value(self) -> float:
        """The figure."""

    @property
    def low(self) -> float:
        """Lower end."""

    @property
    def high(self) -> float:
        """Upper end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRange:
    """Figures of the pulses in a range, those that are known, by name."""

    name: str
    n_pulses: int
    figures: Mapping[str, Interval]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What stands in one panel of the picture.

    Parameters
    ----------
    label : str
        Of its axis, with the unit.
    series : mapping of str to str
        Names of one figure or two, and what each is called.
    logarithmic : bool
        For shares that are never negative: where a value is 0 an arrow hangs from the upper end of the interval.
    """

    label: str
    series: Mapping[str, str]
    logarithmic: bool = False


def range_rows(ranges: Sequence[FigureRange], words: Mapping[str, str], *, counted: str = "pulses") -> TableRows:
    """Return a column for each range, and a line for each figure that any of them has.

    Parameters
    ----------
    ranges : sequence of FigureRange
        In their order.
    words : mapping of str to str
        What each figure is called, with the unit.
    counted : str
        What the ranges are of.
    """
    lines: list[Sequence[str | Cell]] = [(counted, *(str(each.n_pulses) for each in ranges))]
    for name, words_of_it in words.items():
        found = [each.figures.get(name) for each in ranges]
        if any(each is not None for each in found):
            lines.append((words_of_it, *map(cell_of, found)))
    return table_of(("figure", *(each.name for each in ranges)), lines)


def cell_of(found: Interval | None) -> Cell:
    """Return a figure with its interval as it stands in a table."""
    return NOTHING if found is None else Cell(f"{found.value:.3g}", f"{found.low:.3g} to {found.high:.3g}")
