from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.audit.data_sets import change_neutrons, clean_pulses

import discrimen
from discrimen.errors import DataError
from discrimen.formats.table import open_writer
from discrimen.network.model_description import read_description
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.training.split import Split

Run = Callable[..., tuple[int, str, str]]


def write(path: Path, pulses: Pulses) -> Path:
    settings: DetectorSettings = detector_settings(SimulationConfig(n_pulses=1))
    with open_writer(path, settings) as writer:
        writer.write(pulses)
    return path


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("clean") / "clean.lh5", clean_pulses(301, n_pulses=600, n_channels=1))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("other") / "other.lh5", clean_pulses(303, n_pulses=600, n_channels=1))


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pulses = change_neutrons(clean_pulses(302, n_pulses=600, n_channels=1), lambda samples: samples - 20)
    return write(tmp_path_factory.mktemp("faulty") / "faulty.lh5", pulses)


def test_a_clean_set_ends_with_status_0(run: Run, clean: Path, tmp_path: Path) -> None:
    status, out, _ = run("audit", clean, "-o", tmp_path / "report")
    assert status == 0
    assert "found: nothing" in out
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["audit.html", "audit.json"]


def test_an_error_ends_with_status_1_and_says_what_to_do(run: Run, faulty: Path) -> None:
    status, out, _ = run("audit", faulty)
    assert status == 1
    assert "ERROR give-away-baseline" in out
    assert "what to do:" in out


def test_json_is_one_object_even_with_errors(run: Run, faulty: Path) -> None:
    status, out, _ = run("audit", faulty, "--json")
    assert status == 1
    result = json.loads(out)
    assert result["findings"][0]["severity"] == "error"
    assert result["n_errors"] >= 1


def test_the_same_file_given_twice_is_a_duplicate(run: Run, clean: Path) -> None:
    status, out, _ = run("audit", clean, clean, "--json")
    assert status == 1
    told = {finding["check"]: finding["numbers"]["n_copies"] for finding in json.loads(out)["findings"]}
    assert told == {"duplicates-across": 600, "duplicates-across-split": 600}


def test_the_data_to_judge_by_must_hold_other_pulses(run: Run, clean: Path, other: Path) -> None:
    status, out, _ = run("audit", clean, "--against", other)
    assert (status, "found: nothing" in out) == (0, True)
    status, out, _ = run("audit", clean, "--against", other, "--against", clean, "--json")
    assert status == 1
    (finding,) = json.loads(out)["findings"]
    assert finding["check"] == "duplicates-against"
    assert finding["numbers"]["files"] == [{"name": "other.lh5", "n_copies": 0}, {"name": "clean.lh5", "n_copies": 600}]


def test_the_split_that_training_would_make_is_told(run: Run, clean: Path, other: Path) -> None:
    _, out, _ = run("audit", clean)
    assert "training would split by time (there is one run only)" in " ".join(out.split())
    _, out, _ = run("audit", clean, other, "--json")
    split = json.loads(out)["split"]
    assert split["kind"] == "run"
    assert [run["name"] for run in split["runs"]] == ["clean.lh5", "other.lh5"]


def test_a_set_without_a_split_is_audited_all_the_same(run: Run, tmp_path: Path) -> None:
    pulses = clean_pulses(304, n_pulses=60)
    gammas = write(tmp_path / "gammas.lh5", pulses[pulses.column("label") == 0])
    status, out, err = run("audit", gammas, "--json")
    assert status == 1
    assert json.loads(out)["split"] is None
    assert "could not split" in err


def test_training_refuses_errors_before_it_makes_a_folder(run: Run, faulty: Path, tmp_path: Path) -> None:
    status, out, err = run("train", faulty, "-o", tmp_path / "model", "--epochs", "1")
    assert (status, out) == (1, "")
    assert "give-away-baseline" in err
    assert "--accept" in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "model").exists()


def test_accepted_errors_are_kept_with_the_model(run: Run, faulty: Path, tmp_path: Path) -> None:
    status, _, err = run("train", faulty, "-o", tmp_path / "model", "--epochs", "1", "--accept")
    assert status == 0
    assert "ERROR give-away-baseline" in err
    origin = read_description(tmp_path / "model" / "model.json").provenance
    assert "give-away-baseline" in [finding["check"] for finding in origin["audit"]["findings"]]
    assert "split by time" in err
    assert origin["split"]["kind"] == "time"
    assert sum(origin["split"]["validation"].values()) == origin["pulses"]["n_validation"]


def test_the_typed_function_refuses_them_too(faulty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Reached(Exception):
        pass

    def train_network(*_: object, provenance: dict[str, Any], split: Split, **__: object) -> None:
        assert "give-away-baseline" in [finding["check"] for finding in provenance["audit"]["findings"]]
        assert split.kind == "pulse"
        raise Reached

    monkeypatch.setattr("discrimen.training.train", train_network)
    with pytest.raises(DataError, match="give-away-baseline"):
        discrimen.train(discrimen.read(faulty), tmp_path / "model")
    with pytest.raises(Reached):
        discrimen.train(discrimen.read(faulty), tmp_path / "model", accept=True, split="pulse")
