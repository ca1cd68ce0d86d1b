"""The table of figures that a report holds of each method: a new one is a function in `metrics`, and one row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.evaluation.report import NotComputed, if_computed
from discrimen.metrics import Auc, FigureOfMerit, Intervals, figure_of_merit
from discrimen.pulses.detector import GatesNs


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MethodScores:
    """Scores of one method.

    With gates and truncated pulses for charge comparison, what was tuned for others.
    """

    scores: NDArray[np.float64]
    gates: GatesNs | None = None
    n_truncated: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the table.

    Parameters
    ----------
    name : str
        In data.
    headings : tuple of str
        Of its columns.
    compute : callable
        From the scores of a method, the labels and how to count to a dataclass, NotComputed or None.
    cells : callable
        From that to a value and its interval for each column.
    """

    name: str
    headings: tuple[str, ...]
    compute: Callable[[MethodScores, NDArray[Any], Intervals], Any]
    cells: Callable[[Any], tuple[tuple[str, str], ...]]


def _merit(method: MethodScores, _labels: NDArray[Any], intervals: Intervals) -> FigureOfMerit | NotComputed | None:
    if method.gates is None:
        return None
    return if_computed(figure_of_merit, method.scores, confidence=intervals.confidence)


def _area_cells(area: Auc) -> tuple[tuple[str, str], ...]:
    return ((f"{area.value:.5f}", f"{area.low:.5f} to {area.high:.5f}"),)


def _merit_cells(merit: FigureOfMerit | NotComputed | None) -> tuple[tuple[str, str], ...]:
    if not isinstance(merit, FigureOfMerit):
        return (("" if merit is None else "no fit", ""), ("", ""))
    value = f"{merit.value:.3f}{merit.mark}", f"{merit.low:.3f} to {merit.high:.3f}"
    return (value, (f"{merit.chi2:.0f}/{merit.n_degrees}", ""))


FIGURES: tuple[Figure, ...] = (
    Figure(
        name="auc",
        headings=("AUC",),
        compute=lambda method, labels, intervals: intervals.auc(method.scores, labels),
        cells=_area_cells,
    ),
    Figure(name="figure_of_merit", headings=("FoM", "chi2/ndf"), compute=_merit, cells=_merit_cells),
)
"""All of them, in the order of their columns; leakages and curves have places of their own in a report."""
