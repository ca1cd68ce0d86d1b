"""One trial: a training in a folder of its own, and what it came to. It needs no study: that may be far away."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from discrimen.errors import DataError, SettingsError
from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.keras_jax import load_keras
from discrimen.output.plain import plain
from discrimen.search.candidate import Candidate
from discrimen.search.native_time import native_ns_per_pulse
from discrimen.search.task import SearchTask
from discrimen.training import EpochRecord, TrainingResult, train

PRUNED = "pruned: others were better at this epoch"


class TrialWatch(Protocol):
    """Hears of each epoch of a trial and may end it; Optuna's own trial is one."""

    def report(self, value: float, step: int) -> None:
        """Hear of the validation loss of an epoch, counted from 1."""

    def should_prune(self) -> bool:
        """Tell whether the training is to end."""


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """What became of a trial, as plain data.

    Parameters
    ----------
    values : tuple of float or None
        Of the objectives; None if the trial was pruned, or is impossible.
    attributes : mapping
        What the study keeps beside, among it ``seconds``, and ``reason`` where there is no value.
    """

    values: tuple[float, ...] | None
    attributes: Mapping[str, Any]


@dataclass(slots=True)
class OpenTrial:
    """A trial at work: collects what is found out of it.

    Parameters
    ----------
    number : int
        In the study.
    watch : TrialWatch or None
        Who hears of its epochs.
    timed : bool
        Whether the model is timed where it was trained, if the time counts.
    attributes : dict
        What was found out.
    """

    number: int
    watch: TrialWatch | None = None
    timed: bool = True
    attributes: dict[str, Any] = field(default_factory=dict)

    def set_user_attr(self, name: str, value: Any) -> None:
        """Keep something for the study, by the name that Optuna's trials have for it."""
        self.attributes[name] = value


class OutdoneError(Exception):
    """Ends a training because its watch said so."""


def trial_folder(folder: Path, number: int) -> Path:
    """Return where the model of a trial lies."""
    return folder / "trials" / f"{number:04d}"


def measure(
    candidate: Candidate,
    number: int,
    task: SearchTask,
    place: Path,
    *,
    watch: TrialWatch | None = None,
    timed: bool = True,
) -> TrialOutcome:
    """Train a candidate and judge it.

    Parameters
    ----------
    candidate : Candidate
        What to try.
    number : int
        Of the trial in its study; stored with the model.
    task : SearchTask
        What stays the same from trial to trial.
    place : Path
        Folder for the model.
    watch : TrialWatch, optional
        Who hears of the epochs, and may end the training.
    timed : bool
        Whether to time the model here, if a front is searched; otherwise :func:`add_time` does it.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupts.
    DiscrimenError
        If the fault does not lie in the parameters of the trial.
    """
    begin_s = perf_counter()
    trial = OpenTrial(number, watch, timed)
    values: tuple[float, ...] | None = None
    try:
        values = tuple(_measure(trial, candidate, task, place))
    except OutdoneError:
        trial.set_user_attr("reason", PRUNED)
    except SettingsError as error:
        # A learning rate at which the loss diverges, a window too short for the pooling: the space holds such points.
        trial.set_user_attr("reason", str(error))
    finally:
        _forget_programs()
    return TrialOutcome(values, {**trial.attributes, "seconds": perf_counter() - begin_s})


def add_time(outcome: TrialOutcome, place: Path, *, seed: int) -> TrialOutcome:
    """Time a complete model for a front on this machine: times of several machines cannot be compared."""
    if outcome.values is None:
        return outcome
    try:
        ns_per_pulse = native_ns_per_pulse(place, seed=seed)
    except SettingsError as error:
        return replace(outcome, values=None, attributes={**outcome.attributes, "reason": str(error)})
    attributes = {**outcome.attributes, "native_ns_per_pulse": ns_per_pulse}
    return TrialOutcome((outcome.values[0], float(np.log10(ns_per_pulse))), attributes)


def _measure(trial: OpenTrial, candidate: Candidate, task: SearchTask, place: Path) -> list[float]:
    result = train(
        task.pulses,
        candidate.preparation(task.preparation),
        task.config.training(**candidate.training()),
        folder=place,
        settings=task.settings,
        provenance={**task.provenance, "search": {"trial": trial.number, "parameters": dict(candidate.parameters)}},
        overwrite=True,
        split=task.split,
        progress=None if trial.watch is None else _Pruning(trial),
    )
    if result.stopped_by == "interrupt":
        raise KeyboardInterrupt
    values = [_leakage(trial, result, task)]
    if task.config.pareto and trial.timed:
        ns_per_pulse = native_ns_per_pulse(place, seed=task.config.seed)
        trial.set_user_attr("native_ns_per_pulse", ns_per_pulse)
        values.append(float(np.log10(ns_per_pulse)))
    return values


def _leakage(trial: OpenTrial, result: TrainingResult, task: SearchTask) -> float:
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
    """Tells the watch of each epoch, and ends a training that others outdo."""

    trial: OpenTrial

    def on_epoch(self, record: EpochRecord) -> None:
        """Report the validation loss, which every architecture and preparation shares."""
        if (watch := self.trial.watch) is None:
            return
        watch.report(record.val_loss, record.epoch)
        if watch.should_prune():
            raise OutdoneError


def _forget_programs() -> None:
    """Let go of what JAX compiled for this trial: it would be kept until the process ends."""
    session = load_keras("cpu")
    session.keras.utils.clear_session()
    session.jax.clear_caches()
    gc.collect()
