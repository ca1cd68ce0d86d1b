"""Two interactions in one segment: how many are told from one, and how well both are located, by their distance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics.intervals import wilson_interval
from discrimen.metrics.position import FEWEST, quantile_estimate, rms_estimate
from discrimen.metrics.waveform_residuals import Estimate
from discrimen.network.located import Located, SecondInteraction

FIGURE_WORDS: Mapping[str, str] = {
    "taken_for_two": "taken for two (%)",
    "median_first_mm": "first, distance, median (mm)",
    "radius_68_first_mm": "first, distance, 68 % within (mm)",
    "median_second_mm": "second, distance, median (mm)",
    "radius_68_second_mm": "second, distance, 68 % within (mm)",
    "share_rms": "share of the energy, rms",
}
"""Words of each figure, in the order of a table."""

_EDGES_MM = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.5, 15.0, 17.5, 20.0, 25.0, 1000.0)
_EDGES_SHARE = (0.0, 0.1, 0.2, 0.3, 0.4, 0.51)
_MOST_LINES = 8

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TrueInteractions:
    """What is known of the interactions of hits.

    Parameters
    ----------
    n_interactions : ndarray of int64, shape (hit,)
        How many.
    first_mm, second_mm : ndarray of float64, shape (hit, 3)
        Places of the two with most energy; NaN where there is no second.
    second_share : ndarray of float64, shape (hit,)
        Of the energy, in the second.
    """

    n_interactions: NDArray[np.int64]
    first_mm: Values
    second_mm: Values
    second_share: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class PartingRange:
    """Figures of hits in one range.

    Parameters
    ----------
    name : str
        The range in words.
    n_hits : int
        Those judged.
    figures : mapping of str to Estimate
        By the names of :data:`FIGURE_WORDS`; empty for too few hits.
    """

    name: str
    n_hits: int
    figures: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """One against two interactions, judged.

    Parameters
    ----------
    limit : float
        Probability from which on a hit is taken for two.
    groups : mapping of str to tuple of PartingRange
        `number` (one or two interactions), `distance` and `share of the second`.
    """

    limit: float
    groups: Mapping[str, tuple[PartingRange, ...]]


def judge_parting(found: Located, truth: TrueInteractions, *, confidence: float) -> Parting | None:
    """Judge one against two interactions; None where the method knows one only, or no hit has two.

    Parameters
    ----------
    found : Located
        By a method that may know two.
    truth : TrueInteractions
        Of the same hits.
    confidence : float
        Of the intervals.
    """
    second = found.second
    known = np.isfinite(found.position_mm).all(axis=1)
    two = known & (truth.n_interactions == 2) & np.isfinite(truth.second_mm).all(axis=1)
    if second is None or not two.any():
        return None
    offs = _offs(found.position_mm, second, truth)
    taken = second.probability >= second.limit

    def one(name: str, inside: NDArray[np.bool_]) -> PartingRange:
        at = np.flatnonzero(inside)
        return PartingRange(name=name, n_hits=len(at), figures=_figures(taken[at], offs[at], confidence=confidence))

    apart = np.linalg.norm(truth.first_mm - truth.second_mm, axis=1)
    groups = {"number": [("one", known & (truth.n_interactions == 1)), ("two", two)]}
    groups["distance"] = list(_ranges(apart, two, _EDGES_MM, "mm"))
    groups["share of the second"] = list(_ranges(truth.second_share, two, _EDGES_SHARE, ""))
    return Parting(
        limit=second.limit,
        groups={
            group: tuple(one(name, inside) for name, inside in parts if inside.any()) for group, parts in groups.items()
        },
    )


def _offs(given: Values, second: SecondInteraction, truth: TrueInteractions) -> Values:
    """Return how far both places and the share are off, in the order that fits better, shape (hit, 3); NaN for one."""
    other = second.position_mm
    straight = np.stack([given - truth.first_mm, other - truth.second_mm], axis=1)
    crossed = np.stack([other - truth.first_mm, given - truth.second_mm], axis=1)
    turned = np.square(crossed).sum(axis=(1, 2)) < np.square(straight).sum(axis=(1, 2))
    places = np.linalg.norm(np.where(turned[:, None, None], crossed, straight), axis=2)
    share = np.where(turned, 1 - second.share, second.share)
    return np.column_stack([places, share - (1 - truth.second_share)])


def _figures(taken: NDArray[np.bool_], offs: Values, *, confidence: float) -> dict[str, Estimate]:
    if len(taken) < FEWEST:
        return {}
    share = wilson_interval(int(taken.sum()), len(taken), confidence=confidence)
    figures = {"taken_for_two": Estimate(100 * share.value, 100 * share.low, 100 * share.high)}
    offs = offs[np.isfinite(offs).all(axis=1)]
    if len(offs) < FEWEST:
        return figures
    for column, name in enumerate(("first", "second")):
        for figure, quantile in (("median", 0.5), ("radius_68", 0.68)):
            found = quantile_estimate(offs[:, column], quantile, confidence=confidence)
            figures[f"{figure}_{name}_mm"] = found
    return figures | {"share_rms": rms_estimate(offs[:, 2], confidence=confidence)}


def _ranges(
    values: Values, two: NDArray[np.bool_], edges: tuple[float, ...], unit: str
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield name and members of each range; a few different values are ranges of their own."""
    rounded = np.round(values, 2)
    lines = np.unique(rounded[two])
    if len(lines) <= _MOST_LINES:
        for line in lines:
            yield f"{line:g} {unit}".strip(), two & (rounded == line)
        return
    for low, high in pairwise(edges):
        name = f"{low:g}-{high:g} {unit}".strip() if high < edges[-1] or not unit else f"over {low:g} {unit}"
        yield name, two & (values >= low) & (values < high)
