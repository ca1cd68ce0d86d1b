"""Whether a model may be used on the pulses of a file."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network.model_description import ModelDescription
from discrimen.pulses import Pulses
from discrimen.pulses.array import by_settings, listed
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.places import Place, board_and_channel, numbered_places

_PERIOD_TOLERANCE = 1e-6


def require_compatible(
    description: ModelDescription, pulses: Pulses, settings: DetectorSettings, *, where: str
) -> None:
    """Refuse pulses that the model was not trained for.

    Parameters
    ----------
    description : ModelDescription
        Of the model.
    pulses : Pulses
        Some pulses of the file.
    settings : DetectorSettings
        What is known of the file.
    where : str
        Name of the file, for the message.

    Raises
    ------
    SettingsError
        If the sampling period is unknown.
    DataError
        If sampling period, polarity or the pulse's place in the record differ from those of the training, or the
        records are too short.
    """
    preparation = description.preparation
    period_ns = pulses.require_sample_period_ns()
    if not math.isclose(period_ns, preparation.sample_period_ns, rel_tol=_PERIOD_TOLERANCE):
        raise DataError(
            f"{where}: sampled every {period_ns:g} ns, but the model was trained at "
            f"{preparation.sample_period_ns:g} ns; train one on pulses of this digitizer"
        )
    trained = {"positive" if channel.polarity > 0 else "negative" for channel in preparation.channels}
    for at, own in by_settings(pulses, settings):
        channel = _of_channel(pulses, at, settings)
        if own.polarity is not None and own.polarity not in trained:
            raise DataError(
                f"{where}: the pulses{channel} are {own.polarity}, but the model was trained on {trained.pop()} ones"
            )
        _require_same_place(description, own, where=where + channel)
    if pulses.n_samples < preparation.shortest_record:
        raise DataError(
            f"{where}: records of {pulses.n_samples} samples, but the model needs at least "
            f"{preparation.shortest_record} samples of {period_ns:g} ns"
        )


def require_trained_channels(description: ModelDescription, pulses: Pulses, *, where: str, way_out: str) -> None:
    """Refuse pulses of channels that a model of several channels was not trained on.

    Parameters
    ----------
    description : ModelDescription
        Of the model; one that was trained on a single detector takes every channel.
    pulses : Pulses
        Some pulses of the file; where it has neither boards nor channels, nothing is known.
    where : str
        Name of the file, for the message.
    way_out : str
        What else a user may do, for the message.

    Raises
    ------
    DataError
        If there are such.
    """
    trained = listed(description.settings)
    if not trained or (pulses.board is None and pulses.channel is None):
        return
    places, _ = numbered_places(*board_and_channel(pulses).values())
    strange = [place for place in places if place not in trained]
    if strange:
        raise DataError(
            f"{where}: pulses of {', '.join(map(str, strange))}, which the model was not trained on (it was on "
            f"{', '.join(map(str, trained))}): choose among these with --channel and --board, train on all, "
            f"or {way_out}"
        )


def _of_channel(pulses: Pulses, at: NDArray[np.int64], settings: DetectorSettings) -> str:
    """Name the first channel of some pulses, where the settings tell channels apart."""
    if settings.channels is None or not len(at):
        return ""
    place = Place(*(int(column[at[0]]) for column in board_and_channel(pulses).values()))
    return f" of {place} (leave it out with --channel)"


def _require_same_place(description: ModelDescription, settings: DetectorSettings, *, where: str) -> None:
    """Refuse pulses that lie elsewhere in the record, unless the window follows the pulse."""
    trained_ns, here_ns = description.settings.pretrigger_ns, settings.pretrigger_ns
    preparation = description.preparation
    if preparation.alignment is not None or trained_ns is None or here_ns is None:
        return
    if abs(trained_ns - here_ns) >= preparation.sample_period_ns:
        raise DataError(
            f"{where}: {here_ns:g} ns before the pulse, but the model was trained with {trained_ns:g} ns; "
            "train with --align, so that the window follows the pulse, or on records like these"
        )
