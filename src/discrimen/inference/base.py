"""The protocol that every consumer of a trained model sees."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from discrimen.network.domain import outside
from discrimen.network.model_description import ModelDescription


class Predictor(Protocol):
    """Raw waveforms in, all outputs of the model out; preparation is the model's own business."""

    @property
    def description(self) -> ModelDescription:
        """What the model is: preparation, outputs, provenance."""

    @property
    def backend(self) -> str:
        """What computes, for example ``keras-jax (cpu)``."""

    def run(self, samples: NDArray[Any], *, present: NDArray[Any] | None = None) -> tuple[NDArray[np.float32], ...]:
        """Compute all outputs for raw waveforms.

        Parameters
        ----------
        samples : ndarray, shape (pulse, channel, sample), or (pulse, sample) for one channel
            As digitised, in ADC counts.
        present : ndarray of bool, shape (pulse, channel), optional
            Which channels are there; by default all.

        Returns
        -------
        tuple of ndarray of float32, each of shape (pulse, value)
            In the order of ``description.outputs``, each row as its :class:`~discrimen.network.outputs.Output` says (a
            quantity with its error: the values, then the standard deviations); NaN for a pulse that cannot be prepared.

        Raises
        ------
        DataError
            If the records are shorter than the preparation needs, or channels are missing.
        """

    def predict(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Score raw waveforms: the first output of class probabilities, see :meth:`run`.

        Returns
        -------
        ndarray of float32, shape (pulse, class)
            In the order of ``description.classes``.

        Raises
        ------
        SettingsError
            If the model gives no probabilities of classes.
        DataError
            See :meth:`run`.
        """

    def judge(self, samples: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.uint16] | None]:
        """Score raw waveforms as :meth:`predict` does, and say which are unlike those that the model has seen.

        Returns
        -------
        scores : ndarray of float32, shape (pulse, class)
            See :meth:`predict`.
        outside : ndarray of uint16, shape (pulse,), or None
            Bits of :class:`~discrimen.network.domain.Outside`, 0 for a pulse like them; None if the model does not know
            its domain.

        Raises
        ------
        SettingsError, DataError
            See :meth:`predict`.
        """


class ScoresOfRun:
    """Gives :meth:`Predictor.predict` and :meth:`Predictor.judge` to a predictor that has :meth:`Predictor.run`."""

    def predict(self: Predictor, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Score raw waveforms; see :meth:`Predictor.predict`."""
        at = self.description.scores_at
        return self.run(samples)[at]

    def judge(self: Predictor, samples: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.uint16] | None]:
        """Score raw waveforms and compare them with the domain, by NumPy; see :meth:`Predictor.judge`."""
        description = self.description
        scores = self.predict(samples)
        if description.domain is None:
            return scores, None
        return scores, outside(samples, description.preparation, description.domain)
