"""Trials without networks, for all that is about the study and not about training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import discrimen.search.trial as trial_module
from discrimen.output.style import new_figure
from discrimen.search.candidate import Candidate
from discrimen.search.trial import SearchTask
from discrimen.training import EpochRecord


def epoch(number: int, val_loss: float) -> EpochRecord:
    return EpochRecord(epoch=number, loss=1, val_loss=val_loss, duration_s=1)


@pytest.fixture(scope="module")
def fake_training() -> Iterator[None]:
    """The value of a trial is how far its learning rate lies from 0.004, its losses likewise."""

    def measure(trial: Any, candidate: Candidate, task: SearchTask, place: Path) -> list[float]:
        distance = abs(np.log10(float(str(candidate.parameters["training.learning_rate"])) / 0.004))
        place.mkdir(parents=True)
        (place / "model.json").write_text(f"trial {trial.number}")
        if not task.config.pareto:
            for number in range(1, task.config.epochs + 1):
                trial_module._Pruning(trial).on_epoch(epoch(number, distance + 1 / number))
        trial.set_user_attr("n_parameters", 1)
        if task.config.pareto:
            trial.set_user_attr("native_ns_per_pulse", 10.0 / (0.01 + distance))
        return [distance - 1, 1.0][: 2 if task.config.pareto else 1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial_module, "_measure", measure)
        patch.setattr(trial_module, "_forget_programs", lambda: None)
        patch.setattr("discrimen.search.picture.search_figure", lambda _: new_figure(1, 1))
        yield
