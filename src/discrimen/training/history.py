"""History: the figures of every epoch, in memory and as a CSV file that is complete after each epoch."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Protocol

from discrimen.output.files import complete_or_absent


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """Figures of one epoch.

    Parameters
    ----------
    epoch : int
        Counted from 1.
    loss, accuracy : float
        Cross-entropy in nats and share of right answers, averaged over the training pulses while the weights change.
    val_loss, val_accuracy : float
        The same on the validation pulses at the end of the epoch.
    duration_s : float
        Wall time of training and validation.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    duration_s: float


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
            table = csv.DictWriter(stream, [column.name for column in fields(EpochRecord)])
            table.writeheader()
            table.writerows(asdict(record) for record in self.records)
