"""`discrimen run` and `rerun` from a user's seat."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.workflow.command_lines import without_command_line
from tests.workflow.fake_commands import FakeCommands, commands, compass_run

import discrimen
from discrimen.scoring.scores import read_scores

__all__ = ["commands"]

Run = Callable[..., tuple[int, str, str]]


def test_names_tell_roles_and_a_line_says_what_comes_next(run: Run, tmp_path: Path, commands: FakeCommands) -> None:
    for number, name in enumerate(("CF252", "CO60")):
        compass_run(tmp_path / name, number)
    status, out, err = run("run", tmp_path / "CF252", tmp_path / "CO60", "-o", tmp_path / "out", "--epochs", "7")
    assert status == 0, err
    assert f"{tmp_path / 'CF252'}: a mixed source, by its name" in err
    assert f"{tmp_path / 'CO60'}: a gamma source, by its name" in err
    assert out.splitlines()[-1] == (f"next: discrimen classify {tmp_path / 'out' / 'model.discrimen'} RUN -o scores.h5")
    assert "epochs: 7  #" in (tmp_path / "out" / "run.yaml").read_text()
    assert f"discrimen run {tmp_path / 'CF252'}" in (tmp_path / "out" / "run.yaml").read_text()


def test_a_yaml_can_be_kept_and_run_elsewhere(run: Run, tmp_path: Path, commands: FakeCommands) -> None:
    compass_run(tmp_path / "CF252", 1)
    assert run("run", "--mixed", tmp_path / "CF252", "-o", tmp_path / "first")[0] == 0
    kept = tmp_path / "kept.yaml"
    kept.write_text((tmp_path / "first" / "run.yaml").read_text().replace("seed: 0", "seed: 5"))
    status, _, err = run("run", kept, "-o", tmp_path / "second")
    assert status == 0, err
    assert "seed: 5" in (tmp_path / "second" / "run.yaml").read_text()
    assert run("run", kept, "--epochs", "5", "-o", tmp_path / "third")[0] == 2


def test_rerun_takes_further_runs_and_gives_json(run: Run, tmp_path: Path, commands: FakeCommands) -> None:
    compass_run(tmp_path / "CF252", 1)
    later = compass_run(tmp_path / "later", 2)
    assert run("run", "--mixed", tmp_path / "CF252", "-o", tmp_path / "out")[0] == 0
    status, out, err = run("rerun", tmp_path / "out", "--classify", later, "--json")
    assert status == 0, err
    told: dict[str, Any] = json.loads(out)
    assert told["done"] == ["inspect-later_run_2_DataR_run_2", "classify-later_run_2_DataR_run_2"]
    assert told["failed"] == []
    assert "classify model.discrimen" in told["commands"]["classify-later_run_2_DataR_run_2"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "DATA", "-o", "out"], "DATA: its name tells no source, and its role is not guessed: say --mixed DATA"),
        (["run", "--gamma", "DATA", "-o", "out"], "expected runs of a source of neutrons and gammas"),
        (["run", "--mixed", "absent", "-o", "out"], "absent: there is no such file or folder"),
        (["run", "--mixed", "empty", "-o", "out"], "empty: no run file in"),
        (["rerun", "DATA"], "DATA: holds no run.yaml; begin with 'discrimen run ... -o DATA'"),
        (
            ["rerun", "wrong"],
            "wrong/run.yaml, line 2: there is no 'epoch'; did you mean epochs? Known are",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    compass_run(tmp_path / "DATA", 1)
    (tmp_path / "empty").mkdir()
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "run.yaml").write_text("mixed: ../DATA\nepoch: 5\n")
    monkeypatch.chdir(tmp_path)
    status, out, err = run(*arguments)
    assert (status, out) == (1, "")
    assert told in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two CoMPASS projects and a later run, simulated."""
    folder = tmp_path_factory.mktemp("sources")
    for name, number, n_pulses, spectrum in (
        ("CF252", 1, 24_000, "Cf-252"),
        ("CO60", 2, 15_000, "Co-60"),
        ("LATER", 3, 6_000, "Cf-252"),
    ):
        raw = folder / name / "DAQ" / f"run_{number}" / "RAW"
        raw.mkdir(parents=True)
        discrimen.simulate(raw / f"DataR_run_{number}.BIN", n_pulses, spectrum=spectrum, seed=number)
    return folder


def losses(folder: Path) -> list[list[str]]:
    """Return the history of the training but for its times."""
    rows = csv.DictReader((folder / "model" / "history.csv").read_text().splitlines())
    return [[value for name, value in row.items() if name != "duration_s"] for row in rows]


@pytest.mark.slow
def test_two_commands_give_what_the_long_way_gives(
    run: Run, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, long = tmp_path / "out", tmp_path / "long"
    few = ["--epochs", "4", "--seed", "3"]
    assert run("run", "--mixed", sources / "CF252", "--gamma", sources / "CO60", "-o", out, *few)[0] == 0
    assert run("rerun", out, "--classify", sources / "LATER")[0] == 0

    long.mkdir()
    monkeypatch.chdir(long)
    cf, co, later = (next((sources / name).glob("DAQ/run_*/RAW/*.BIN")) for name in ("CF252", "CO60", "LATER"))
    gamma, seed, model = ["--gamma-run", co], ["--seed", 3], "model.discrimen"
    by_band = ["--method", "band", "--purity", 0.99, *gamma, *seed]
    parts = {"learn": "0:0.5", "tune": "0.5:0.75", "judge": "0.75:1"}
    train = ["--architecture", "patches", "--epochs", 4, "--patience", 20, "--batch-size", 100, *seed]
    chosen = ["--calibrate", "tune.lh5", "--no-temperature", "--neutron-efficiency", 0.95]
    for command in [
        *(["convert", cf, "-o", f"{name}_part.lh5", "--share", share] for name, share in parts.items()),
        ["label", "learn_part.lh5", "--method", "source", *gamma, *seed, "-o", "learn.lh5"],
        ["label", "tune_part.lh5", *by_band, "-o", "tune.lh5"],
        ["label", "judge_part.lh5", *by_band, "-o", "judge.lh5"],
        ["train", "learn.lh5", "-o", "model", *train],
        ["freeze", "model", "-o", model, *chosen],
        ["evaluate", model, "judge.lh5", "--tuning", "tune.lh5", "-o", "report", *seed],
        ["classify", model, later, "-o", "later.h5", "--most-outside", 0.1],
    ]:
        status, _, err = run(*command)
        assert status == 0, err

    assert without_command_line(out) == []
    assert losses(out) == losses(long)
    assert len(losses(out)) == 4
    reports = [json.loads((folder / "report/report.json").read_text()) for folder in (out, long)]
    for figures in ("overall", "bins", "measured", "outside", "score_histogram"):
        assert reports[0][figures] == reports[1][figures]
    tables = [
        table.rows.columns(table.classes)
        for table in (read_scores(out / "scores/LATER_run_3_DataR_run_3.h5"), read_scores(long / "later.h5"))
    ]
    assert tables[0].keys() == tables[1].keys()
    for name, column in tables[0].items():
        np.testing.assert_array_equal(column, tables[1][name], err_msg=name)
    assert 0.3 < (tables[0]["class_number"] == 1).mean() < 0.6


@pytest.mark.slow
def test_ctrl_c_in_the_training_leaves_what_rerun_goes_on_from(run: Run, sources: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "discrimen", "run", "--mixed", sources / "CF252", "--gamma", sources / "CO60"]
    history = tmp_path / "out" / "model" / "history.csv"
    with subprocess.Popen(
        [*map(str, command), "-o", str(tmp_path / "out"), "--epochs", "400"], stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None and (not history.exists() or len(history.read_text().splitlines()) < 4):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == 130, err
    assert f"next: discrimen rerun {tmp_path / 'out'}" in err.splitlines()[-1]
    record = json.loads((tmp_path / "out" / "steps.json").read_text())
    assert "audit" in record["done"]
    assert "train" not in record["done"]
    before = history.read_text().splitlines()
    # Fewer epochs would be another training, which must begin again: the patience ends this one instead.
    status, out, err = run("rerun", tmp_path / "out")
    assert status == 0, err
    assert "it was broken off: going on by discrimen train learn.lh5 --resume model" in err
    # An epoch whose state was not written yet is done again, in another time.
    without_time = [[line.rsplit(",", 1)[0] for line in lines] for lines in (history.read_text().splitlines(), before)]
    assert without_time[0][: len(before)] == without_time[1]
    assert "9 done before" in out
