"""Checkpoints: the model at each epoch that was better than all before, and the best few of them kept."""

from __future__ import annotations

import math
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from discrimen.errors import FormatError
from discrimen.output.files import complete_or_absent
from discrimen.training.history import EpochRecord

KEEP_BEST = 3
"""How many checkpoints stay: the best one and the two that it overtook."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One saved state of a model.

    Parameters
    ----------
    epoch : int
        Counted from 1.
    val_loss : float
        Its validation loss.
    path : Path
        The ``.keras`` file.
    """

    epoch: int
    val_loss: float
    path: Path


@dataclass(slots=True)
class Checkpoints:
    """Save a model whenever its validation loss falls below all earlier ones; keep the best :data:`KEEP_BEST`.

    Parameters
    ----------
    model : keras.Model
        Being trained.
    folder : Path
        Where the files ``epoch-012-val_loss-0.12345.keras`` go.
    kept : list of Checkpoint
        Ascending in epoch, so that the last is the best.
    """

    model: Any
    folder: Path
    kept: list[Checkpoint] = field(default_factory=list)

    @property
    def best(self) -> Checkpoint | None:
        """The checkpoint with the lowest validation loss, None before the first epoch ends."""
        return self.kept[-1] if self.kept else None

    def on_epoch(self, record: EpochRecord) -> None:
        """Save the model if it is the best so far."""
        if not math.isfinite(record.val_loss) or (self.kept and record.val_loss >= self.kept[-1].val_loss):
            return
        path = self.folder / f"epoch-{record.epoch:03d}-val_loss-{record.val_loss:.5f}.keras"
        save_model(self.model, path)
        self.kept.append(Checkpoint(record.epoch, record.val_loss, path))
        while len(self.kept) > KEEP_BEST:
            self.kept.pop(0).path.unlink(missing_ok=True)


def kept_checkpoints(folder: Path, records: Sequence[EpochRecord]) -> list[Checkpoint]:
    """Find the checkpoints of epochs that ended; one of a later epoch, and what was being written, is removed.

    Parameters
    ----------
    folder : Path
        Where they are.
    records : sequence of EpochRecord
        Of the epochs that ended.

    Raises
    ------
    FormatError
        If the best one is not there.
    """
    for left_behind in folder.glob(".*"):
        shutil.rmtree(left_behind) if left_behind.is_dir() else left_behind.unlink()
    kept = []
    for path in sorted(folder.glob("epoch-*.keras"), key=_epoch_of):
        if _epoch_of(path) > len(records):
            path.unlink()
        else:
            record = records[_epoch_of(path) - 1]
            kept.append(Checkpoint(record.epoch, record.val_loss, path))
    lowest = min(record.val_loss for record in records)
    if not kept or kept[-1].val_loss != lowest:
        raise FormatError("the checkpoint of the best epoch is not there any more; train again", folder)
    return kept


def _epoch_of(path: Path) -> int:
    return int(path.name.split("-")[1])


def save_model(model: Any, path: Path) -> None:
    """Save a Keras model so that the file appears complete or not at all.

    Raises
    ------
    OutputError
        If the file system refuses.
    """
    with complete_or_absent(path) as part, TemporaryDirectory(dir=path.parent, prefix=".saving-") as scratch:
        # Keras demands the ending .keras, which the temporary name does not have.
        saved = Path(scratch) / "model.keras"
        with warnings.catch_warnings():
            # Keras 3.15 reads the optimizer's variables through an __array__ without NumPy 2's `copy`; harmless.
            warnings.filterwarnings("ignore", "__array__ implementation doesn't accept a copy", DeprecationWarning)
            model.save(saved)
        saved.replace(part)


def copy_model(source: Path, path: Path) -> None:
    """Copy a saved model so that the copy appears complete or not at all.

    Raises
    ------
    OutputError
        If the file system refuses.
    """
    with complete_or_absent(path) as part:
        shutil.copyfile(source, part)
