"""A frozen model computed in float64 with NumPy alone: the reference that every engine is held against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.inference.base import ScoresOfRun
from discrimen.network.frozen_file import FrozenModel, read_frozen
from discrimen.network.golden import exact_values, require_golden
from discrimen.network.model_description import ModelDescription

BATCH_PULSES = 4096


class ReferencePredictor(ScoresOfRun):
    """A frozen model behind the :class:`~discrimen.inference.base.Predictor` protocol.

    On loading, the golden vectors are computed again and compared: a model that does not give the values that it
    promises is refused.

    Parameters
    ----------
    path : Path
        A ``*.discrimen`` file.

    Raises
    ------
    FormatError
        If the file is no frozen model, or does not reproduce its golden vectors.
    """

    def __init__(self, path: Path | str) -> None:
        self._model = read_frozen(path)
        require_golden(self._model.golden, self.description.outputs, self._values, path)

    @property
    def description(self) -> ModelDescription:
        """What the model is: preparation, outputs, provenance."""
        return self._model.description

    @property
    def backend(self) -> str:
        """What computes."""
        return "numpy (float64 reference)"

    def run(self, samples: NDArray[Any], *, present: NDArray[Any] | None = None) -> tuple[NDArray[np.float32], ...]:
        """Compute all outputs; see :meth:`discrimen.inference.base.Predictor.run`."""
        return tuple(each.astype(np.float32) for each in run_exactly(self._model, samples, present=present))

    def _values(self, samples: NDArray[Any], present: NDArray[Any] | None) -> tuple[NDArray[np.float64], ...]:
        return exact_values(self._model.network, self.description.preparation, samples, present=present)


def run_exactly(
    model: FrozenModel, samples: NDArray[Any], *, present: NDArray[Any] | None = None
) -> tuple[NDArray[np.float64], ...]:
    """Compute all outputs of a frozen model in float64.

    Parameters
    ----------
    model : FrozenModel
        The model.
    samples : ndarray, shape (pulse, channel, sample), or (pulse, sample) for one channel
        As digitised.
    present : ndarray of bool, shape (pulse, channel), optional
        Which channels are there.

    Returns
    -------
    tuple of ndarray of float64, each of shape (pulse, value)
        As :meth:`discrimen.inference.base.Predictor.run`.
    """
    parts = []
    for start in range(0, max(1, len(samples)), BATCH_PULSES):
        chunk = slice(start, start + BATCH_PULSES)
        there = None if present is None else present[chunk]
        values = exact_values(model.network, model.description.preparation, samples[chunk], present=there)
        parts.append([output.finish(value) for output, value in zip(model.description.outputs, values, strict=True)])
    return tuple(np.concatenate(each) for each in zip(*parts, strict=True))
