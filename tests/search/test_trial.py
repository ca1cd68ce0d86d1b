"""A trial by itself, without study and without network."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.search.small_search import SPACE, small_dataset

import discrimen.search.trial as trial_module
from discrimen.errors import SettingsError
from discrimen.search import SearchConfig
from discrimen.search.candidate import default_candidates
from discrimen.search.task import build_task
from discrimen.search.trial import add_time, measure


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_module, "train", lambda *_, **__: SimpleNamespace(stopped_by="epochs"))
    monkeypatch.setattr(trial_module, "_leakage", lambda *_: -1.5)
    monkeypatch.setattr(trial_module, "_forget_programs", lambda: None)
    monkeypatch.setattr(trial_module, "native_ns_per_pulse", lambda *_, **__: 100.0)


def test_a_model_is_timed_where_it_was_trained_or_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = SearchConfig(pareto=True, energy_edges_kevee=None)
    task, _ = build_task(small_dataset(), space=SPACE, config=config)
    (candidate,) = default_candidates(SPACE)
    timed = measure(candidate, 0, task, tmp_path)
    assert timed.values == (-1.5, 2.0)
    assert timed.attributes["native_ns_per_pulse"] == 100.0
    untimed = measure(candidate, 0, task, tmp_path, timed=False)
    assert untimed.values == (-1.5,)
    assert set(untimed.attributes) == {"seconds"}
    later = add_time(untimed, tmp_path, seed=0)
    assert later.values == timed.values
    assert dict(later.attributes) == {**untimed.attributes, "native_ns_per_pulse": 100.0}


def test_a_model_that_cannot_be_frozen_is_impossible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SettingsError("no such layer")

    monkeypatch.setattr(trial_module, "native_ns_per_pulse", refuse)
    later = add_time(trial_module.TrialOutcome((-1.0,), {"seconds": 1.0}), tmp_path, seed=0)
    assert later == trial_module.TrialOutcome(None, {"seconds": 1.0, "reason": "no such layer"})
    assert add_time(later, tmp_path, seed=0) is later
