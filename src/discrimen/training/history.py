"""History: the figures of every epoch, in memory and as a CSV file that is complete after each epoch."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from discrimen.errors import FormatError
from discrimen.output.files import complete_or_absent

VALIDATION = "val_"
"""Before the name of a figure: on the validation pulses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """Figures of one epoch.

    Parameters
    ----------
    epoch : int
        Counted from 1.
    loss : float
        Of the task, averaged over the training pulses while the weights change.
    val_loss : float
        The same on the validation pulses at the end of the epoch.
    metrics : mapping of str to float
        The task's other figures on the training pulses and, under their names with ``val_`` before, on the validation
        pulses.
    duration_s : float
        Wall time of training and validation.
    """

    epoch: int
    loss: float
    val_loss: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    duration_s: float

    @property
    def accuracy(self) -> float:
        """Share of right answers of a classification on the training pulses."""
        return self.metrics["accuracy"]

    @property
    def val_accuracy(self) -> float:
        """Share of right answers of a classification on the validation pulses."""
        return self.metrics["val_accuracy"]

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Names of the task's figures, without those of the validation pulses."""
        return tuple(name for name in self.metrics if not name.startswith(VALIDATION))

    def as_dict(self) -> dict[str, float]:
        """Return plain data, in the order of the columns of the history."""
        training = {name: self.metrics[name] for name in self.metric_names}
        judged = {name: value for name, value in self.metrics.items() if name.startswith(VALIDATION)}
        first = {"epoch": self.epoch, "loss": self.loss, **training, "val_loss": self.val_loss}
        return first | judged | {"duration_s": self.duration_s}


class EpochListener(Protocol):
    """Whoever wants to know that an epoch ended: a progress bar, a log, a saver."""

    def on_epoch(self, record: EpochRecord) -> None:
        """Take notice of an epoch that ended."""


@dataclass(slots=True)
class History:
    """Collects the records and rewrites the CSV file after each epoch."""

    path: Path
    records: list[EpochRecord] = field(default_factory=list)

    def on_epoch(self, record: EpochRecord) -> None:
        """Add an epoch."""
        self.records.append(record)
        with complete_or_absent(self.path) as part, part.open("w", newline="", encoding="utf-8") as stream:
            table = csv.DictWriter(stream, list(record.as_dict()))
            table.writeheader()
            table.writerows(each.as_dict() for each in self.records)


def read_history(path: Path, *, epochs: int) -> list[EpochRecord]:
    """Read the first epochs of a history.

    Raises
    ------
    FormatError
        If the file is no history, or holds fewer epochs.
    """
    own = ("epoch", "loss", "val_loss", "duration_s")
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)][:epochs]
        records = [
            EpochRecord(
                epoch=int(row["epoch"]),
                loss=row["loss"],
                val_loss=row["val_loss"],
                metrics={name: value for name, value in row.items() if name not in own},
                duration_s=row["duration_s"],
            )
            for row in rows
        ]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FormatError(f"this is no history of a training: {error}", path) from error
    if [record.epoch for record in records] != list(range(1, epochs + 1)):
        raise FormatError(f"expected the first {epochs} epochs, found {len(records)}", path)
    return records
