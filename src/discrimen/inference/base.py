"""The protocol that every consumer of a trained model sees."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from discrimen.network.model_spec import ModelSpec


class Predictor(Protocol):
    """Raw waveforms in, one score a class out; preparation is the model's own business."""

    @property
    def spec(self) -> ModelSpec:
        """What the model is: preparation, classes, provenance."""

    @property
    def backend(self) -> str:
        """What computes the scores, for example ``keras-jax (cpu)``."""

    def predict(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Score raw waveforms.

        Parameters
        ----------
        samples : ndarray, shape (pulse, sample)
            As digitised, in ADC counts.

        Returns
        -------
        ndarray of float32, shape (pulse, class)
            Probabilities in the order of ``spec.classes``; NaN for a waveform that cannot be prepared
            (no pulse above its baseline).

        Raises
        ------
        DataError
            If the records are shorter than the preparation needs.
        """
