"""A search that takes a second a trial: few pulses that are easy to tell apart, tiny networks, two epochs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tests.training.toy_pulses import toy_pulses

from discrimen.pulses.detector import DetectorSettings
from discrimen.runs.dataset import Dataset
from discrimen.search import SearchConfig, SearchResult, parse_space, run_search
from discrimen.search.open_search import one_by_one

SPACE = parse_space(
    {
        "architectures": {"mlp": {"hidden": ["10,4", "4", "6,3"]}},
        "training": {"learning_rate": {"low": 0.0005, "high": 0.02, "log": True}},
    }
)
CONFIG: dict[str, Any] = {"epochs": 2, "patience": None, "energy_edges_kevee": (30.0, 60.0, 100.0), "pruner": "none"}


def small_dataset(n_each: int = 800, *, seed: int = 0) -> Dataset:
    pulses = toy_pulses(n_each, seed=seed)
    energy = np.random.default_rng(seed).uniform(30, 100, len(pulses)).astype(np.float32)
    return Dataset(
        pulses=pulses.replace(energy_kevee=energy, run=np.zeros(len(pulses), np.int32)),
        settings=DetectorSettings(sample_period_ns=10.0, polarity="negative", pretrigger_ns=150.0),
        files=({"name": "toy.lh5", "sha256": "0" * 64, "n_pulses": len(pulses)},),
        n_unlabelled=0,
    )


def search(folder: Path, trials: int, *, dataset: Dataset | None = None, **changes: Any) -> SearchResult:
    space = changes.pop("space", SPACE)
    on_trial = changes.pop("on_trial", lambda _row, _result: None)
    run_trials = changes.pop("run_trials", one_by_one)
    return run_search(
        small_dataset() if dataset is None else dataset,
        folder,
        space=space,
        config=SearchConfig(trials=trials, **(CONFIG | changes)),
        on_trial=on_trial,
        run_trials=run_trials,
    )
