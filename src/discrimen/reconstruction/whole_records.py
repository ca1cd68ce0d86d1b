"""What the stages that take whole records share: models and pulses that fit, and records in the ADC's range again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import Reader
from discrimen.inference.base import Predictor
from discrimen.inference.compatible import require_compatible, require_trained_channels
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import Preparation
from discrimen.pulses import Pulses
from discrimen.runs.polarity import upright_chunks


def require_whole_record(description: ModelDescription, *, what: str) -> None:
    """Refuse a model whose waveform does not take the place of a record; `what` is the command, for the message.

    Raises
    ------
    SettingsError
        If it has no waveform, several channels, or a window that is not the record itself.
    """
    output, preparation = description.outputs[description.waveform_at], description.preparation
    if preparation.n_channels != 1:
        raise SettingsError(f"{what} takes models of one channel, this one has {preparation.n_channels}")
    if preparation.alignment is not None or preparation.only.window_start:
        raise SettingsError(
            "the window of this model is a part of the record, so its waveform cannot take the place of the record: "
            "train without --align and --window"
        )
    if output.shape != preparation.shape:
        raise SettingsError(f"the waveform of this model has the shape {output.shape}, its input {preparation.shape}")


def fitting_chunks(reader: Reader, description: ModelDescription, *, most_outside: float) -> Iterator[Pulses]:
    """Read a run, upright, and refuse it where its records do not fit the model.

    Parameters
    ----------
    reader : Reader
        Of the run.
    description : ModelDescription
        Of the model, whose window is the record.
    most_outside : float
        Share of the pulses that may be unlike those of the training; 1 takes channels too that were not trained on.

    Raises
    ------
    DataError
        If sampling, polarity, length or channels are others than those of the training.
    """
    where = str(reader.info.path)
    for pulses in upright_chunks(reader):
        require_compatible(description, pulses, reader.info.settings, where=where)
        _require_length(description.preparation, pulses, where=where)
        if most_outside < 1:
            require_trained_channels(description, pulses, where=where, way_out="give --accept")
        yield pulses


def adc_bits_of(reader: Reader, predictor: Predictor) -> int | None:
    """Return how many bits the ADC has, by the run or else by the model; None where neither knows."""
    return reader.info.settings.adc_bits or predictor.description.settings.adc_bits


def digitised(waveforms_adc: NDArray[Any], dtype: np.dtype[Any], adc_bits: int | None) -> NDArray[Any]:
    """Round to whole counts within the range of the ADC, or of the type."""
    if dtype.kind == "f":
        return waveforms_adc.astype(dtype)
    limits = np.iinfo(dtype)
    low, high = (limits.min, limits.max) if adc_bits is None else (0, min(2**adc_bits - 1, limits.max))
    counts: NDArray[Any] = np.clip(np.rint(waveforms_adc), low, high)
    return counts.astype(dtype)


def _require_length(preparation: Preparation, pulses: Pulses, *, where: str) -> None:
    if pulses.n_samples != preparation.window_length:
        raise DataError(
            f"{where}: records of {pulses.n_samples} samples, but the model gives {preparation.window_length}: choose "
            f"with --record-samples {preparation.window_length} (longer ones are cut), or train on records like these"
        )
