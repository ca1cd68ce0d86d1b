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
from discrimen.training.history import VALIDATION, EpochRecord
from discrimen.training.plots import roc_image, score_image

IMAGE_EVERY_EPOCHS = 10


@dataclass(frozen=True, slots=True, eq=False)
class TensorBoardLog:
    """An open event file.

    Parameters
    ----------
    writer : tensorboardX.SummaryWriter
        Open.
    labels : ndarray of int32, shape (pulse,), or None
        Whether each validation pulse is a neutron, 1 or 0; None where the task does not ask.
    """

    writer: Any
    labels: NDArray[np.int32] | None

    def scalars(self, record: EpochRecord) -> None:
        """Log the figures of an epoch."""
        for name, value in record.as_dict().items():
            if name == "duration_s":
                self.writer.add_scalar("epoch/duration_s", value, record.epoch)
            elif name != "epoch":
                part = "validation" if name.startswith(VALIDATION) else "training"
                self.writer.add_scalar(f"{name.removeprefix(VALIDATION)}/{part}", value, record.epoch)
        self.writer.flush()

    def images(self, scores: NDArray[np.float32], *, epoch: int, prefix: str = "") -> None:
        """Log ROC curve and histogram of the neutron scores, shape (pulse,); scores that are no numbers have none."""
        if self.labels is None or not np.isfinite(scores).all():
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
        if self.log.labels is not None and (record.epoch == 1 or record.epoch % IMAGE_EVERY_EPOCHS == 0):
            self.log.images(self.scores(), epoch=record.epoch)


@contextmanager
def open_tensorboard_log(folder: Path, *, labels: NDArray[np.int32] | None) -> Iterator[TensorBoardLog]:
    """Open an event file in a folder and close it at the end."""
    writer = require_module("tensorboardX", extra="train").SummaryWriter(str(folder))
    try:
        yield TensorBoardLog(writer, labels)
    finally:
        writer.close()
