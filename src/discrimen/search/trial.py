"""One trial: a training in a folder of its own, and what it came to."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from discrimen.errors import DataError, SettingsError, require_module
from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.keras_jax import load_keras
from discrimen.output.plain import plain
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.search.candidate import Candidate, PreparationMaker, draw
from discrimen.search.config import SearchConfig
from discrimen.search.native_time import native_ns_per_pulse
from discrimen.search.objective import Judges
from discrimen.search.space import SearchSpace
from discrimen.training import EpochRecord, TrainingResult, train
from discrimen.training.split import Split

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import Trial


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SearchTask:
    """All that stays the same from trial to trial.

    Parameters
    ----------
    pulses : Pulses
        Labelled, and each of them fit for every preparation of the space.
    split : Split
        Which of them judge, in every trial the same.
    judges : Judges
        Those, in their bins of energy.
    preparation : callable
        Makes the preparation of a scale and an alignment.
    settings : DetectorSettings
        The detector, stored with each model.
    space, config
        What and how to search.
    provenance : mapping
        Where the pulses come from, stored with each model.
    """

    pulses: Pulses
    split: Split
    judges: Judges
    preparation: PreparationMaker
    settings: DetectorSettings
    space: SearchSpace
    config: SearchConfig
    provenance: Mapping[str, Any] = field(default_factory=dict)


def trial_folder(folder: Path, number: int) -> Path:
    """Return where the model of a trial lies."""
    return folder / "trials" / f"{number:04d}"


def run_trial(study: Study, trial: Trial, task: SearchTask, folder: Path) -> None:
    """Train what the study asks for and tell it what came of it: complete, pruned, or impossible.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupts; the trial is not told.
    DiscrimenError
        If the fault does not lie in the parameters of the trial.
    """
    optuna = require_module("optuna", extra="search")
    state = optuna.trial.TrialState
    place = trial_folder(folder, trial.number)
    begin_s = perf_counter()
    values: list[float] | None = None
    try:
        values = _measure(trial, draw(trial, task.space), task, place)
    except optuna.TrialPruned:
        trial.set_user_attr("reason", "pruned: others were better at this epoch")
    except SettingsError as error:
        # A learning rate at which the loss diverges, a window too short for the pooling: the space holds such points.
        trial.set_user_attr("reason", str(error))
    finally:
        _forget_programs()
    trial.set_user_attr("seconds", perf_counter() - begin_s)
    if values is None:
        # Neither pruned nor impossible trials have a value; with one objective the sampler learns from both.
        study.tell(trial, state=state.FAIL if task.config.pareto else state.PRUNED)
    else:
        study.tell(trial, values)


def _measure(trial: Trial, candidate: Candidate, task: SearchTask, place: Path) -> list[float]:
    result = train(
        task.pulses,
        candidate.preparation(task.preparation),
        task.config.training(**candidate.training()),
        folder=place,
        settings=task.settings,
        provenance={**task.provenance, "search": {"trial": trial.number, "parameters": dict(candidate.parameters)}},
        overwrite=True,
        split=task.split,
        progress=None if task.config.pareto else _Pruning(trial),
    )
    if result.stopped_by == "interrupt":
        raise KeyboardInterrupt
    values = [_leakage(trial, result, task)]
    if task.config.pareto:
        ns_per_pulse = native_ns_per_pulse(place, seed=task.config.seed)
        trial.set_user_attr("native_ns_per_pulse", ns_per_pulse)
        values.append(float(np.log10(ns_per_pulse)))
    return values


def _leakage(trial: Trial, result: TrainingResult, task: SearchTask) -> float:
    """Judge the model, as it lies in its folder, on the validation part."""
    if result.n_invalid:
        raise DataError(f"{result.n_invalid} pulses cannot be prepared: trials would not judge the same pulses")
    predictor = KerasPredictor(result.folder, device=task.config.device)
    scores = predictor.predict(task.pulses.samples[task.split.validation])
    neutron = scores[:, predictor.description.neutron_class].astype(np.float64)
    trial.set_user_attr("leakages", plain(task.judges.leakages(neutron)))
    trial.set_user_attr("n_parameters", result.description.architecture["n_parameters"])
    trial.set_user_attr("best_epoch", result.best_epoch)
    trial.set_user_attr("epochs", len(result.history))
    trial.set_user_attr("val_loss", result.best.val_loss)
    return task.judges.objective(neutron)


@dataclass(frozen=True, slots=True)
class _Pruning:
    """Tells the study of each epoch, and ends a training that others outdo."""

    trial: Trial

    def on_epoch(self, record: EpochRecord) -> None:
        """Report the validation loss, which every architecture and preparation shares."""
        self.trial.report(record.val_loss, record.epoch)
        if self.trial.should_prune():
            optuna = require_module("optuna", extra="search")
            raise optuna.TrialPruned


def _forget_programs() -> None:
    """Let go of what JAX compiled for this trial: it would be kept until the process ends."""
    session = load_keras("cpu")
    session.keras.utils.clear_session()
    session.jax.clear_caches()
    gc.collect()
