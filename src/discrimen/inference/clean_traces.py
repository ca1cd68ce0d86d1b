"""Clean traces of hits by a model; a hit unlike the training gets none, and is told, never denoised in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.inference.base import Predictor
from discrimen.inference.positions import require_fitting_hits
from discrimen.network.hits_domain import FLAG_WORDS, HitsDomain, PositionFlag, unlike_training
from discrimen.network.model_description import ModelDescription
from discrimen.pulses import PulseFlag
from discrimen.pulses.hits import Hits, in_order_of

_OF_FLAGS = {f"n_{flag.name}".lower(): flag for flag in FLAG_WORDS if flag != PositionFlag.UNPREPARED}
NOT_DENOISED: Mapping[str, str] = {
    "n_saturated": "saturated",
    **{name: FLAG_WORDS[flag] for name, flag in _OF_FLAGS.items()},
    "n_unprepared": FLAG_WORDS[PositionFlag.UNPREPARED],
}
"""Why a hit is not denoised, in words, by the name of the count."""
_SATURATED = PulseFlag.SATURATED_INPUT | PulseFlag.SATURATED_GATE


@dataclass(frozen=True, slots=True, eq=False)
class CleanTraces:
    """Clean traces of hits, or why there are none.

    Parameters
    ----------
    traces_adc : ndarray of float32, shape (hit, channel, sample)
        In the order of the hits' own channels; zeros where a channel is absent, as recorded where `found` says so.
    found : mapping of str to ndarray of bool, shape (hit,)
        Hits that are not denoised, by the reason, a name of :data:`NOT_DENOISED`; a hit may be in several.
    """

    traces_adc: NDArray[np.float32]
    found: dict[str, NDArray[np.bool_]]


def require_whole_hits(description: ModelDescription, *, what: str) -> None:
    """Refuse a model whose waveform does not take the place of the traces of a hit; `what` is the command.

    Raises
    ------
    SettingsError
        If it has one channel, or its window is not the whole record.
    """
    output, preparation = description.outputs[description.waveform_at], description.preparation
    if preparation.n_channels == 1:
        raise SettingsError(f"{what} of hits takes models of many channels, this one has a single one")
    if preparation.alignment is not None or any(channel.window_start for channel in preparation.channels):
        raise SettingsError(
            "the window of this model is a part of the record, so its traces cannot take the place of the record: "
            "train without --align and --window"
        )
    if output.shape != preparation.shape:
        raise SettingsError(f"the waveform of this model has the shape {output.shape}, its input {preparation.shape}")


def clean_traces(predictor: Predictor, hits: Hits) -> CleanTraces:
    """Compute clean traces of hits whose channels may be in any order.

    Parameters
    ----------
    predictor : Predictor
        Of a model that gives the traces of the whole record.
    hits : Hits
        Channels that the model knows and the hits lack are absent.

    Raises
    ------
    DataError
        If channels, sampling period or length of the records do not fit the model.
    """
    description = predictor.description
    preparation = description.preparation
    ordered = in_order_of(hits, preparation.channel_names)
    require_fitting_hits(ordered, preparation)
    if ordered.n_samples != preparation.window_length:
        raise DataError(
            f"the hits have {ordered.n_samples} samples, but the model gives {preparation.window_length}: cut them "
            "(discrimen hits --samples), or train on records like these"
        )
    flags, present = unlike_training(ordered, preparation, HitsDomain.of_model(description.provenance))
    clean = predictor.reconstruct(ordered.samples, present=present).waveforms_adc
    if ordered.present is not None:
        clean = np.where(ordered.present[:, :, np.newaxis], clean, np.float32(0))
    clean = clean[:, [preparation.channel_names.index(name) for name in hits.channels]]
    told = hits.columns.get("flags", np.zeros(len(hits), np.uint32))
    found = {name: (flags & flag) != 0 for name, flag in _OF_FLAGS.items()}
    found |= {"n_saturated": (told & _SATURATED) != 0, "n_unprepared": ~np.isfinite(clean).all(axis=(1, 2))}
    bad = np.logical_or.reduce(list(found.values()))
    clean[bad] = hits.samples[bad]
    return CleanTraces(clean, {name: found[name] for name in NOT_DENOISED})
