"""What stored codes make of pulses: the way to the file and back as one predictor, to judge what is lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.inference.base import Predictor, ScoresOfRun
from discrimen.network.model_description import ModelDescription
from discrimen.reconstruction.codes_file import CodesHeader, stored_restoration
from discrimen.reconstruction.decode import CodesDecoder
from discrimen.reconstruction.encode import encoder_of, passed_by
from discrimen.training.tasks.reconstruction import in_scale_of


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class CodedPredictor(ScoresOfRun):
    """Gives the waveform that `decode` writes, and the code as it is stored; NaN for pulses that have no code.

    Parameters
    ----------
    encoder : Predictor
        First half of the auto-encoder.
    decoder : CodesDecoder
        Second half.
    description : ModelDescription
        Of the auto-encoder, with waveform and code as its outputs.
    """

    encoder: Predictor
    decoder: CodesDecoder
    description: ModelDescription

    @classmethod
    def of(cls, model: Path, header: CodesHeader, *, threads: int | None = None) -> CodedPredictor:
        """Take both halves of the frozen auto-encoder that made codes with this header."""
        decoder = CodesDecoder.of(model, header, threads=threads)
        whole = decoder.description
        outputs = whole.outputs[whole.waveform_at], whole.outputs[whole.code_at]
        return cls(
            encoder=encoder_of(model, threads=threads), decoder=decoder, description=replace(whole, outputs=outputs)
        )

    @property
    def backend(self) -> str:
        """What computes."""
        return self.encoder.backend

    def run(
        self,
        samples: NDArray[Any],
        *,
        present: NDArray[Any] | None = None,  # noqa: ARG002 - the model has one channel
    ) -> tuple[NDArray[np.float32], ...]:
        """Compute waveform and code; see :meth:`~discrimen.inference.base.Predictor.run`."""
        encoded, header, preparation = self.encoder.encode(samples), self.decoder.header, self.description.preparation
        steps = np.rint(encoded.codes / np.float32(header.step))
        found = passed_by(samples, encoded, steps, polarity=preparation.only.polarity, adc_bits=self.decoder.adc_bits)
        there = [each for name, each in found.items() if each is not None and name != "n_outside"]
        good = ~np.logical_or.reduce(there)
        records = self.decoder.records(steps[good], stored_restoration(encoded.restoration[good], header))
        given = np.full((len(samples), preparation.window_length), np.nan, np.float32)
        given[good] = in_scale_of(records[:, np.newaxis], preparation, encoded.restoration[good])[:, 0]
        codes = np.full(steps.shape, np.nan, np.float32)
        codes[good] = steps[good] * np.float32(header.step)
        return given, codes
