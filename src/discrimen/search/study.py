"""The study in its SQLite file: made once, gone on with by the same command, and by no other."""

from __future__ import annotations

import fcntl
import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from discrimen.errors import FormatError, OutputError, SettingsError, require_module
from discrimen.search.candidate import default_candidates
from discrimen.search.config import SearchConfig
from discrimen.search.space import SearchSpace

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

STUDY_FILE = "study.db"
_NAME = "discrimen"
_IDENTITY = "identity"
_N_STARTUP = 10
"""Trials chosen at random before the sampler learns from them."""
_WARM_UP_EPOCHS = 5
"""No training is pruned before."""


@contextmanager
def open_study(
    folder: Path, *, space: SearchSpace, config: SearchConfig, identity: Mapping[str, Any]
) -> Iterator[Study]:
    """Make the study of a folder, or go on with it.

    Parameters
    ----------
    folder : Path
        Made if need be.
    space, config
        What and how to search.
    identity : mapping
        Everything that must be the same for the trials to be comparable, as plain data.

    Raises
    ------
    OutputError
        If another process works there, or the folder cannot be written.
    SettingsError
        If the study there is another one: says in what.
    FormatError
        If its file is damaged.
    """
    optuna = require_module("optuna", extra="search")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    alchemy = require_module("sqlalchemy", extra="search")
    path = folder / STUDY_FILE
    with _locked(folder):
        try:
            url = alchemy.URL.create("sqlite", database=str(path.resolve()))
            storage = optuna.storages.RDBStorage(url.render_as_string(hide_password=False))
        except (alchemy.exc.SQLAlchemyError, RuntimeError) as error:
            raise FormatError(
                f"this is no readable study of a search: {' '.join(str(error).split())[:200]}", path
            ) from error
        try:
            study = optuna.create_study(
                storage=storage,
                study_name=_NAME,
                load_if_exists=True,
                directions=["minimize"] * (2 if config.pareto else 1),
                pruner=_pruner(optuna, config),
            )
            _claim(study, identity, space, folder)
            yield study
        finally:
            storage.remove_session()
            storage.engine.dispose()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep a second search out of the folder; the lock goes with the process, however it ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / ".lock").open("w")
    except OSError as error:
        raise OutputError(f"{folder}: cannot write here: {error.strerror or error}") from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OutputError(
                f"{folder}: another search is at work here; wait for it, or choose another folder"
            ) from error
        yield


def _claim(study: Study, identity: Mapping[str, Any], space: SearchSpace, folder: Path) -> None:
    wanted = json.loads(json.dumps(identity))
    found = study.user_attrs.get(_IDENTITY)
    if found is None:
        for candidate in default_candidates(space):
            study.enqueue_trial(dict(candidate.parameters))
        study.set_user_attr(_IDENTITY, wanted)  # last: a study without it is begun again
        return
    differing = [name for name in {**found, **wanted} if found.get(name) != wanted.get(name)]
    if differing:
        told = "; ".join(_difference(name, found.get(name), wanted.get(name)) for name in differing)
        raise SettingsError(f"{folder}: the search in this folder is another one ({told}); choose another folder")


def _difference(name: str, found: Any, wanted: Any) -> str:
    words = name.replace("_", " ")
    if any(isinstance(value, dict | list) for value in (found, wanted)):
        return f"another {words}"
    return f"{words} {found} there, {wanted} now"


def _pruner(optuna: ModuleType, config: SearchConfig) -> Any:
    if config.pruner == "none" or config.pareto:
        return optuna.pruners.NopPruner()
    if config.pruner == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=_WARM_UP_EPOCHS)
    return optuna.pruners.HyperbandPruner(
        min_resource=min(_WARM_UP_EPOCHS, config.epochs), max_resource=config.epochs, reduction_factor=3
    )


def finished_trials(study: Study) -> list[FrozenTrial]:
    """Return the trials that ended by themselves: complete, pruned, or failed by their own parameters."""
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished() and not _cut_off(trial)]


def drop_cut_off_trials(study: Study) -> None:
    """Give up trials that were cut off; they do not count, and are tried again."""
    optuna = require_module("optuna", extra="search")
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        if trial.system_attrs.get("fixed_params"):
            study.enqueue_trial(trial.system_attrs["fixed_params"])


def _cut_off(trial: FrozenTrial) -> bool:
    return trial.state.name == "FAIL" and not {"reason", "seconds"} <= set(trial.user_attrs)


def seed_sampler(study: Study, config: SearchConfig, *, n_open: int = 0) -> None:
    """Give the study a sampler whose draws depend on seed, finished trials and number of open ones alone.

    An interrupted search that goes on one by one so makes the same choices as one that was not. Where trials are open,
    the sampler takes their results for bad ones, so that it does not try the same point again beside them.
    """
    optuna = require_module("optuna", extra="search")
    entropy = [config.seed, len(finished_trials(study)), *([n_open] if n_open else [])]
    state = np.random.SeedSequence(entropy).generate_state(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of constant_liar, before Optuna 5
        study.sampler = optuna.samplers.TPESampler(
            seed=int(state[0]), n_startup_trials=_N_STARTUP, constant_liar=n_open > 0
        )
