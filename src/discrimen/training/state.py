"""State of a training: all that is needed to go on with it, written after each epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.errors import FormatError
from discrimen.output.files import complete_or_absent
from discrimen.training.history import EpochRecord


@dataclass(frozen=True, slots=True, eq=False)
class TrainingState:
    """Writes the weights of a network and what its optimizer remembers.

    What an epoch draws follows from the seed and its number, so that this is all there is.

    Parameters
    ----------
    path : Path
        Of the file.
    model : keras.Model
        Being trained, compiled.
    """

    path: Path
    model: Any

    def on_epoch(self, record: EpochRecord) -> None:
        """Write the state at the end of an epoch."""
        arrays: dict[str, Any] = {name: np.asarray(variable.value) for name, variable in self._variables()}
        with complete_or_absent(self.path) as part, part.open("wb") as stream:
            np.savez(stream, epoch=record.epoch, **arrays)

    def restore(self) -> None:
        """Put network and optimizer into the state that was written.

        Raises
        ------
        FormatError
            If the file is of another network.
        """
        self.model.optimizer.build(self.model.trainable_variables)
        try:
            with np.load(self.path, allow_pickle=False) as arrays:
                for name, variable in self._variables():
                    if arrays[name].shape != tuple(variable.shape):
                        raise ValueError(f"{name} has shape {arrays[name].shape}, not {tuple(variable.shape)}")
                    variable.assign(arrays[name])
        except (OSError, ValueError, KeyError) as error:
            raise FormatError(f"this is no state of this training: {error}", self.path) from error

    def _variables(self) -> Iterator[tuple[str, Any]]:
        for kind, variables in (("model", self.model.variables), ("optimizer", self.model.optimizer.variables)):
            for number, variable in enumerate(variables):
                yield f"{kind}_{number}", variable


def epochs_done(path: Path) -> int:
    """Return how many epochs a state has behind it.

    Raises
    ------
    FormatError
        If the file is no state of a training.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return int(arrays["epoch"])
    except (OSError, ValueError, KeyError) as error:
        raise FormatError(f"this is no state of a training: {error}", path) from error
