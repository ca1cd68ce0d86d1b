"""Positions of hits by a model, and what gets none: a hit unlike the training is flagged, never located in silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from discrimen.errors import DataError, SettingsError
from discrimen.inference.base import Predictor
from discrimen.network.hits_domain import HitsDomain, PositionFlag, unlike_training
from discrimen.network.located import Located
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import Preparation
from discrimen.pulses.hits import COORDINATES, Hits, in_order_of

POSITION_UNIT = "mm"
_PIECE_HITS = 20_000


class Locator(Protocol):
    """What locates hits: a model, or a grid search."""

    def locate(self, hits: Hits) -> Located:
        """Find the position of each hit.

        Raises
        ------
        DataError
            If the hits do not fit.
        """


@dataclass(frozen=True, slots=True)
class ModelLocator:
    """A model that gives positions.

    Parameters
    ----------
    predictor : Predictor
        Of the model.

    Raises
    ------
    SettingsError
        If the model gives no position.
    """

    predictor: Predictor

    def __post_init__(self) -> None:
        if position_output(self.predictor.description) is None:
            raise SettingsError("this model gives no position (x, y, z in mm): train one with --task position")

    def locate(self, hits: Hits) -> Located:
        """Find the position of each hit; see :func:`locate_hits`."""
        return locate_hits(self.predictor, hits)


def position_output(description: ModelDescription) -> int | None:
    """Return which output of a model is a position, None if there is none."""
    for number, output in enumerate(description.outputs):
        if output.kind == "quantity" and output.unit == POSITION_UNIT and output.names == COORDINATES:
            return number
    return None


def locate_hits(predictor: Predictor, hits: Hits) -> Located:
    """Compute positions of hits whose channels may be in any order.

    Parameters
    ----------
    predictor : Predictor
        Of a model that gives a position.
    hits : Hits
        Channels that the model knows and the hits lack are absent.

    Raises
    ------
    SettingsError
        If the model gives no position.
    DataError
        If the channels, the sampling period or the length of the records do not fit the model.
    """
    description = predictor.description
    number = position_output(description)
    if number is None:
        given = ", ".join(f"{output.name} ({output.kind})" for output in description.outputs)
        raise SettingsError(f"this is for models that give a position (x, y, z in mm); this one gives {given}")
    preparation = description.preparation
    ordered = in_order_of(hits, preparation.channel_names)
    require_fitting_hits(ordered, preparation)
    domain = HitsDomain.of_model(description.provenance)
    parts = [
        _located(predictor, ordered[start : start + _PIECE_HITS], number, domain)
        for start in range(0, max(1, len(ordered)), _PIECE_HITS)
    ]
    with_error = description.outputs[number].with_error
    return Located(
        position_mm=np.concatenate([part.position_mm for part in parts]),
        deviation_mm=np.concatenate([part.deviation_mm for part in parts if part.deviation_mm is not None])
        if with_error
        else None,
        flags=np.concatenate([part.flags for part in parts]),
    )


def require_fitting_hits(hits: Hits, preparation: Preparation) -> None:
    """Refuse hits of another sampling period, or with records too short.

    Raises
    ------
    DataError
        If they are such.
    """
    period_ns = hits.info.sample_period_ns
    if period_ns is not None and not np.isclose(period_ns, preparation.sample_period_ns, rtol=1e-6):
        raise DataError(
            f"the hits are sampled every {period_ns:g} ns, but the model was trained at "
            f"{preparation.sample_period_ns:g} ns"
        )
    if hits.n_samples < preparation.shortest_record:
        raise DataError(
            f"the hits have {hits.n_samples} samples, but the model needs at least {preparation.shortest_record}"
        )


def _located(predictor: Predictor, hits: Hits, number: int, domain: HitsDomain | None) -> Located:
    preparation = predictor.description.preparation
    flags, present = unlike_training(hits, preparation, domain)
    values = predictor.run(hits.samples, present=present)[number].astype(np.float64)
    broken = ~np.isfinite(values).all(axis=1) & (flags == 0)
    flags[broken] |= np.uint16(PositionFlag.UNPREPARED)
    values[flags != 0] = np.nan
    n_values = len(COORDINATES)
    deviation = values[:, n_values:] if predictor.description.outputs[number].with_error else None
    return Located(position_mm=values[:, :n_values], deviation_mm=deviation, flags=flags)
