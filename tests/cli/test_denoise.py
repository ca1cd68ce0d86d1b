"""``discrimen denoise`` from a user's seat, and the clean records that a denoiser is trained on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.reconstruction.copying_model import falling_pulses, write_copying_model
from tests.reconstruction.test_denoise import odd_pulses, read, written

Run = Callable[..., tuple[int, str, str]]
TASK = ("--task", "reconstruction", "--architecture", "dense_autoencoder", "--option", "code=8", "--epochs", "40")
QUICK = ("--learning-rate", "0.01")
N_PULSES = 1500


@pytest.fixture
def simulated(tmp_path: Path, run: Run) -> Path:
    wishes = ("-n", N_PULSES, "--energy-min-kevee", "60", "--energy-max-kevee", "120", "--seed", "3")
    clean = ("--clean", tmp_path / "run.clean.lh5")
    status, out, err = run("simulate", "-o", tmp_path / "run.lh5", *clean, *map(str, wishes), "--json")
    assert status == 0, err
    assert json.loads(out)["clean"] == str(tmp_path / "run.clean.lh5")
    return tmp_path


def test_the_way_from_clean_records_to_denoised_pulses(simulated: Path, run: Run) -> None:
    pulses, clean = (read(simulated / name) for name in ("run.lh5", "run.clean.lh5"))
    assert clean.samples.dtype == np.float32
    noise_adc = pulses.samples - clean.samples
    assert noise_adc.std() == pytest.approx(np.hypot(3.0, np.sqrt(1 / 12)), rel=0.01)
    status, out, err = run(
        "train",
        simulated / "run.lh5",
        "--clean",
        simulated / "run.clean.lh5",
        *TASK,
        *QUICK,
        "-o",
        simulated / "m",
        "--json",
    )
    assert status == 0, err
    (file,) = json.loads(out)["model"]["provenance"]["clean_files"]
    assert (file["name"], file["n_pulses"]) == ("run.clean.lh5", N_PULSES)
    frozen = simulated / "m.discrimen"
    assert run("freeze", simulated / "m", "-o", frozen)[0] == 0
    status, out, err = run("denoise", frozen, simulated / "run.lh5", "-o", simulated / "out.lh5", "--json", "--float")
    assert status == 0, err
    assert json.loads(out)["files"][0]["n_denoised"] > 0.98 * N_PULSES
    back = read(simulated / "out.lh5")
    left = back.samples - clean.samples[back.column("entry")]
    assert left.std() < noise_adc.std()
    judge(simulated, run, frozen, left)


def judge(simulated: Path, run: Run, frozen: Path, left_adc: np.ndarray) -> None:
    """What the report and `evaluate` say is what the denoised file shows."""
    where = ("-o", simulated / "again.lh5", "--report", simulated / "report", "--clean", simulated / "run.clean.lh5")
    status, out, err = run("denoise", frozen, simulated / "run.lh5", *where, "--json")
    assert status == 0, err
    assert [Path(path).name for path in json.loads(out)["report"]] == ["denoise.json", "denoise.html"]
    told = json.loads((simulated / "report" / "denoise.json").read_text())
    figures = told["ranges"][0]["figures"]
    assert figures["residual_rms_adc"]["value"] == pytest.approx(np.sqrt(np.square(left_adc).mean()), rel=0.01)
    assert figures["gain_db"]["low"] > 1
    assert figures["time_spread_ns"]["value"] < figures["input_time_spread_ns"]["value"]
    assert told["ranges"][0]["leakage_before"]["efficiency"] == 0.95
    clean = ("--clean", simulated / "run.clean.lh5")
    status, out, err = run("evaluate", frozen, simulated / "run.lh5", *clean, "-o", simulated / "judged", "--json")
    assert status == 0, err
    assert json.loads(out)["ranges"][0]["figures"]["gain_db"]["value"] == figures["gain_db"]["value"]
    status, out, err = run("evaluate", frozen, simulated / "run.lh5", "-o", simulated / "judged")
    assert status == 0, err
    assert "of 8 latents are active" in out
    status, _, err = run("evaluate", frozen, simulated / "run.lh5", "-o", simulated / "judged", "--efficiencies", "0.9")
    assert status == 2
    assert "does nothing without a model that gives classes" in " ".join(err.split())
    status, _, err = run("denoise", frozen, simulated / "run.lh5", "-o", simulated / "b.lh5", *clean)
    assert status == 2
    assert "--clean does nothing without --report" in " ".join(err.split())


def test_clean_records_of_other_pulses_are_refused(simulated: Path, run: Run) -> None:
    whole = read(simulated / "run.clean.lh5")
    turned = written(simulated / "turned.lh5", whole[::-1].replace(entry=whole.entry))
    fewer = written(simulated / "fewer.lh5", whole[:-1])
    train = ("train", simulated / "run.lh5", *TASK, "-o", simulated / "m")
    for clean, message in ((turned, "the clean records are of other pulses: timestamp_ps of pulse 0"), (fewer, "1499")):
        status, _, err = run(*train, "--clean", clean)
        assert (status, len(err.splitlines())) == (1, 1), err
        assert message in err
    status, _, err = run(*train, "--clean", turned, "--clean", fewer)
    assert status == 2
    assert "2 files for 1 data sets" in " ".join(err.split())


def test_clean_records_mean_nothing_to_a_classification(run: Run, tmp_path: Path) -> None:
    status, _, err = run("train", "a.lh5", "-o", tmp_path / "m", "--clean", "b.lh5")
    assert status == 2
    assert "--clean does nothing without --task reconstruction" in " ".join(err.split())


@pytest.mark.parametrize(("clean", "message"), [("x.BIN", "no whole counts"), ("run.lh5", "the run itself")])
def test_clean_records_need_a_file_of_their_own(run: Run, tmp_path: Path, clean: str, message: str) -> None:
    status, _, err = run("simulate", "-o", tmp_path / "run.lh5", "-n", "10", "--clean", tmp_path / clean)
    assert status == 1
    assert message in err
    assert not list(tmp_path.iterdir())


def test_what_is_left_out_is_said(run: Run, tmp_path: Path) -> None:
    model = write_copying_model(tmp_path / "copy.discrimen")
    noisy = written(tmp_path / "run.lh5", odd_pulses())
    how = ("denoise", model, noisy, "--accept", "-o", tmp_path / "out.BIN")
    status, out, err = run(*how)
    assert status == 0, err
    assert "57 of 60 pulses denoised; left out: 1 without a pulse above the baseline, 1 saturated, 1 unlike" in out
    assert run(*how)[0] == 1
    status, out, _ = run(*how, "--overwrite", "--keep")
    assert status == 0
    assert "written as recorded: 1 without" in out
    assert len(read(tmp_path / "out.BIN")) == 60


def test_most_outside_and_accept_exclude_each_other(run: Run, tmp_path: Path) -> None:
    noisy = written(tmp_path / "run.lh5", falling_pulses(20))
    options = ("-o", tmp_path / "out.lh5", "--accept", "--most-outside", "0.1")
    assert run("denoise", write_copying_model(tmp_path / "m.discrimen"), noisy, *options)[0] == 2
