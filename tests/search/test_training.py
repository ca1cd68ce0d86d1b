"""Searches with real, tiny trainings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.search.small_search import search

from discrimen.inference.load import load_model
from discrimen.search import SearchResult, parse_space


@pytest.fixture(scope="module")
def front_of_two(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    space = parse_space({"architectures": {"mlp": {"hidden": ["10,4"]}}, "preparation": {"scale": ["peak"]}})
    return search(tmp_path_factory.mktemp("search") / "front", 2, space=space, pareto=True)


def test_every_trial_is_judged_and_timed(front_of_two: SearchResult) -> None:
    report = json.loads((front_of_two.folder / "report.json").read_text())
    assert report["best"] == [row.number for row in front_of_two.best]
    assert "judge on pulses of other runs" in report["warning"]
    for row in report["trials"]:
        assert [one["energy"] for one in row["leakages"]] == ["30-60 keVee", "60-100 keVee"]
        assert all(0 <= one["leakage"]["low"] <= one["leakage"]["high"] <= 1 for one in row["leakages"])
        assert row["n_parameters"] == 814
        assert row["native_ns_per_pulse"] > 0


def test_the_same_network_has_one_time_and_the_same_training_one_leakage(front_of_two: SearchResult) -> None:
    first, second = front_of_two.trials
    assert first.native_ns_per_pulse == second.native_ns_per_pulse
    assert first.objective == second.objective
    assert len(front_of_two.best) == 1


def test_the_best_model_is_a_normal_model_that_knows_where_it_comes_from(front_of_two: SearchResult) -> None:
    place = front_of_two.folder / "trials" / f"{front_of_two.best[0].number:04d}"
    for path in (place, place / "model.discrimen"):
        model = load_model(path)
        assert model.description.provenance["search"]["trial"] == front_of_two.best[0].number
        assert model.description.provenance["files"][0]["name"] == "toy.lh5"
    assert np.isfinite(
        model.predictor.predict(np.full((1, 75), 8000, np.uint16) - np.arange(75, dtype=np.uint16))
    ).all()


def test_trials_leave_no_compiled_programs_behind(tmp_path: Path) -> None:
    import jax

    from discrimen.search import trial

    program = jax.jit(lambda value: value + 1)
    program(1.0)
    assert program._cache_size() == 1
    trial._forget_programs()
    assert program._cache_size() == 0
