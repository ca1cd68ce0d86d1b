"""TensorBoard logs through tensorboardX: scalars of every epoch, pictures of the validation pulses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discrimen.errors import require_module
from discrimen.training.history import VALIDATION, EpochRecord
from discrimen.training.shown import Images

IMAGE_EVERY_EPOCHS = 10


@dataclass(frozen=True, slots=True, eq=False)
class TensorBoardLog:
    """An open event file.

    Parameters
    ----------
    writer : tensorboardX.SummaryWriter
        Open.
    """

    writer: Any

    def scalars(self, record: EpochRecord) -> None:
        """Log the figures of an epoch."""
        for name, value in record.as_dict().items():
            if name == "duration_s":
                self.writer.add_scalar("epoch/duration_s", value, record.epoch)
            elif name != "epoch":
                part = "validation" if name.startswith(VALIDATION) else "training"
                self.writer.add_scalar(f"{name.removeprefix(VALIDATION)}/{part}", value, record.epoch)
        self.writer.flush()

    def figures(self, figures: Mapping[str, float], *, epoch: int) -> None:
        """Log further figures under their names."""
        for name, value in figures.items():
            self.writer.add_scalar(name, value, epoch)
        self.writer.flush()

    def images(self, images: Images, *, epoch: int, prefix: str = "") -> None:
        """Log pictures under their names."""
        for name, image in images.items():
            self.writer.add_image(f"{prefix}{name}", image, epoch, dataformats="HWC")
        self.writer.flush()


@dataclass(frozen=True, slots=True, eq=False)
class EpochLog:
    """Logs every epoch: the figures always, the pictures in the first and in every tenth.

    Parameters
    ----------
    log : TensorBoardLog
        Where to.
    images : callable
        Returns pictures of what the model gives as it is now.
    """

    log: TensorBoardLog
    images: Callable[[], Images]

    def on_epoch(self, record: EpochRecord) -> None:
        """Log an epoch."""
        self.log.scalars(record)
        if record.epoch == 1 or record.epoch % IMAGE_EVERY_EPOCHS == 0:
            self.log.images(self.images(), epoch=record.epoch)


@contextmanager
def open_tensorboard_log(folder: Path) -> Iterator[TensorBoardLog]:
    """Open an event file in a folder and close it at the end."""
    writer = require_module("tensorboardX", extra="train").SummaryWriter(str(folder))
    try:
        yield TensorBoardLog(writer)
    finally:
        writer.close()
