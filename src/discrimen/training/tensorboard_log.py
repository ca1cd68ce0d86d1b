"""TensorBoard logs through tensorboardX: scalars of every epoch, ROC and scores of the validation pulses as images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.training.history import EpochRecord
from discrimen.training.plots import roc_image, score_image

IMAGE_EVERY_EPOCHS = 10

SCALAR_TAGS = {
    "loss": "loss/training",
    "val_loss": "loss/validation",
    "accuracy": "accuracy/training",
    "val_accuracy": "accuracy/validation",
    "duration_s": "epoch/duration_s",
}


@dataclass(frozen=True, slots=True, eq=False)
class TensorBoardLog:
    """An open event file.

    Parameters
    ----------
    writer : tensorboardX.SummaryWriter
        Open.
    labels : ndarray of int32, shape (pulse,)
        True classes of the validation pulses.
    """

    writer: Any
    labels: NDArray[np.int32]

    def scalars(self, record: EpochRecord) -> None:
        """Log the figures of an epoch."""
        for name, tag in SCALAR_TAGS.items():
            self.writer.add_scalar(tag, getattr(record, name), record.epoch)
        self.writer.flush()

    def images(self, scores: NDArray[np.float32], *, epoch: int, prefix: str = "") -> None:
        """Log ROC curve and histogram of the neutron scores, shape (pulse,); scores that are no numbers have none."""
        if not np.isfinite(scores).all():
            return
        for name, draw in (("roc", roc_image), ("scores", score_image)):
            self.writer.add_image(f"{prefix}{name}", draw(scores, self.labels), epoch, dataformats="HWC")
        self.writer.flush()


@dataclass(frozen=True, slots=True, eq=False)
class EpochLog:
    """Logs every epoch: the figures always, the images in the first and in every tenth.

    Parameters
    ----------
    log : TensorBoardLog
        Where to.
    scores : callable
        Returns the neutron scores of the validation pulses by the model as it is now.
    """

    log: TensorBoardLog
    scores: Callable[[], NDArray[np.float32]]

    def on_epoch(self, record: EpochRecord) -> None:
        """Log an epoch."""
        self.log.scalars(record)
        if record.epoch == 1 or record.epoch % IMAGE_EVERY_EPOCHS == 0:
            self.log.images(self.scores(), epoch=record.epoch)


@contextmanager
def open_tensorboard_log(folder: Path, *, labels: NDArray[np.int32]) -> Iterator[TensorBoardLog]:
    """Open an event file in a folder and close it at the end."""
    writer = require_module("tensorboardX", extra="train").SummaryWriter(str(folder))
    try:
        yield TensorBoardLog(writer, labels)
    finally:
        writer.close()
