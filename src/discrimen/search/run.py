"""The search itself: trials in one folder, the best model left there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from discrimen.errors import DataError
from discrimen.runs.dataset import Dataset
from discrimen.search.config import SearchConfig
from discrimen.search.open_search import OnTrial, OpenSearch, TrialRunner, keep_best, one_by_one
from discrimen.search.picture import write_result
from discrimen.search.result import SearchResult
from discrimen.search.space import SearchSpace
from discrimen.search.study import drop_cut_off_trials, open_study
from discrimen.search.task import build_task


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
    run_trials: TrialRunner = one_by_one,
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
        Called with each trial that ends, and the search as it then stands.
    run_trials : callable
        Runs the trials: one after the other in this process, or elsewhere.

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
    task, identity = build_task(
        dataset,
        space=space,
        config=config,
        window_start=window_start,
        window_length=window_length,
        provenance=provenance,
    )
    with open_study(folder, space=space, config=config, identity=identity) as study:
        search = OpenSearch(study=study, task=task, folder=folder, identity=identity, on_trial=on_trial)
        interrupted = _run(search, run_trials)
        result = search.result(interrupted=interrupted)
    if interrupted and not result.best:
        raise KeyboardInterrupt
    _require_best(result)
    write_result(result)
    return result


def _run(search: OpenSearch, run_trials: TrialRunner) -> bool:
    """Run what is left to do; return whether the user ended it."""
    drop_cut_off_trials(search.study)
    keep_best(search.result())
    try:
        run_trials(search)
    except KeyboardInterrupt:
        return True
    finally:
        drop_cut_off_trials(search.study)
    return False


def _require_best(result: SearchResult) -> None:
    if not result.best:
        reasons = sorted({str(row.reason) for row in result.trials})
        raise DataError(f"none of {len(result.trials)} trials came to an end: {'; '.join(reasons)}")
