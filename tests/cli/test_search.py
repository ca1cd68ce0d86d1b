"""``discrimen search`` from a user's seat; the trainings are those of tests/search."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from distributed import LocalCluster
from tests.search.conftest import fake_training as fake_training
from tests.search.small_search import small_dataset

from discrimen.cli.main import main
from discrimen.formats.table import open_writer

Search = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = small_dataset()
    path = tmp_path_factory.mktemp("data") / "toy.lh5"
    with open_writer(path, made.settings) as writer:
        writer.write(made.pulses)
    return path


@pytest.fixture
def search(
    dataset: Path, fake_training: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Search:
    def command(*arguments: str) -> tuple[int, str, str]:
        fixed = [str(dataset), "--accept", "--pruner", "none", "--epochs", "2", "--architecture", "mlp"]
        monkeypatch.setattr(sys, "argv", ["discrimen", "search", *fixed, *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return command


def test_a_search_goes_on_and_says_how_far_to_trust_it(search: Search, tmp_path: Path) -> None:
    where = ("-o", str(tmp_path / "s"), "--energy-edges-kevee", "30,60,100")
    status, out, err = search(*where, "--trials", "2")
    assert status == 0, err
    assert "2 trials: 2 complete" in out
    assert "discrimen evaluate" in out
    status, out, err = search(*where, "--trials", "3", "--json")
    assert status == 0, err
    result = json.loads(out)
    assert [row["number"] for row in result["trials"]] == [0, 1, 2]
    assert list(result["space"]["architectures"]) == ["mlp"]
    status, _, err = search(*where, "--trials", "3", "--seed", "1")
    assert status == 1
    assert "is another one" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--energy-edges-kevee", "50,x"], "expected numbers"),
        (["--energy-edges-kevee", "50,30"], "ascending"),
        (["--efficiency", "1.5"], "between 0 and 1"),
        (["--validation-share", "0"], "validation_share"),
        (["--trials", "0"], "--trials"),
        (["--architecture", "gru"], "no gru"),
        (["--window", "5"], "START:LENGTH"),
    ],
)
def test_wrong_options_are_a_wrong_usage(search: Search, tmp_path: Path, arguments: list[str], told: str) -> None:
    status, _, err = search("-o", str(tmp_path / "s"), *arguments)
    assert status == 2
    assert told in err
    assert not (tmp_path / "s").exists()


def test_a_space_of_ones_own(search: Search, tmp_path: Path) -> None:
    space = tmp_path / "space.yaml"
    space.write_text(yaml.safe_dump({"architectures": {"mlp": {"hidden": ["3"]}}, "training": {"learning_rate": 0.01}}))
    arguments = ("-o", str(tmp_path / "s"), "--space", str(space), "--all-energies", "--trials", "1", "--json")
    status, out, err = search(*arguments)
    assert status == 0, err
    (row,) = json.loads(out)["trials"]
    assert row["parameters"] == {"architecture": "mlp", "mlp.hidden": "3", "training.learning_rate": 0.01}
    space.write_text("architectures: {mlp: {hidden: [-3]}}")
    status, _, err = search(*arguments)
    assert status == 1
    assert "space.yaml: options of mlp" in err


def test_the_built_in_space_can_be_printed(search: Search) -> None:
    status, out, _ = search("--print-space")
    assert status == 0
    assert set(yaml.safe_load(out)) == {"architectures", "training", "preparation"}


def test_a_cluster_searches_and_tells_what_ran_where(
    search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPROC", "1")
    where = ("-o", str(tmp_path / "s"), "--all-energies", "--trials", "3", "--json")
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address=":0"
    ) as cluster:
        status, out, err = search(*where, "--scheduler", cluster.scheduler_address)
        assert status == 0, err
        result = json.loads(out)
        assert [row["state"] for row in result["trials"]] == ["complete"] * 3
        assert (result["cluster"]["n_jobs"], result["cluster"]["n_again"]) == (3, 0)
        assert "3 jobs, 4,800 pulses" in err
        status, out, _ = search(*where, "--scheduler", cluster.scheduler_address)
    assert (status, json.loads(out)["cluster"]["n_jobs"]) == (0, 0)
    status, out, _ = search(*where)
    assert json.loads(out) | {"command_line": ""} == {
        name: value for name, value in (result | {"command_line": ""}).items() if name != "cluster"
    }
    status, _, err = search(*where, "--cluster", "local", "--part-mb", "10")
    assert (status, "No such option: --part-mb" in err) == (2, True)
