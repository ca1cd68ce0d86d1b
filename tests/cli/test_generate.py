"""``discrimen generate`` from a user's seat."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.reconstruction.copying_model import write_copying_model
from tests.reconstruction.small_generator import write_small_generator
from tests.reconstruction.test_denoise import read

Run = Callable[..., tuple[int, str, str]]
TASK = ("--task", "generation", "--architecture", "dense_autoencoder", "--option", "code=3", "--option", "hidden=16")


@pytest.fixture
def generator(tmp_path: Path) -> Path:
    return write_small_generator(tmp_path / "g.discrimen")


@pytest.mark.slow
def test_the_way_from_simulated_to_generated_pulses(tmp_path: Path, run: Run) -> None:
    light = ("--energy-min-kevee", "80", "--energy-max-kevee", "160")
    assert run("simulate", "-o", tmp_path / "run.lh5", "-n", "1500", *light)[0] == 0
    status, _, err = run("train", tmp_path / "run.lh5", *TASK, "--beta", "1.5", "--epochs", "2", "-o", tmp_path / "m")
    assert status == 0, err
    assert json.loads((tmp_path / "m" / "model.json").read_text())["provenance"]["training"]["task"]["beta"] == 1.5
    assert run("freeze", tmp_path / "m", "-o", tmp_path / "g.discrimen")[0] == 0
    wishes = ("-n", "200", "--class", "neutron", "--energy-kevee", "100", "--seed", "5")
    status, out, err = run("generate", tmp_path / "g.discrimen", *wishes, "-o", tmp_path / "out.lh5", "--json")
    assert status == 0, err
    told = json.loads(out)
    assert (told["n_gamma"], told["n_neutron"], told["seed"]) == (0, 200, 5)
    back = read(tmp_path / "out.lh5")
    assert set(back.column("label")) == {1}
    np.testing.assert_allclose(back.column("energy_kevee"), 100)
    status, _, err = run("generate", tmp_path / "g.discrimen", "--energy-kevee", "500", "-o", tmp_path / "no.lh5")
    assert status == 1
    assert "trained with gammas of 80" in err
    # What was generated can be labelled by the truth next to it, whatever the format.
    assert run("generate", tmp_path / "g.discrimen", "-n", "100", "-o", tmp_path / "b.BIN")[0] == 0
    status, _, err = run("label", tmp_path / "b.BIN", "--method", "truth", "-o", tmp_path / "set.lh5")
    assert status == 0, err
    assert len(read(tmp_path / "set.lh5")) == 100


def test_what_was_written_is_told_in_one_line(generator: Path, tmp_path: Path, run: Run) -> None:
    status, out, err = run("generate", generator, "-n", "50", "-o", tmp_path / "run.BIN")
    assert status == 0, err
    assert "neutrons written to" in out
    assert "run.truth.h5" in out


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        (("--class", "alpha"), "not for the class 'alpha'"),
        (("--energy-min-kevee", "1"), "asked for are 1 to 300"),
        (("--energy-kevee", "50", "--energy-max-kevee", "60"), "leave it out"),
        (("-n", "0"), "n_pulses must be at least 1"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_line(
    generator: Path, tmp_path: Path, run: Run, wishes: tuple[str, ...], said: str
) -> None:
    status, _, err = run("generate", generator, *wishes, "-o", tmp_path / "run.lh5")
    assert status == 1
    assert said in err
    assert not (tmp_path / "run.lh5").exists()


def test_other_models_make_no_pulses(tmp_path: Path, run: Run) -> None:
    copy = write_copying_model(tmp_path / "copy.discrimen")
    status, _, err = run("generate", copy, "-o", tmp_path / "run.lh5")
    assert status == 1
    assert "this model makes no pulses" in err


def test_a_generator_is_no_model_for_run_files(generator: Path, tmp_path: Path, run: Run) -> None:
    assert run("simulate", "-o", tmp_path / "run.lh5", "-n", "20")[0] == 0
    assert run("denoise", generator, tmp_path / "run.lh5", "-o", tmp_path / "out.lh5")[0] == 1
    status, _, err = run("classify", generator, tmp_path / "run.lh5", "-o", tmp_path / "out.h5")
    assert status != 0
    assert "reconstruction" in err
    assert not (tmp_path / "out.lh5").exists()
    assert not (tmp_path / "out.h5").exists()


def test_options_that_do_nothing_are_refused(generator: Path, tmp_path: Path, run: Run) -> None:
    for alone in (("--judge", tmp_path / "run.lh5"), ("--report", tmp_path / "page")):
        status, _, err = run("generate", generator, *alone, "-o", tmp_path / "out.lh5")
        assert status == 2
        assert "need each other" in err.replace("\n", " ")
    (tmp_path / "run.lh5").touch()
    for options in (
        ("--beta", "2"),
        (*TASK, "--scale", "none"),
        (*TASK, "--align", "0.3"),
        (*TASK, "--beta", "-1"),
        (*TASK, "--fewest", "9"),
        ("--condition", "light"),
        ("--fewest", "99"),
    ):
        status, _, _ = run("train", tmp_path / "run.lh5", *options, "-o", tmp_path / "m")
        assert status == 2, options
