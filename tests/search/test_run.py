from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.search.small_search import search, small_dataset

import discrimen.search.trial as trial_module
from discrimen.errors import DataError, FormatError, OutputError, SettingsError
from discrimen.search import SearchResult, TrialRow, parse_space
from discrimen.search.result import front

pytestmark = pytest.mark.usefixtures("fake_training")
ALL = 12
"""More than the ten that are drawn at random."""


def told(result: SearchResult) -> list[tuple[Any, ...]]:
    return [(row.state, dict(row.parameters), row.objective) for row in result.trials]


def broken(error: type[BaseException]) -> Any:
    def measure(*_: object, **__: object) -> None:
        raise error

    return measure


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, fake_training: None) -> SearchResult:
    return search(tmp_path_factory.mktemp("search") / "whole", ALL)


@pytest.fixture
def copied(finished: SearchResult, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished.folder, tmp_path / "copied"))


def test_the_default_is_tried_first_and_the_best_is_kept(finished: SearchResult) -> None:
    first = finished.trials[0]
    assert first.parameters == {"architecture": "mlp", "mlp.hidden": "10,4", "training.learning_rate": 0.001}
    assert len({row.parameters["training.learning_rate"] for row in finished.trials}) == ALL
    (best,) = finished.best
    assert best.objective == min(row.objective for row in finished.trials if row.objective is not None)
    assert [place.name for place in (finished.folder / "trials").iterdir()] == [f"{best.number:04d}"]
    assert (finished.folder / "best" / "model.json").read_text() == f"trial {best.number}"


def test_a_search_that_was_cut_in_two_is_the_same_search(finished: SearchResult, tmp_path: Path) -> None:
    assert len(search(tmp_path / "halves", 11).trials) == 11
    assert told(search(tmp_path / "halves", ALL)) == told(finished)


@pytest.mark.parametrize(("done", "error"), [(0, DataError), (0, KeyboardInterrupt), (2, KeyboardInterrupt)])
def test_a_trial_that_was_cut_off_is_tried_again(
    finished: SearchResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException], done: int
) -> None:
    folder = tmp_path / "cut"
    if done:
        search(folder, done)
    with monkeypatch.context() as patch:
        patch.setattr(trial_module, "_measure", broken(error))
        if error is KeyboardInterrupt and done:
            assert search(folder, ALL).interrupted
            assert json.loads((folder / "report.json").read_text())["interrupted"] is True
        else:
            with pytest.raises(error):
                search(folder, ALL)
    gone_on = search(folder, ALL)
    assert told(gone_on) == told(finished)
    assert [row.number for row in gone_on.trials] == [*range(done), *range(done + 1, ALL + 1)]


def test_a_finished_search_runs_nothing_and_puts_a_lost_model_back(
    finished: SearchResult, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_module, "_measure", None)
    kept = (copied / "best" / "model.json").read_text()
    shutil.rmtree(copied / "best")
    assert told(search(copied, ALL)) == told(finished)
    assert (copied / "best" / "model.json").read_text() == kept


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"dataset": small_dataset(seed=1)}, "another data"),
        ({"space": parse_space({"architectures": {"mlp": None}})}, "another space"),
        ({"epochs": 3}, "another config"),
        ({"pareto": True}, "another config"),
    ],
)
def test_another_search_in_the_folder_is_refused(finished: SearchResult, changes: dict[str, Any], what: str) -> None:
    with pytest.raises(SettingsError, match=f"is another one .*{what}"):
        search(finished.folder, ALL, **changes)


def test_a_damaged_study_is_named(copied: Path) -> None:
    (copied / "study.db").write_bytes(b"no data base" * 100)
    with pytest.raises(FormatError, match=r"study\.db: this is no readable study"):
        search(copied, ALL)


def test_two_searches_cannot_share_a_folder(tmp_path: Path) -> None:
    def second(_row: TrialRow, _result: SearchResult) -> None:
        with pytest.raises(OutputError, match="another search is at work"):
            search(tmp_path / "odd name #1?", 1)
        raise KeyboardInterrupt

    assert search(tmp_path / "odd name #1?", 2, on_trial=second).interrupted


def test_points_that_cannot_be_trained_count_as_impossible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def impossible(*_: object) -> None:
        raise SettingsError("the window is too short")

    monkeypatch.setattr(trial_module, "_measure", impossible)
    for pareto in (False, True):
        with pytest.raises(DataError, match="none of 2 trials came to an end: the window is too short"):
            search(tmp_path / str(pareto), 2, pareto=pareto)


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_a_training_that_others_outdo_is_pruned(tmp_path: Path, pruner: str) -> None:
    space = parse_space({"architectures": {"mlp": None}, "training": {"learning_rate": [0.004, 1e-9]}})
    result = search(tmp_path / "s", 10, space=space, pruner=pruner, epochs=6)
    pruned = [row for row in result.trials if row.state == "pruned"]
    assert pruned
    assert {row.parameters["training.learning_rate"] for row in pruned} == {1e-9}
    assert all(row.objective is None and row.epochs in (5, 6) for row in pruned)
    assert result.best[0].parameters["training.learning_rate"] == 0.004


def test_pulses_that_one_preparation_cannot_take_are_left_out_of_all_trials(tmp_path: Path) -> None:
    dataset = small_dataset()
    samples = dataset.pulses.samples.copy()
    samples[:7] = 8000  # no pulse: nothing rises above the baseline
    changed = type(dataset)(
        pulses=dataset.pulses.replace(samples=samples), settings=dataset.settings, files=dataset.files, n_unlabelled=0
    )
    assert search(tmp_path / "s", 1, dataset=changed).identity["data"]["n_left_out"] == 7


def test_unknown_energies_are_refused_with_the_way_out(tmp_path: Path) -> None:
    dataset = small_dataset()
    blind = type(dataset)(
        pulses=dataset.pulses.replace(energy_kevee=None), settings=dataset.settings, files=dataset.files, n_unlabelled=0
    )
    with pytest.raises(SettingsError, match="--all-energies"):
        search(tmp_path / "s", 1, dataset=blind)
    assert search(tmp_path / "s", 1, dataset=blind, energy_edges_kevee=None).best


def test_models_on_the_front_are_kept_and_no_others(tmp_path: Path) -> None:
    result = search(tmp_path / "s", 6, pareto=True)
    assert result.best == front(result.trials)
    kept = sorted(place.name for place in (tmp_path / "s" / "trials").iterdir())
    assert kept == sorted(f"{row.number:04d}" for row in result.best)
    assert not (tmp_path / "s" / "best").exists()


def row(number: int, objective: float, ns: float) -> TrialRow:
    return TrialRow(
        number=number,
        state="complete",
        parameters={},
        objective=objective,
        leakages=(),
        native_ns_per_pulse=ns,
        n_parameters=1,
        best_epoch=1,
        epochs=1,
        seconds=1.0,
        reason=None,
    )


def test_the_front_holds_what_nothing_beats_in_both() -> None:
    rows = [
        row(0, -1.0, 20),
        row(1, -2.0, 100),
        row(2, -1.5, 200),
        row(3, -1.0, 30),
        row(4, -0.5, 10),
        row(5, -2.0, 90),
    ]
    assert [one.number for one in front(rows)] == [4, 0, 5]
    assert np.all(np.diff([one.objective or 0.0 for one in front(rows)]) < 0)
