"""Positions of hits by a model, and what gets none: a hit unlike the training is flagged, never located in silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.inference.base import Predictor
from discrimen.network.hits_domain import HitsDomain, PositionFlag, unlike_training
from discrimen.network.interactions import FALSE_PAIRS, InteractionOutputs
from discrimen.network.located import Located, SecondInteraction
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import Preparation
from discrimen.pulses.hits import COORDINATES, Hits, in_order_of

POSITION_UNIT = "mm"
_PIECE_HITS = 20_000
_HALF = 0.5


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
        _given(predictor, ordered[start : start + _PIECE_HITS], domain)
        for start in range(0, max(1, len(ordered)), _PIECE_HITS)
    ]
    flags = np.concatenate([part[1] for part in parts])
    values = [np.concatenate(each).astype(np.float64) for each in zip(*(part[0] for part in parts), strict=True)]
    broken = ~np.isfinite(values[number]).all(axis=1) & (flags == 0)
    flags[broken] |= np.uint16(PositionFlag.UNPREPARED)
    for each in values:
        each[flags != 0] = np.nan
    return _as_located(values, number, description, flags)


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


def _given(
    predictor: Predictor, hits: Hits, domain: HitsDomain | None
) -> tuple[tuple[NDArray[np.float32], ...], NDArray[np.uint16]]:
    """Return what each output gives, and the flags of the hits."""
    preparation = predictor.description.preparation
    flags, present = unlike_training(hits, preparation, domain)
    return tuple(predictor.run(hits.samples, present=present)), flags


def _as_located(
    values: Sequence[NDArray[np.float64]], number: int, description: ModelDescription, flags: NDArray[np.uint16]
) -> Located:
    n_values, given = len(COORDINATES), values[number]
    with_error, at = description.outputs[number].with_error, InteractionOutputs.of_model(description)
    if at is None:
        deviation = given[:, n_values:] if with_error else None
        further = {
            output.name: values[place]
            for place, output in enumerate(description.outputs)
            if place != number and output.kind == "quantity" and output.shape == (1,)
        }
        return Located(position_mm=given[:, :n_values], deviation_mm=deviation, flags=flags, further=further)
    probability, share = values[at.interactions][:, 1], values[at.share]
    first, second = given.copy(), values[at.second].copy()
    # The network may give two of nearly the same energy in either order.
    turned = (share[:, 0] < _HALF) & (probability > _HALF)
    first[turned], second[turned] = values[at.second][turned], given[turned]
    threshold = description.outputs[at.interactions].thresholds.get(FALSE_PAIRS)
    return Located(
        position_mm=first[:, :n_values],
        deviation_mm=first[:, n_values:],
        flags=flags,
        second=SecondInteraction(
            probability=probability,
            position_mm=second[:, :n_values],
            deviation_mm=second[:, n_values:],
            share=np.where(turned, 1 - share[:, 0], share[:, 0]),
            share_deviation=share[:, 1],
            limit=threshold.value if threshold is not None and isinstance(threshold.value, float) else _HALF,
        ),
    )
