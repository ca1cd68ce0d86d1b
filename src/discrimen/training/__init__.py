"""Training: labelled pulses and a configuration in, a folder with a trained model and its history out."""

from discrimen.training.config import TrainingConfig
from discrimen.training.history import EpochListener, EpochRecord
from discrimen.training.model_folder import load_model_folder
from discrimen.training.train import TrainingResult, train

__all__ = ["EpochListener", "EpochRecord", "TrainingConfig", "TrainingResult", "load_model_folder", "train"]
