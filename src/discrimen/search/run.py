"""The search itself: trial after trial in one folder, the best model left there."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, OutputError, SettingsError
from discrimen.evaluation.discriminants import light_kevee
from discrimen.network.preparation import Alignment, Preparation, Scale
from discrimen.network.prepare import choose_preparation, prepare
from discrimen.pulse_shape.upright import blocks
from discrimen.pulses import Label, Pulses
from discrimen.runs.dataset import Dataset
from discrimen.search.candidate import PreparationMaker, make_preparation
from discrimen.search.config import SearchConfig
from discrimen.search.objective import choose_judges
from discrimen.search.picture import write_result
from discrimen.search.result import SearchResult, TrialRow, collect
from discrimen.search.space import SearchSpace
from discrimen.search.study import drop_cut_off_trials, finished_trials, open_study, seed_sampler
from discrimen.search.trial import SearchTask, run_trial, trial_folder

if TYPE_CHECKING:
    from optuna import Study

OnTrial = Callable[[TrialRow, SearchResult], None]
BEST = "best"


def run_search(
    dataset: Dataset,
    folder: Path,
    *,
    space: SearchSpace,
    config: SearchConfig,
    window_start: int = 0,
    window_length: int | None = None,
    provenance: Mapping[str, Any] | None = None,
    on_trial: OnTrial = lambda _row, _result: None,
) -> SearchResult:
    """Search for the architecture, training and preparation with the least leakage, or for the front.

    Parameters
    ----------
    dataset : Dataset
        Labelled pulses; the validation part of their split chooses.
    folder : Path
        For the study, the best models, ``report.json`` and ``search.png``. A search that is there is gone on with.
    space, config
        What and how to search.
    window_start, window_length
        Which samples every network sees; see :class:`~discrimen.network.preparation.Preparation`.
    provenance : mapping, optional
        Stored with each model.
    on_trial : callable
        Told of each trial that ends, and of the search as it then stands.

    Returns
    -------
    SearchResult
        Of all trials in the folder; written there, too.

    Raises
    ------
    DataError
        If there are too few pulses, or no trial came to an end.
    SettingsError
        If the energy of the pulses is not known, or the search in the folder is another one.
    OutputError
        If the folder cannot be written, or another process searches there.
    """

    def preparation(*, scale: Scale, alignment: Alignment | None) -> Preparation:
        return choose_preparation(
            dataset.settings,
            n_samples=dataset.pulses.n_samples,
            scale=scale,
            window_start=window_start,
            window_length=window_length,
            alignment=alignment,
        )

    fit = fit_for_all(dataset.pulses, _preparations(space, preparation))
    kept = dataset.pulses[fit]
    energy = _energy_kevee(kept, dataset, config, preparation(scale="peak", alignment=None))
    whole = config.training().split_of(dataset.pulses, files=dataset.files)
    split = replace(whole, validation=whole.validation[fit], training=whole.training[fit])
    task = SearchTask(
        pulses=kept,
        split=split,
        judges=choose_judges(
            kept.column("label")[split.validation],
            None if energy is None else energy[split.validation],
            edges_kevee=config.energy_edges_kevee,
            efficiency=config.efficiency,
        ),
        preparation=preparation,
        settings=dataset.settings,
        space=space,
        config=config,
        provenance={"files": list(dataset.files), **(provenance or {})},
    )
    identity = {
        "data": _describe(dataset, kept, (window_start, window_length)),
        "space": space.as_data(),
        "config": config.identity(),
    }
    with open_study(folder, space=space, config=config, identity=identity) as study:
        interrupted = _run_trials(study, task, folder, identity, on_trial)
        result = collect(study, folder, identity, interrupted=interrupted)
    if interrupted and not result.best:
        raise KeyboardInterrupt
    _require_best(result)
    write_result(result)
    return result


def _run_trials(study: Study, task: SearchTask, folder: Path, identity: Mapping[str, Any], on_trial: OnTrial) -> bool:
    """Run what is left to do; return whether the user ended it."""
    drop_cut_off_trials(study)
    _keep_best(collect(study, folder, identity, interrupted=False))
    try:
        while len(finished_trials(study)) < task.config.trials:
            seed_sampler(study, task.config)
            run_trial(study, study.ask(), task, folder)
            result = collect(study, folder, identity, interrupted=False)
            _keep_best(result)
            on_trial(result.trials[-1], result)
    except KeyboardInterrupt:
        return True
    finally:
        drop_cut_off_trials(study)
    return False


def fit_for_all(pulses: Pulses, preparations: Sequence[Preparation]) -> NDArray[np.bool_]:
    """Tell which labelled pulses every preparation can take, so that all trials train on and judge the same.

    Raises
    ------
    DataError
        If there is none.
    """
    fit: NDArray[np.bool_] = pulses.column("label") != Label.UNKNOWN
    for preparation in preparations:
        fit &= np.concatenate([prepare(samples, preparation).valid for samples in blocks(pulses.samples)])
    if not fit.any():
        raise DataError(f"none of {len(pulses)} pulses is labelled and fits every preparation of the search space")
    return fit


def _preparations(space: SearchSpace, make: PreparationMaker) -> list[Preparation]:
    found: list[Preparation] = []
    for chosen in space.preparations():
        preparation = make_preparation(chosen, make)
        if preparation not in found:
            found.append(preparation)
    return found


def _energy_kevee(
    pulses: Pulses, dataset: Dataset, config: SearchConfig, preparation: Preparation
) -> NDArray[np.float64] | None:
    if config.energy_edges_kevee is None:
        return None
    settings = dataset.settings
    energy, _ = light_kevee(pulses, calibration=settings.calibration, preparation=preparation, gates=settings.gates)
    if energy is None:
        raise SettingsError(
            "the light of the pulses is not known, so that there are no lowest energy bins: put a calibration into "
            "--settings ('discrimen calibrate' makes one), or search with --all-energies"
        )
    return energy


def _describe(dataset: Dataset, kept: Pulses, window: tuple[int, int | None]) -> dict[str, Any]:
    labels = kept.column("label")
    digest = hashlib.sha256(np.ascontiguousarray(kept.samples).data)
    digest.update(np.ascontiguousarray(labels).data)
    return {
        "files": [file["name"] for file in dataset.files],
        "sha256": digest.hexdigest(),
        "n_gamma": int(np.count_nonzero(labels == Label.GAMMA)),
        "n_neutron": int(np.count_nonzero(labels == Label.NEUTRON)),
        "n_left_out": len(dataset.pulses) - len(kept),
        "settings": dataset.settings.model_dump(mode="json", exclude_none=True),
        "window_start": window[0],
        "window_length": window[1],
    }


def _keep_best(result: SearchResult) -> None:
    """Remove the models that others beat, and put the best one where users look for it."""
    trials = trial_folder(result.folder, 0).parent
    kept = {trial_folder(result.folder, row.number) for row in result.best}
    try:
        for place in trials.iterdir() if trials.is_dir() else ():
            if place not in kept:
                shutil.rmtree(place)
        if result.best and not result.pareto:
            _publish(trial_folder(result.folder, result.best[0].number), result.folder / BEST)
    except OSError as error:
        raise OutputError(f"{result.folder}: cannot write here: {error.strerror or error}") from error


def _publish(source: Path, place: Path) -> None:
    """Copy a model folder to its final name, unless it is there already."""
    description = "model.json"
    if (place / description).is_file() and (place / description).read_bytes() == (source / description).read_bytes():
        return
    part = place.with_name(f".{place.name}.part")
    for old in (part, place.with_name(f".{place.name}.old")):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(source, part)
    if place.exists():
        place.rename(place.with_name(f".{place.name}.old"))
    part.rename(place)
    shutil.rmtree(place.with_name(f".{place.name}.old"), ignore_errors=True)


def _require_best(result: SearchResult) -> None:
    if not result.best:
        reasons = sorted({str(row.reason) for row in result.trials})
        raise DataError(f"none of {len(result.trials)} trials came to an end: {'; '.join(reasons)}")
