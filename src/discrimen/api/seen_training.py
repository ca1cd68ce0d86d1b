"""A training that somebody looks at, in a notebook or at a terminal, and may interrupt."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from discrimen.output.progress import Tick, seen_progress

if TYPE_CHECKING:
    from discrimen.training import EpochRecord, TrainingResult


class TrainingInterrupted(KeyboardInterrupt):
    """A training that the user ended before its first epoch; a notebook shows its one line."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclass(frozen=True, slots=True)
class ToldOfTraining:
    """Moves the bar at the end of each epoch, and says in a line if the user has ended the training."""

    tick: Tick

    def on_epoch(self, record: EpochRecord) -> None:
        """Move the bar."""
        self.tick(1, note=f"val_loss {record.val_loss:.5f}")

    def end(self, result: TrainingResult) -> None:
        """Say where the model lies that an interrupted training leaves."""
        if result.stopped_by == "interrupt":
            print(
                f"{result.folder}: interrupted after {len(result.history)} epochs; the model there is that of epoch "
                f"{result.best_epoch}, the best of them; discrimen.resume(dataset, {str(result.folder)!r}) goes on",
                file=sys.stderr,
            )


@contextmanager
def seen_training(epochs: int, folder: Path | str) -> Iterator[ToldOfTraining]:
    """Show how far a training is where a person looks on.

    Raises
    ------
    TrainingInterrupted
        Instead of a KeyboardInterrupt: there is no model yet.
    """
    try:
        with seen_progress("training", total=epochs) as tick:
            yield ToldOfTraining(tick)
    except KeyboardInterrupt as error:
        line = f"{folder}: interrupted before the first epoch ended; there is no model yet"
        raise TrainingInterrupted(line) from error
