"""Trained Keras models as predictors, compiled by JAX."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.keras_jax import Device, KerasSession, load_keras
from discrimen.network.model_spec import ModelSpec
from discrimen.network.prepare import prepare
from discrimen.training import load_model_folder

SMALLEST_BATCH = 64
BATCH_STEP = 16
"""Batches are padded to one of a few sizes, each this many times the one before: one compilation a size."""


class KerasPredictor:
    """A trained Keras model behind the :class:`~discrimen.inference.base.Predictor` protocol.

    Memory does not grow with the number of pulses, but for the scores: `batch_size` pulses are prepared at a time.

    Parameters
    ----------
    path : Path
        Folder of a trained model, its ``model.keras``, or a checkpoint in it.
    device : {"cpu", "gpu"}
        What computes.
    batch_size : int
        Pulses computed at once.

    Raises
    ------
    FormatError, SettingsError
        If the model cannot be loaded.
    DeviceError
        If the device is not there.
    """

    def __init__(self, path: Path | str, *, device: Device = "cpu", batch_size: int = 4096) -> None:
        if batch_size < 1:
            raise SettingsError(f"batch_size must be at least 1, got {batch_size}")
        self.path = Path(path)
        self._session = load_keras(device)
        model, self._spec = load_model_folder(path, session=self._session)
        self._session.require_on_device(model)
        self._scores = _compiled(self._session, model)
        self._sizes = _padded_sizes(batch_size)

    @property
    def spec(self) -> ModelSpec:
        """What the model is: preparation, classes, provenance."""
        return self._spec

    @property
    def backend(self) -> str:
        """What computes the scores."""
        return self._session.backend

    def predict(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Score raw waveforms; see :meth:`discrimen.inference.base.Predictor.predict`."""
        if samples.ndim != 2:
            raise DataError(f"samples must have shape (pulse, sample), got {samples.shape}")
        scores = np.empty((len(samples), len(self._spec.classes)), dtype=np.float32)
        batch_size = self._sizes[-1]
        with self._session.on_device():
            for start in range(0, len(samples), batch_size):
                chunk = slice(start, start + batch_size)
                scores[chunk] = self._predict_batch(samples[chunk])
        return scores

    def _predict_batch(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        prepared = prepare(samples, self._spec.preparation)
        n_pulses = len(samples)
        size = next(size for size in self._sizes if size >= n_pulses)
        waveforms = np.pad(prepared.waveforms, ((0, size - n_pulses), (0, 0)))
        scores = np.array(self._scores(waveforms)[:n_pulses])
        scores[~prepared.valid] = np.nan
        return scores


def _compiled(session: KerasSession, model: Any) -> Callable[[NDArray[np.float32]], Any]:
    trainable = [variable.value for variable in model.trainable_variables]
    fixed = [variable.value for variable in model.non_trainable_variables]

    def scores(waveforms: Any) -> Any:
        return model.stateless_call(trainable, fixed, waveforms, training=False)[0]

    compiled: Callable[[NDArray[np.float32]], Any] = session.jax.jit(scores)
    return compiled


def _padded_sizes(batch_size: int) -> list[int]:
    sizes = [batch_size]
    while sizes[0] > SMALLEST_BATCH * BATCH_STEP:
        sizes.insert(0, sizes[0] // BATCH_STEP)
    return sizes
