"""Trained Keras models as predictors, compiled by JAX."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.inference.base import ScoresOfRun
from discrimen.keras_jax import Device, KerasSession, load_keras
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import Output
from discrimen.network.prepare import arranged, arrangement_for, prepare, with_channels
from discrimen.training import load_model_folder

SMALLEST_BATCH = 64
BATCH_STEP = 16
"""Batches are padded to one of a few sizes, each this many times the one before: one compilation a size."""


class KerasPredictor(ScoresOfRun):
    """A trained Keras model behind the :class:`~discrimen.inference.base.Predictor` protocol.

    Memory does not grow with the number of pulses, but for the outputs: `batch_size` pulses are prepared at a time.

    Parameters
    ----------
    path : Path
        Folder of a trained model, its ``model.keras``, or a checkpoint in it.
    device : str
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
        model, self._description = load_model_folder(path, session=self._session)
        self._session.require_on_device(model)
        self._arrangement = arrangement_for(tuple(model.input_shape[1:]), self._description.preparation)
        self._values = _compiled(self._session, model)
        self._sizes = _padded_sizes(batch_size)

    @property
    def description(self) -> ModelDescription:
        """What the model is: preparation, outputs, provenance."""
        return self._description

    @property
    def backend(self) -> str:
        """What computes."""
        return self._session.backend

    def run(self, samples: NDArray[Any], *, present: NDArray[Any] | None = None) -> tuple[NDArray[np.float32], ...]:
        """Compute all outputs; see :meth:`discrimen.inference.base.Predictor.run`."""
        samples = with_channels(samples, self._description.preparation)
        outputs = tuple(np.empty((len(samples), each.n_values), dtype=np.float32) for each in self._description.outputs)
        batch_size = self._sizes[-1]
        with self._session.on_device():
            for start in range(0, len(samples), batch_size):
                chunk = slice(start, start + batch_size)
                there = None if present is None else present[chunk]
                for whole, part in zip(outputs, self._run_batch(samples[chunk], there), strict=True):
                    whole[chunk] = part
        return outputs

    def _run_batch(self, samples: NDArray[Any], present: NDArray[Any] | None) -> list[NDArray[np.float32]]:
        prepared = prepare(samples, self._description.preparation, present=present)
        n_pulses = len(samples)
        size = next(size for size in self._sizes if size >= n_pulses)
        waveforms = np.pad(prepared.waveforms, ((0, size - n_pulses), (0, 0), (0, 0)))
        results = []
        for output, given in zip(
            self._description.outputs, self._values(arranged(waveforms, self._arrangement)), strict=True
        ):
            values = _as_promised(np.array(given[:n_pulses]), output)
            values[~prepared.valid] = np.nan
            results.append(values)
        return results


def _as_promised(values: NDArray[np.float32], output: Output) -> NDArray[np.float32]:
    """Return what the network gives as (pulse, value), as its output promises it.

    One sigmoid value stands for two classes; a waveform of (sample, channel) is turned to (channel, sample).
    """
    if output.kind == "waveform" and values.shape[1:] == output.shape[::-1]:
        values = values.swapaxes(1, 2)
    flat: NDArray[np.float32] = values.reshape(len(values), -1)
    if output.kind == "classes" and flat.shape[1] == 1 and output.n_values == 2:
        return np.concatenate([1 - flat, flat], axis=1)
    return flat


def _compiled(session: KerasSession, model: Any) -> Callable[[NDArray[np.float32]], Any]:
    trainable = [variable.value for variable in model.trainable_variables]
    fixed = [variable.value for variable in model.non_trainable_variables]

    def values(waveforms: Any) -> Any:
        given = model.stateless_call(trainable, fixed, waveforms, training=False)[0]
        return given if isinstance(given, list | tuple) else [given]

    compiled: Callable[[NDArray[np.float32]], Any] = session.jax.jit(values)
    return compiled


def _padded_sizes(batch_size: int) -> list[int]:
    sizes = [batch_size]
    while sizes[0] > SMALLEST_BATCH * BATCH_STEP:
        sizes.insert(0, sizes[0] // BATCH_STEP)
    return sizes
