"""From positions that were found, or a model that finds them, to a report in mm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.evaluation.positions.parting import TrueInteractions, judge_parting
from discrimen.evaluation.positions.ranges import in_groups, ranges_of
from discrimen.evaluation.positions.report import PositionMaps, PositionRange, PositionReport
from discrimen.inference.base import Predictor
from discrimen.inference.positions import locate_hits, position_output
from discrimen.metrics.place_draws import FEWEST_PLACES, repeated_places
from discrimen.metrics.position import PositionErrors, grid_clustering, position_figures
from discrimen.metrics.quantity import quantity_figures
from discrimen.network.located import Located
from discrimen.network.model_description import ModelDescription
from discrimen.output.provenance import software_versions, utc_now
from discrimen.pulses.hits import COORDINATES, Hits

_MOST_SHOWN = 50_000
_FIELD_MM = 1.0
_MOST_FIELDS = 400
Values = NDArray[np.float64]


def judged_by_position(description: ModelDescription) -> bool:
    """Whether a model is judged by its positions: it gives x, y and z in mm."""
    return position_output(description) is not None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Judged:
    """What is known of the hits beside what was found.

    Parameters
    ----------
    truth_mm : ndarray of float64, shape (hit, 3)
        NaN where a coordinate is not known.
    energy_kev : ndarray of float64, shape (hit,), or None
        Energy of the hits.
    segment : ndarray, shape (hit,), or None
        That holds the charge.
    wall_mm : ndarray of float64, shape (hit,), or None
        Distance of the truth to the nearest wall of a segment, where the caller knows it.
    interactions : TrueInteractions or None
        Of hits of one and of more interactions.
    further : mapping of str to ndarray of float64, shape (hit,)
        Other quantities by their names, as far as they are known.
    """

    truth_mm: Values
    energy_kev: Values | None = None
    segment: NDArray[Any] | None = None
    wall_mm: Values | None = None
    interactions: TrueInteractions | None = None
    further: Mapping[str, Values] = field(default_factory=dict)

    @classmethod
    def of_hits(cls, hits: Hits, *, wall_mm: Values | None = None) -> Judged:
        """Take it from the columns of hits.

        Raises
        ------
        DataError
            If no coordinate is known.
        """
        names = [f"{axis}_mm" for axis in COORDINATES]
        if not set(names) & set(hits.columns):
            known = ", ".join(hits.columns) or "none"
            raise DataError(f"the hits have no column x_mm, y_mm or z_mm to judge positions by; they have: {known}")
        nothing = np.full(len(hits), np.nan)
        truth = np.stack([np.asarray(hits.columns.get(name, nothing), np.float64) for name in names], axis=1)
        energy = hits.columns.get("energy_kev")
        return cls(
            truth_mm=truth,
            energy_kev=None if energy is None else energy.astype(np.float64),
            segment=hits.columns.get("segment"),
            wall_mm=wall_mm,
            interactions=_interactions(hits, truth),
            further={name: column.astype(np.float64) for name, column in hits.columns.items() if name not in names},
        )


def _interactions(hits: Hits, first_mm: Values) -> TrueInteractions | None:
    names = [f"{axis}_2_mm" for axis in COORDINATES]
    if not {*names, "n_interactions", "energy_kev", "energy_2_kev"} <= set(hits.columns):
        return None
    return TrueInteractions(
        n_interactions=hits.column("n_interactions").astype(np.int64),
        first_mm=first_mm,
        second_mm=np.stack([hits.column(name).astype(np.float64) for name in names], axis=1),
        second_share=(hits.column("energy_2_kev") / hits.column("energy_kev")).astype(np.float64),
    )


def judge_positions(
    found: Located,
    judged: Judged,
    *,
    model: Mapping[str, Any],
    confidence: float = 0.95,
    seed: int = 0,
    files: Sequence[Mapping[str, Any]] = (),
    notes: Sequence[str] = (),
) -> PositionReport:
    """Judge positions by the truth, whatever found them.

    Parameters
    ----------
    found : Located
        Positions with flags; NaN where there is none.
    judged : Judged
        The truth, and what the figures are shown against.
    model : mapping
        What found them.
    confidence : float
        Of every interval.
    seed : int
        Of the draws behind intervals.
    files : sequence of mapping
        Of the hits.
    notes : sequence of str
        What a reader must know besides.

    Raises
    ------
    DataError
        If no hit can be judged.
    SettingsError
        If the confidence does not lie between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise SettingsError(f"confidence must lie between 0 and 1, got {confidence:g}")
    left_out = found.counts() | {"whose truth is not known": int((~np.isfinite(judged.truth_mm).any(axis=1)).sum())}
    errors = PositionErrors(
        residual_mm=found.position_mm - judged.truth_mm,
        deviation_mm=found.deviation_mm,
        place=repeated_places(judged.truth_mm),
    )
    kept = np.asarray(np.isfinite(errors.residual_mm).any(axis=1))
    if not kept.any():
        told = ", ".join(f"{count} {words}" for words, count in left_out.items() if count)
        raise DataError(f"no hit can be judged: of {len(kept)} hits, {told or 'none has a position'}")
    ranges = _Ranges(errors, kept, confidence, np.random.default_rng(seed))
    some = np.flatnonzero(kept)[:: max(1, int(kept.sum()) // _MOST_SHOWN)]
    found_ranges = ranges_of(
        truth_mm=judged.truth_mm,
        energy_kev=judged.energy_kev,
        wall_mm=judged.wall_mm,
        n_interactions=None if judged.interactions is None else judged.interactions.n_interactions,
    )
    groups = in_groups(list(found_ranges))
    shown = {"all": (ranges.one("all", kept),)} | {
        group: tuple(ranges.one(name, inside) for name, inside in parts) for group, parts in groups.items()
    }
    return PositionReport(
        model=model,
        files=tuple(dict(file) for file in files),
        confidence=confidence,
        n_hits=len(kept),
        left_out={words: count for words, count in left_out.items() if count},
        groups=shown,
        without_network_mm=_without_network(judged, kept),
        clustering=tuple(grid_clustering(found.position_mm, judged.truth_mm)),
        maps=_maps(found.position_mm[kept], judged.truth_mm[kept]),
        residual_mm=errors.residual_mm[some],
        pull=None if errors.pull is None else errors.pull[some],
        parting=None
        if judged.interactions is None
        else judge_parting(found, judged.interactions, confidence=confidence),
        further={
            name: quantity_figures(values, judged.further[name], confidence=confidence)
            for name, values in found.further.items()
            if name in judged.further
        },
        notes=(*notes, *_notes(left_out, shown)),
        created_utc=utc_now(),
        software=software_versions("numpy", "scipy"),
    )


def evaluate_positions(
    predictor: Predictor,
    hits: Hits,
    *,
    wall_mm: Values | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    files: Sequence[Mapping[str, Any]] = (),
    notes: Sequence[str] = (),
) -> PositionReport:
    """Judge the positions of a model on hits that it has not seen; see :func:`judge_positions`.

    Hits unlike those of the training get no position and are counted, as in :func:`locate_hits`.

    Raises
    ------
    DataError
        If the hits do not fit the model, or none can be judged.
    SettingsError
        If the model gives no position.
    """
    return judge_positions(
        locate_hits(predictor, hits),
        Judged.of_hits(hits, wall_mm=wall_mm),
        model={"backend": predictor.backend, **predictor.description.as_dict()},
        confidence=confidence,
        seed=seed,
        files=files,
        notes=notes,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Ranges:
    errors: PositionErrors
    kept: NDArray[np.bool_]
    confidence: float
    rng: np.random.Generator = field(repr=False)

    def one(self, name: str, inside: NDArray[np.bool_]) -> PositionRange:
        members = self.errors[np.flatnonzero(self.kept & inside)]
        figures = position_figures(members, confidence=self.confidence, rng=self.rng)
        n_places = None if members.place is None else len(np.unique(members.place))
        return PositionRange(name=name, n_hits=len(members), figures=figures or {}, n_places=n_places)


def _without_network(judged: Judged, kept: NDArray[np.bool_]) -> float:
    """Return the median distance from the mean position of the segment."""
    truth = judged.truth_mm[kept]
    whole = np.isfinite(truth).all(axis=1)
    truth = truth[whole]
    if not len(truth):
        return float("nan")
    group = np.zeros(len(truth), np.int64)
    if judged.segment is not None:
        _, group = np.unique(judged.segment[kept][whole], return_inverse=True)
    n_of_each = np.bincount(group)
    mean = np.stack([np.bincount(group, axis) / n_of_each for axis in truth.T], axis=1)
    return float(np.median(np.linalg.norm(truth - mean[group], axis=1)))


def _maps(found: Values, truth: Values) -> PositionMaps:
    edges = [_edges(np.concatenate([found[:, axis], truth[:, axis]])) for axis in range(3)]
    radii = [np.hypot(each[:, 0], each[:, 1]) for each in (truth, found)]
    edges.append(_edges(np.concatenate(radii)))

    def counted(first: Values, second: Values, at: tuple[int, int]) -> NDArray[np.int64]:
        known = np.isfinite(first) & np.isfinite(second)
        counts = np.histogram2d(first[known], second[known], bins=[edges[at[0]], edges[at[1]]])[0]
        return counts.astype(np.int64)

    return PositionMaps(
        edges_mm=tuple(edges),
        truth_xy=counted(truth[:, 0], truth[:, 1], (0, 1)),
        found_xy=counted(found[:, 0], found[:, 1], (0, 1)),
        truth_rz=counted(radii[0], truth[:, 2], (3, 2)),
        found_rz=counted(radii[1], found[:, 2], (3, 2)),
    )


def _edges(values: Values) -> Values:
    known = values[np.isfinite(values)]
    if not len(known):
        return np.array([0.0, 1.0])
    low, high = np.floor(np.quantile(known, 0.0005)) - 1, np.ceil(np.quantile(known, 0.9995)) + 1
    step = max(_FIELD_MM, (high - low) / _MOST_FIELDS)
    return np.arange(low, high + step, step)


def _notes(left_out: Mapping[str, int], groups: Mapping[str, Sequence[PositionRange]]) -> list[str]:
    told = [f"{count} hits {words} are left out" for words, count in left_out.items() if count]
    n_places = groups["all"][0].n_places
    if n_places is None:
        return [*told, "intervals count hits: nearly each has a place of its own"]
    told.append(f"these hits lie at {n_places} places; intervals count places, since hits of one place err together")
    few = [
        each for ranges in groups.values() for each in ranges if each.figures and (each.n_places or 0) < FEWEST_PLACES
    ]
    if few:
        told.append(
            f"{len(few)} ranges have hits at fewer than {FEWEST_PLACES} places: their intervals count hits and are too "
            "narrow"
        )
    return told
