"""What a training that was broken off left behind, read so that it can go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discrimen.errors import DataError, FormatError
from discrimen.network.model_description import ModelDescription, read_description
from discrimen.training.config import TrainingConfig
from discrimen.training.history import EpochRecord, read_history
from discrimen.training.model_folder import ModelFolder
from discrimen.training.state import epochs_done

FINE_TUNING = "fine_tuning"
"""Entry of the provenance of a training that holds some layers fast."""

_MADE_BY_TRAINING = (
    "pulses",
    "balance",
    "extend_down",
    "split",
    "training",
    "backend",
    "versions",
    "date_utc",
    "command_line",
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Unfinished:
    """An unfinished training.

    Parameters
    ----------
    description : ModelDescription
        Description of its checkpoints.
    config : TrainingConfig
        How it was trained.
    records : tuple of EpochRecord
        Epochs that it has behind it, as far as its state was written.
    """

    description: ModelDescription
    config: TrainingConfig
    records: tuple[EpochRecord, ...]

    @property
    def given_provenance(self) -> dict[str, Any]:
        """What was said of the pulses when the training began."""
        return {name: value for name, value in self.description.provenance.items() if name not in _MADE_BY_TRAINING}

    def require_same(self, origin: Mapping[str, Any]) -> None:
        """Refuse other pulses, or another split of them, than the training began with.

        Parameters
        ----------
        origin : mapping
            Provenance of the pulses that it should go on with.

        Raises
        ------
        DataError
            If they differ.
        """
        began = self.description.provenance
        if origin["pulses"]["sha256"] != began["pulses"]["sha256"]:
            raise DataError(
                f"these are not the pulses that the training began with: {origin['pulses']['n_training']} to train on "
                f"and {origin['pulses']['n_validation']} to judge by, expected {began['pulses']['n_training']} and "
                f"{began['pulses']['n_validation']} (or others in number and content): give the same data, in the "
                "same order and with the same settings"
            )
        if origin["split"] != began["split"]:
            raise DataError("these pulses are parted otherwise than when the training began: give the same split")


def read_unfinished(folder: Path) -> Unfinished:
    """Read what is there of a training.

    Raises
    ------
    FormatError
        If there is nothing to go on with, or it cannot be read.
    """
    place = ModelFolder(folder)
    if not place.state.is_file():
        if place.description.is_file():
            raise FormatError("this training is finished; there is nothing to go on with", folder)
        raise FormatError(
            "expected the folder of a training that was broken off after its first epoch, found none", folder
        )
    description = read_description(place.checkpoint_description)
    if FINE_TUNING in description.provenance:
        raise FormatError("a fine-tuning holds some layers fast, and cannot go on: start it again", folder)
    if "training" not in description.provenance:
        raise FormatError(f"{place.checkpoint_description.name} does not say how the training was configured", folder)
    records = read_history(place.history, epochs=epochs_done(place.state))
    return Unfinished(
        description=description,
        config=TrainingConfig.from_dict(description.provenance["training"]),
        records=tuple(records),
    )
