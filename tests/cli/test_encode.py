"""``discrimen encode`` and ``decode`` from a user's seat, and the training for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.reconstruction.coding_model import write_coding_model
from tests.reconstruction.copying_model import falling_pulses
from tests.reconstruction.test_denoise import odd_pulses, read, written
from tests.scoring.small_model import write_small_model
from tests.training.toy_pulses import toy_pulses

Run = Callable[..., tuple[int, str, str]]
TASK = ("--task", "compression", "--architecture", "dense_autoencoder")
BASELINE = ("--baseline-ns", "0:120")


def test_the_way_from_a_run_to_codes_and_back(tmp_path: Path, run: Run) -> None:
    toys = toy_pulses(400).replace(label=None)
    recorded = written(tmp_path / "run.lh5", toys)
    teacher = write_small_model(tmp_path / "teacher.discrimen")
    how = (*TASK, "--scale", "none", "--teacher", teacher, "--teacher-weight", "0.01", "--rate-weight", "0.05")
    quick = ("--epochs", "4", "--learning-rate", "0.01", "--option", "code=3")
    status, out, err = run("train", recorded, *how, *quick, *BASELINE, "-o", tmp_path / "m", "--json")
    assert status == 0, err
    told = json.loads(out)["model"]["provenance"]["training"]["task"]
    assert (told["name"], told["teacher_weight"], told["rate_weight"]) == ("compression", 0.01, 0.05)
    model = tmp_path / "m.discrimen"
    assert run("freeze", tmp_path / "m", "-o", model)[0] == 0
    codes, back = tmp_path / "run.codes", tmp_path / "back.lh5"
    where = ("-o", codes, "--report", tmp_path / "report")
    status, out, err = run("encode", model, recorded, *where, "--accept", *BASELINE, "--json")
    assert status == 0, err
    stored = json.loads(out)
    assert [Path(path).name for path in stored["report"]] == ["encode.json", "encode.html"]
    assert (stored["step"], stored["code_length"]) == (told["step"], 3)
    assert stored["ratio"] > 1
    assert stored["files"][0]["n_encoded"] > 700
    status, out, err = run("decode", model, codes, "-o", back, "--json")
    assert status == 0, err
    assert json.loads(out)["n_decoded"] == stored["files"][0]["n_encoded"]
    lost = read(back).samples.astype(float) - toys.samples
    assert np.sqrt(np.square(lost).mean()) < 0.5 * toys.samples.std()
    told = json.loads((tmp_path / "report" / "encode.json").read_text())
    assert told["encoding"]["bits_a_pulse"] == stored["bits_a_pulse"]
    judged = lost[(lost != 0).any(axis=1)]
    assert told["ranges"][0]["n_pulses"] == len(judged) == stored["files"][0]["n_encoded"]
    rms_adc = told["ranges"][0]["figures"]["residual_rms_adc"]["value"]
    assert rms_adc == pytest.approx(np.sqrt(np.square(judged).mean()), rel=1e-4)
    page = (tmp_path / "report" / "encode.html").read_text()
    assert "Pulses stored as codes" in page
    assert "bytes a pulse" in page


def test_what_is_kept_or_left_out_is_said(tmp_path: Path, run: Run) -> None:
    model = write_coding_model(tmp_path / "coder.discrimen")
    recorded = written(tmp_path / "run.lh5", odd_pulses())
    how = ("encode", model, recorded, "--accept", "--step", "2", "-o", tmp_path / "run.codes")
    status, out, err = run(*how)
    assert status == 0, err
    assert (
        "57 of 60 pulses encoded; stored as recorded: 1 without a pulse above the baseline, 1 saturated, 1 unl" in out
    )
    assert run(*how)[0] == 1
    status, out, _ = run("decode", model, tmp_path / "run.codes", "-o", tmp_path / "back.dat")
    assert status == 0
    assert "57 pulses decoded, 3 as they were recorded" in out
    status, out, _ = run(*how, "--overwrite", "--leave-out")
    assert status == 0
    assert "left out: 1 without" in out
    status, out, err = run("decode", model, tmp_path / "run.codes", "-o", tmp_path / "back.dat", "--overwrite")
    assert (status, "57 pulses decoded; written" in out) == (0, True)
    assert "no place for: flags" in err


def test_faults_are_one_line(tmp_path: Path, run: Run) -> None:
    model = write_coding_model(tmp_path / "coder.discrimen")
    other = write_coding_model(tmp_path / "other.discrimen", turned=True)
    recorded = written(tmp_path / "run.lh5", falling_pulses(40))
    codes = tmp_path / "run.codes"
    assert run("encode", model, recorded, "-o", codes, "--accept", "--step", "2")[0] == 0
    for arguments, message in (
        (("decode", other, codes), "codes of another model"),
        (("decode", model, recorded), "this is no codes file"),
        (("decode", model, tmp_path / "none.codes"), "this is no codes file"),
        (("encode", tmp_path, recorded), "freeze it first"),
    ):
        status, _, err = run(*arguments, "-o", tmp_path / "out.lh5")
        assert (status, len(err.splitlines())) == (1, 1), err
        assert message in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--teacher", "t.discrimen"), "--teacher does nothing without --task compression"),
        (("--rate-weight", "1"), "--rate-weight does nothing without --task compression"),
        ((*TASK, "--teacher-weight", "1"), "--teacher-weight does nothing without --teacher"),
        ((*TASK, "--rate-weight", "-1"), "rate_weight must be positive"),
        ((*TASK, "--clean", "c.lh5"), "--clean does nothing without --task reconstruction"),
    ],
)
def test_options_of_the_training_that_do_nothing_are_refused(
    tmp_path: Path, run: Run, options: tuple[str, ...], message: str
) -> None:
    status, _, err = run("train", "a.lh5", "-o", tmp_path / "m", *options)
    assert status == 2
    assert message in " ".join(err.split())


def test_steps_are_positive(tmp_path: Path, run: Run) -> None:
    status, _, err = run("encode", "m.discrimen", "a.lh5", "-o", tmp_path / "c", "--step", "0")
    assert status == 2
    assert "--step must be positive" in " ".join(err.split())
