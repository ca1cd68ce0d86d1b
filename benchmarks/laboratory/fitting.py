"""What is refused before the first measurement: a folder of another model, batches beyond the memory."""

from __future__ import annotations

from pathlib import Path

from discrimen.errors import SettingsError
from discrimen.network.model_description import ModelDescription
from laboratory.limits import available_memory_bytes
from laboratory.timing import Pulses


def require_same_model(description: ModelDescription, folder: Path) -> None:
    """Check that a frozen model was frozen from a folder.

    Raises
    ------
    FormatError
        If there is no trained model in the folder.
    SettingsError
        If it is another one.
    """
    # Imported here: a benchmark without a Keras model needs nothing of the training.
    from discrimen.training.model_folder import read_model_description

    there = read_model_description(folder)
    hashes = [one.provenance.get("model_sha256") for one in (description, there)]
    if there.preparation != description.preparation or (None not in hashes and hashes[0] != hashes[1]):
        what = "the preparation" if there.preparation != description.preparation else "the SHA-256 of the weights"
        raise SettingsError(f"{folder}: the model was not frozen from this folder ({what} differs)")


def require_memory(pulses: Pulses, largest_batch: int) -> None:
    """Check that a batch and its scores take no more than half of the free memory.

    Raises
    ------
    SettingsError
        If they take more.
    """
    needed = largest_batch * (pulses.samples.itemsize * pulses.samples.shape[1] + 4 * pulses.scores.shape[1])
    there = available_memory_bytes() // 2
    if needed > there:
        raise SettingsError(
            f"a batch of {largest_batch:,} pulses takes {needed / 1e9:.1f} GB, half the free memory is "
            f"{there / 1e9:.1f} GB: give smaller batch sizes"
        )
