"""How results show themselves: a few lines in a terminal, a small table in a notebook, never their whole content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

_LINE, _TEXT, _CELL = 80, 300, 200
_MAX_ROWS = 24


class Summarised:
    """Shows an object by its :meth:`summary`, which a class may replace by what people ask of it first.

    A dataclass that inherits this says ``repr=False``.
    """

    __slots__ = ()

    def summary(self) -> dict[str, str]:
        """Return what to show, each fact by its name; by default the fields, arrays by type and shape."""
        if not is_dataclass(self):
            return {}
        return {each.name: brief(getattr(self, each.name)) for each in fields(self) if each.repr}

    def __repr__(self) -> str:
        return summary_text(type(self).__name__, self.summary())

    def _repr_html_(self) -> str:
        """Return a table for a notebook: escaped, no scripts, no styles but its own."""
        return summary_html(type(self).__name__, self.summary())


def summary_text(title: str, facts: Mapping[str, str]) -> str:
    """Return facts as text of at most 300 characters, in lines of at most 80 columns.

    Parameters
    ----------
    title : str
        First line.
    facts : mapping of str to str
        Each by its name; those that have no room are left out, which the last line tells.
    """
    lines = [_cut(title, _LINE)]
    left = len(facts)
    for name, value in facts.items():
        line = _cut(f"  {name}: {' '.join(value.split())}", _LINE)
        if sum(map(len, lines)) + len(lines) + len(line) > _TEXT - (6 if left > 1 else 0):
            return "\n".join([*lines, "  ..."])
        lines.append(line)
        left -= 1
    return "\n".join(lines)


def summary_html(title: str, facts: Mapping[str, str]) -> str:
    """Return facts as a small table of HTML; all text is escaped.

    Parameters
    ----------
    title : str
        Above the table.
    facts : mapping of str to str
        Each by its name, long ones cut short; of more than two dozen the first are shown.
    """
    shown = list(facts.items())[:_MAX_ROWS]
    cell = '<td style="text-align: left">'
    rows = [f"<tr>{cell}{escape(_cut(k, _LINE))}</td>{cell}{escape(_cut(v, _CELL))}</td></tr>" for k, v in shown]
    if len(facts) > len(shown):
        rows.append(f"<tr>{cell}...</td>{cell}{len(facts) - len(shown)} more</td></tr>")
    return f"<div><b>{escape(_cut(title, _LINE))}</b><table>{''.join(rows)}</table></div>"


def brief(value: Any) -> str:
    """Return a value in a few words: an array by type and shape, what holds much by how much it holds."""
    if value is None or isinstance(value, bool | str | int):
        return _cut(str(value), _CELL)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return f"{len(value)}: {_listed(map(str, value))}" if value else "none"
    if isinstance(value, tuple | list | set | frozenset):
        return _several(list(value))
    return _object(value)


def _several(values: list[Any]) -> str:
    if not values:
        return "none"
    if all(isinstance(each, str | int | float | Path) for each in values):
        return _listed(map(brief, values))
    kinds = dict.fromkeys(type(each).__name__ for each in values)
    return f"{len(values)} x {' or '.join(kinds)}"


def _object(value: Any) -> str:
    name = type(value).__name__
    return f"{name} of {len(value)}" if hasattr(value, "__len__") else name


def _listed(values: Any) -> str:
    text = ", ".join(values)
    return _cut(text, _CELL)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3].rstrip()}..."
