"""``discrimen separate`` from a user's seat, and the components that a separator is trained on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.formats.test_pile_up_text import write_folder
from tests.reconstruction.separator_model import piled_up, write_separator
from tests.reconstruction.test_separate import read, written

Run = Callable[..., tuple[int, str, str]]
TASK = ("--task", "separation", "--architecture", "mlp", "--option", "hidden=32", "--epochs", "2", "--split", "pulse")


def test_the_way_from_components_to_separated_pulses(tmp_path: Path, run: Run) -> None:
    run_file, parts = tmp_path / "run.lh5", tmp_path / "parts.lh5"
    wishes = ("-n", "600", "--pileup-fraction", "0.7", "--pileup-delay-max-ns", "300", "--energy-min-kevee", "100")
    status, out, err = run("simulate", "-o", run_file, "--components", parts, *wishes, "--json")
    assert status == 0, err
    assert json.loads(out)["components"] == str(parts)
    status, out, err = run("train", run_file, "--components", parts, *TASK, "-o", tmp_path / "m", "--json")
    assert status == 0, err
    (file,) = json.loads(out)["model"]["provenance"]["component_files"]
    assert file["name"] == "parts.lh5"
    frozen = tmp_path / "m.discrimen"
    assert run("freeze", tmp_path / "m", "-o", frozen)[0] == 0
    output = tmp_path / "out.lh5"
    how = ("--components", parts, "--threshold", "1", "--accept", "--fit", "0", "-o", output)
    status, out, err = run("separate", frozen, run_file, *how, "--report", tmp_path / "report", "--json")
    assert status == 0, err
    assert [Path(path).name for path in json.loads(out)["report"]][:2] == ["separate.json", "separate.html"]
    (told,) = json.loads(out)["files"]
    assert json.loads((tmp_path / "report" / "separate.json").read_text())["files"] == [told]
    assert told["n_single"] == 0
    assert told["n_piled_up"] + told["n_saturated"] + told["n_unprepared"] == 600
    assert told["judged"]["n_false_alarms"] == told["judged"]["n_alone"] > 100
    assert "the model was trained on these records" in err
    back = read(output)
    assert len(back) == told["n_written"] == 2 * told["n_separated"]
    assert {"part", "time_offset_ns", "label"} <= set(back.columns())


@pytest.mark.slow
def test_a_folder_of_traces_is_trained_on_and_separated(tmp_path: Path, run: Run) -> None:
    trained = write_folder(tmp_path / "As" / "Type2", n_traces=80)
    other = write_folder(tmp_path / "Br" / "Type2", "test", n_traces=20, seed=1)
    status, _, err = run("train", trained, *TASK, "--scale", "none", "-o", tmp_path / "m")
    assert status == 0, err
    frozen = tmp_path / "m.discrimen"
    assert run("freeze", tmp_path / "m", "-o", frozen)[0] == 0
    status, out, err = run("separate", frozen, other, "--threshold", "1", "--accept")
    assert status == 0, err
    assert "feature_test.csv: 20 records" in out
    assert "one pulse in each part" in out
    assert "nothing written" in out
    for name in ("label1_test.csv", "label2_test.csv"):
        (other / name).unlink()
    status, out, err = run("separate", frozen, other, "--threshold", "1", "--accept", "-o", tmp_path / "out.lh5")
    assert status == 0, err
    assert "NRMSE" not in out


def test_what_is_counted_is_said(tmp_path: Path, run: Run) -> None:
    two, _ = piled_up(6)
    three, _ = piled_up(3, n_in_each=3)
    samples = np.concatenate([two.samples, three.samples])
    samples[0] = 8000
    mixed = written(tmp_path / "run.lh5", two[[0] * 9].replace(samples=samples, entry=np.arange(9)))
    model = write_separator(tmp_path / "part.discrimen")
    status, out, err = run("separate", model, mixed, "-o", tmp_path / "out.lh5")
    assert status == 0, err
    assert "9 records: 0 of one pulse, 8 piled up (5 separated), 4 refused; 10 pulses" in out
    assert "3 of more than two pulses, 1 without a pulse above the baseline" in out
    assert run("separate", model, mixed, "-o", tmp_path / "out.lh5")[0] == 1


def test_options_that_do_nothing_are_refused(tmp_path: Path, run: Run) -> None:
    for option in (("--components", "b.lh5"), ("--part-gain", "0.2"), ("--part-moved", "0.4")):
        status, _, err = run("train", "a.lh5", "-o", tmp_path / "m", *option)
        assert status == 2
        assert f"{option[0]} does nothing without --task separation" in " ".join(err.split())
    model = write_separator(tmp_path / "part.discrimen")
    piled = written(tmp_path / "run.lh5", piled_up(4)[0])
    for option in ("--in-place", "--float"):
        status, _, err = run("separate", model, piled, option)
        assert status == 2
        assert f"{option} does nothing without --output" in " ".join(err.split())
    status, _, err = run("separate", model, piled, "--fit", "10")
    assert status == 2
    assert "--fit does nothing" in " ".join(err.split())


def test_a_training_without_components_says_what_to_give(tmp_path: Path, run: Run) -> None:
    piled = written(tmp_path / "run.lh5", piled_up(40)[0])
    status, _, err = run("train", piled, *TASK, "--baseline-ns", "0:100", "-o", tmp_path / "m")
    assert (status, "simulate --components writes it" in err) == (1, True)


@pytest.mark.real_data
@pytest.mark.slow
def test_traces_of_others_are_separated_better_than_by_the_fit(tmp_path: Path, run: Run) -> None:
    data = Path(os.environ.get("DISCRIMEN_REAL_DATA", "../shared/data")) / "pileup"
    if not data.is_dir():
        pytest.skip(f"NO REAL DATA: {data} is not there")
    rows = {
        stem: (data / f"Cr/Type2/{stem}_train.csv").read_text().splitlines(True)
        for stem in ("feature", "label1", "label2")
    }
    for name, chosen in (("train", lambda n: n % 5), ("test", lambda n: not n % 5)):
        (tmp_path / name / "Type2").mkdir(parents=True)
        for stem, lines in rows.items():
            kept = [line for number, line in enumerate(lines) if chosen(number)]
            (tmp_path / name / "Type2" / f"{stem}_{name}.csv").write_text("".join(kept))
    how = ("--task", "separation", "--architecture", "mlp", "--option", "hidden=256,256", "--scale", "none")
    decay = ("--epochs", "100", "--learning-rate-decay", "cosine", "--patience", "0", "--split", "pulse")
    assert run("train", tmp_path / "train" / "Type2", *how, *decay, "-o", tmp_path / "m")[0] == 0
    assert run("freeze", tmp_path / "m", "-o", tmp_path / "m.discrimen")[0] == 0
    judged = ("separate", tmp_path / "m.discrimen", tmp_path / "test" / "Type2", "--threshold", "1", "--accept")
    status, out, err = run(*judged, "--json")
    assert status == 0, err
    told = json.loads(out)["files"][0]["judged"]
    assert told["fit"]["nrmse"] > 1.5 * told["network"]["nrmse"]
