"""The protocol that every consumer of a trained model sees."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from discrimen.network.domain import outside
from discrimen.network.model_description import ModelDescription
from discrimen.network.prepare import Restoration, heights_of, prepare
from discrimen.output.summary import Summarised


class Judgement(NamedTuple):
    """Scores of pulses, and what a decision asks for besides.

    Parameters
    ----------
    scores : ndarray of float32, shape (pulse, class)
        See :meth:`Predictor.predict`.
    outside : ndarray of uint16, shape (pulse,), or None
        Bits of :class:`~discrimen.network.domain.Outside`, 0 for a pulse like those that the model has seen; None if it
        does not know its domain.
    height_adc : ndarray of float32, shape (pulse,), or None
        See :func:`~discrimen.network.prepare.heights_of`; None if no threshold of the model follows it.
    """

    scores: NDArray[np.float32]
    outside: NDArray[np.uint16] | None
    height_adc: NDArray[np.float32] | None


class Reconstructed(NamedTuple):
    """Waveforms in ADC counts of the raw record, and what a decision asks for besides.

    Parameters
    ----------
    waveforms_adc : ndarray of float32, shape (pulse, channel, sample)
        The windows of the first waveform output; NaN for a pulse that cannot be prepared.
    outside : ndarray of uint16, shape (pulse,), or None
        As in :class:`Judgement`.
    """

    waveforms_adc: NDArray[np.float32]
    outside: NDArray[np.uint16] | None


class Encoded(NamedTuple):
    """Codes of pulses, and what leads from what they stand for back to the raw record.

    Parameters
    ----------
    codes : ndarray of float32, shape (pulse, value)
        The first code among the outputs; NaN for a pulse that cannot be prepared.
    restoration : Restoration
        The way back of each pulse.
    outside : ndarray of uint16, shape (pulse,), or None
        As in :class:`Judgement`.
    """

    codes: NDArray[np.float32]
    restoration: Restoration
    outside: NDArray[np.uint16] | None


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

    def judge(self, samples: NDArray[Any]) -> Judgement:
        """Score raw waveforms as :meth:`predict` does, and say which are unlike those that the model has seen.

        Raises
        ------
        SettingsError, DataError
            See :meth:`predict`.
        """

    def reconstruct(self, samples: NDArray[Any], *, present: NDArray[Any] | None = None) -> Reconstructed:
        """Give the first waveform output in ADC counts, and say which pulses are unlike those of the training.

        What it gives of channels that are absent means nothing.

        Raises
        ------
        SettingsError
            If the model gives no waveform.
        DataError
            See :meth:`run`.
        """

    def encode(self, samples: NDArray[Any]) -> Encoded:
        """Give the first code, and the way back of each pulse to ADC counts.

        Raises
        ------
        SettingsError
            If the model gives no code.
        DataError
            See :meth:`run`.
        """


class ScoresOfRun(Summarised):
    """Gives the methods of :class:`Predictor` that follow from :meth:`Predictor.run` to one that has it."""

    def summary(self: Predictor) -> dict[str, str]:
        """Return what computes and what comes out, for people."""
        return {"computed by": self.backend, **self.description.summary()}

    def predict(self: Predictor, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Score raw waveforms; see :meth:`Predictor.predict`."""
        at = self.description.scores_at
        return self.run(samples)[at]

    def judge(self: Predictor, samples: NDArray[Any]) -> Judgement:
        """Score raw waveforms and compare them with the domain, by NumPy; see :meth:`Predictor.judge`."""
        preparation, domain = self.description.preparation, self.description.domain
        return Judgement(
            scores=self.predict(samples),
            outside=None if domain is None else outside(samples, preparation, domain),
            height_adc=heights_of(samples, preparation) if self.description.follows_height else None,
        )

    def reconstruct(self: Predictor, samples: NDArray[Any], *, present: NDArray[Any] | None = None) -> Reconstructed:
        """Give waveforms, restored and compared with the domain by NumPy; see :meth:`Predictor.reconstruct`."""
        preparation, domain = self.description.preparation, self.description.domain
        waveforms = self.run(samples, present=present)[self.description.waveform_at]
        return Reconstructed(
            restored(waveforms, self.description, prepare(samples, preparation, present=present).restoration),
            None if domain is None else outside(samples, preparation, domain),
        )

    def encode(self: Predictor, samples: NDArray[Any]) -> Encoded:
        """Give codes, prepared and compared with the domain by NumPy; see :meth:`Predictor.encode`."""
        preparation, domain = self.description.preparation, self.description.domain
        return Encoded(
            self.run(samples)[self.description.code_at],
            prepare(samples, preparation).restoration,
            None if domain is None else outside(samples, preparation, domain),
        )


def restored(
    values: NDArray[np.float32], description: ModelDescription, restoration: Restoration
) -> NDArray[np.float32]:
    """Return the values of the first waveform output, shape (pulse, value), as ADC counts of the raw record."""
    waveforms = values.reshape(len(values), *description.outputs[description.waveform_at].shape)
    return restoration.to_adc(waveforms, description.preparation).astype(np.float32)
