"""A frozen model computed in float64 with NumPy alone: the reference that every engine is held against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, FormatError
from discrimen.network.arithmetic import run_layers
from discrimen.network.frozen_file import FrozenModel, read_frozen
from discrimen.network.layers import Layer
from discrimen.network.model_spec import ModelSpec
from discrimen.network.prepare import prepare

BATCH_PULSES = 4096


class ReferencePredictor:
    """A frozen model behind the :class:`~discrimen.inference.base.Predictor` protocol.

    On loading, the golden vectors are computed again and compared: a model that does not give the scores that it
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
        _check_golden(self._model, Path(path))

    @property
    def spec(self) -> ModelSpec:
        """What the model is: preparation, classes, provenance."""
        return self._model.spec

    @property
    def backend(self) -> str:
        """What computes the scores."""
        return "numpy (float64 reference)"

    def predict(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Score raw waveforms; see :meth:`discrimen.inference.base.Predictor.predict`."""
        if samples.ndim != 2:
            raise DataError(f"samples must have shape (pulse, sample), got {samples.shape}")
        scores = np.empty((len(samples), len(self.spec.classes)), dtype=np.float32)
        for start in range(0, len(samples), BATCH_PULSES):
            chunk = slice(start, start + BATCH_PULSES)
            scores[chunk] = score_exactly(self._model.layers, self._model.spec, samples[chunk])
        if not len(samples):
            prepare(samples, self.spec.preparation)  # refuses records that are too short
        return scores


def score_exactly(layers: Sequence[Layer], spec: ModelSpec, samples: NDArray[Any]) -> NDArray[np.float64]:
    """Score raw waveforms in float64; NaN for a waveform that cannot be prepared.

    Parameters
    ----------
    layers : sequence of Layer
        The network.
    spec : ModelSpec
        Its preparation and classes.
    samples : ndarray, shape (pulse, sample)
        As digitised.

    Returns
    -------
    ndarray of float64, shape (pulse, class)
    """
    prepared = prepare(samples, spec.preparation)
    scores = run_layers(layers, prepared.waveforms)
    if scores.shape != (len(samples), len(spec.classes)):
        raise DataError(f"expected {len(spec.classes)} scores a pulse, the network gives {scores.shape[1:]}")
    scores[~prepared.valid] = np.nan
    return scores


def _check_golden(model: FrozenModel, path: Path) -> None:
    golden = model.golden
    try:
        scores = score_exactly(model.layers, model.spec, golden.samples)
    except DataError as error:
        raise FormatError(f"the frozen model cannot be computed: {error}", path) from error
    worst = np.abs(scores - golden.scores).max()
    if not worst <= golden.tolerance:
        raise FormatError(
            f"the frozen model is off its own golden vectors by {worst:.3g}, allowed are {golden.tolerance:g}; "
            "freeze it again",
            path,
        )
