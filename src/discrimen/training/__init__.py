"""Training: labelled pulses and a configuration in, a folder with a trained model and its history out."""

from discrimen.pulses.hits import Hits
from discrimen.training.config import TrainingConfig
from discrimen.training.history import EpochListener, EpochRecord
from discrimen.training.model_folder import load_model_folder, validation_pulses
from discrimen.training.tasks import (
    Classification,
    Compression,
    Generation,
    Quantity,
    Reconstruction,
    Regression,
    Separation,
)
from discrimen.training.train import TrainingResult, resume, train

__all__ = [
    "Classification",
    "Compression",
    "EpochListener",
    "EpochRecord",
    "Generation",
    "Hits",
    "Quantity",
    "Reconstruction",
    "Regression",
    "Separation",
    "TrainingConfig",
    "TrainingResult",
    "load_model_folder",
    "resume",
    "train",
    "validation_pulses",
]
