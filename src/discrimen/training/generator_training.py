"""What the training of a generator does before and after the epochs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.network.preparation import Preparation
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.hits import Hits
from discrimen.training.config import TrainingConfig
from discrimen.training.generator_library import write_generator
from discrimen.training.generator_records import GeneratorRecords, generator_records
from discrimen.training.model_folder import ModelFolder
from discrimen.training.tasks import Generation

MADE_FROM = "made_from"
"""Key in the provenance of a generator: the preparation of the pulses that its records were made from."""
LEFT_OUT = "left_out"
"""Key in the provenance of a generator: how many pulses it could not be taught, by reason."""


def provenance_of(records: GeneratorRecords | None) -> dict[str, Any]:
    """Return what the provenance of a model says of the records that it was taught; nothing of other tasks."""
    return {} if records is None else {MADE_FROM: records.made_from.as_dict(), LEFT_OUT: records.left_out}


def records_of_task(
    pulses: Pulses | Hits, preparation: Preparation, config: TrainingConfig, settings: DetectorSettings
) -> GeneratorRecords | None:
    """Return what the network of a generator takes instead of pulses; None for other tasks."""
    if not isinstance(config.task, Generation):
        return None
    return generator_records(pulses, preparation, config.task, adc_bits=settings.adc_bits)


def keep_generator(
    model: Any, records: GeneratorRecords, validation_index: NDArray[np.int64], folder: Path, *, seed: int
) -> None:
    """Leave what a generator needs beside its weights in the folder of the model; validation pulses stay out of it."""
    judges = np.zeros(len(records.pulses), dtype=np.bool_)
    judges[validation_index] = True
    teaches = np.flatnonzero(~judges & (records.pulses.column("label") >= 0))
    write_generator(model, records, teaches, ModelFolder(folder).generator, seed=seed)
