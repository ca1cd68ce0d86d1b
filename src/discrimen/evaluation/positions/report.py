"""What was found about the positions that a model, or another method, gives; data only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.evaluation.positions.parting import Parting
from discrimen.metrics.position import Clustering
from discrimen.metrics.waveform_residuals import Estimate
from discrimen.output.summary import Summarised

_SHORT = {"distance to a wall": "wall"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRange:
    """Figures of the hits in one range.

    Parameters
    ----------
    name : str
        The range in words.
    n_hits : int
        Those judged.
    figures : mapping of str to Estimate
        By the names of :data:`discrimen.metrics.position.FIGURE_WORDS`; empty for too few hits.
    n_places : int or None
        Distinct true places of these hits, which intervals count; None where hits hardly share places.
    """

    name: str
    n_hits: int
    figures: Mapping[str, Estimate]
    n_places: int | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PositionMaps:
    """Counts of hits in fields of a plane.

    Parameters
    ----------
    edges_mm : tuple of ndarray of float64
        Of the fields in x, y and z, and in the radius.
    truth_xy, found_xy, truth_rz, found_rz : ndarray of int64
        Counts by (x, y) and by (radius, z).
    """

    edges_mm: tuple[NDArray[np.float64], ...]
    truth_xy: NDArray[np.int64]
    found_xy: NDArray[np.int64]
    truth_rz: NDArray[np.int64]
    found_rz: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class PositionReport(Summarised):
    """Positions judged.

    Parameters
    ----------
    model : mapping
        The model's description and what computed it, or the name of another method.
    files : tuple of mapping
        Judged on.
    confidence : float
        Of every interval.
    n_hits : int
        All of them.
    left_out : mapping of str to int
        Hits that were not judged, by the reason.
    groups : mapping of str to tuple of PositionRange
        By what they are ranges of; `all` holds a single one.
    without_network_mm : float
        Median distance of the truth from its mean within the segment, or within the crystal where the segment is not
        known: what a method comes to that knows no shapes.
    clustering : tuple of Clustering
        Whether positions prefer a grid.
    maps : PositionMaps
        Where hits were, and where they were found.
    residual_mm, pull : ndarray of float64, shape (hit, 3), or None
        Of some hits, for the pictures; not in the JSON.
    notes : tuple of str
        What a reader must know.
    created_utc : str
        When.
    software : mapping
        Versions.
    parting : Parting or None
        One against two interactions, where the model knows two and some hits have them.
    further : mapping of str to mapping of str to Estimate
        Other quantities of the model, by their names: figures of
        :data:`discrimen.metrics.quantity.QUANTITY_WORDS`, in the unit of each.
    """

    model: Mapping[str, Any]
    files: tuple[Mapping[str, Any], ...]
    confidence: float
    n_hits: int
    left_out: Mapping[str, int]
    groups: Mapping[str, tuple[PositionRange, ...]]
    without_network_mm: float
    clustering: tuple[Clustering, ...]
    maps: PositionMaps
    residual_mm: NDArray[np.float64]
    pull: NDArray[np.float64] | None
    notes: tuple[str, ...]
    created_utc: str
    software: Mapping[str, str]
    parting: Parting | None = None
    further: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)

    def lines(self) -> Iterator[tuple[str, PositionRange, bool]]:
        """Yield the name of each range as a line of a table has it, the range, and whether it begins a group."""
        for group, ranges in self.groups.items():
            before = "" if group in ("all", "energy") else f"{_SHORT.get(group, group)} "
            for number, each in enumerate(ranges):
                yield f"{before}{each.name}", each, number == 0

    @property
    def all(self) -> PositionRange:
        """Figures of all hits judged."""
        return self.groups["all"][0]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON; single hits are left to the pictures."""
        names = ("model", "files", "confidence", "n_hits", "left_out", "groups", "without_network_mm", "clustering")
        return {
            name: getattr(self, name) for name in (*names, "parting", "further", "notes", "created_utc", "software")
        }
