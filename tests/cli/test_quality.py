"""``discrimen quality`` from a user's seat: a reference, a watch, a report, and what does nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.reconstruction.watched_channels import DIGITISATION, good_samples, write_projecting_model, written

import discrimen
from discrimen.simulation.faults import plant

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, a good run, the reference of it, another good run, and one with a fault."""
    made = tmp_path_factory.mktemp("quality")
    model = discrimen.load(write_projecting_model(made / "ae.discrimen"))
    written(made / "good.lh5", good_samples(2000, 3), channel=2)
    discrimen.learn_quality(model, made / "good.lh5", made / "q.json", window=500)
    written(made / "fine.lh5", good_samples(700, 4), channel=2)
    noisy = plant(good_samples(730, 5), "noise", 1.0, DIGITISATION, rng=np.random.default_rng(1))
    written(made / "noisy.lh5", noisy, channel=2)
    return made


def test_the_way_from_a_good_run_to_a_named_alarm(folder: Path, run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    status, _, err = run("quality", folder / "ae.discrimen", folder / "good.lh5", "-o", kept, "--window", 500)
    assert status == 0, err
    assert "2000 usable pulses are too few for windows of 2500, 10000 pulses: 4 times as many are needed" in err
    status, out, err = run("quality", folder / "ae.discrimen", kept, folder / "fine.lh5")
    assert status == 0, err
    assert "fine.lh5, board 0 channel 2: no alarm in 700 pulses" in out
    outputs = ("--report", tmp_path / "report", "--pulses", tmp_path / "p.h5")
    status, out, err = run("quality", folder / "ae.discrimen", kept, folder / "noisy.lh5", *outputs)
    assert status == 1, err
    assert "1 alarm in 730 pulses" in out
    assert "noise +1" in out
    assert max(map(len, out.splitlines()[1:-1])) <= 80
    assert "the last 30 pulses are too few for a verdict" in err
    page = (tmp_path / "report" / "quality.html").read_text()
    assert "1 alarm in 730 pulses of noisy.lh5, compared with good.lh5" in page
    assert (tmp_path / "report" / "quality_1_b0_ch2.png").is_file()
    with h5py.File(tmp_path / "p.h5") as file:
        assert len(file["score"]) == 730
        assert np.nanmedian(file["score"][:]) > 2
        assert set(file["channel"][:]) == {2}
        assert file["entry"][-1] == 729


def test_json_holds_the_alarms(folder: Path, run: Run) -> None:
    files = (folder / "fine.lh5", folder / "noisy.lh5")
    status, out, _ = run("quality", folder / "ae.discrimen", folder / "q.json", *files, "--json")
    result = json.loads(out)
    assert (status, result["n_alarms"]) == (1, 1)
    (channel,) = result["runs"][1]["channels"]
    assert channel["alarms"][0]["fault"]["fault"] == "noise"
    assert channel["windows"] == [50, 500]
    assert channel["n_unjudged"] == 30


def test_the_function_does_what_the_command_does(folder: Path, tmp_path: Path) -> None:
    model = discrimen.load(folder / "ae.discrimen")
    fine, noisy = discrimen.quality(
        model, folder / "q.json", [folder / "fine.lh5", folder / "noisy.lh5"], folder=tmp_path / "report"
    )
    assert (fine.n_alarms, noisy.n_alarms) == (0, 1)
    assert json.loads((tmp_path / "report" / "quality.json").read_text())["runs"][1]["n_alarms"] == 1


def test_options_that_do_nothing_are_refused(folder: Path, run: Run, tmp_path: Path) -> None:
    model, kept, fine = (folder / name for name in ("ae.discrimen", "q.json", "fine.lh5"))
    for arguments, message in (
        ((kept,), "nothing to do"),
        ((fine, "-o", tmp_path / "x.h5"), "expected a name that ends in .json"),
        ((fine, "-o", tmp_path / "x.json", "--report", tmp_path / "r"), "do nothing without runs"),
        ((kept, fine, "--window", 500), "do nothing where the reference is kept already"),
        ((kept, fine, "--also", fine), "do nothing where the reference is kept already"),
    ):
        status, _, err = run("quality", model, *arguments)
        assert status == 2
        assert message in " ".join(err.replace("│", " ").split())


def test_a_bad_input_is_one_line(folder: Path, run: Run, tmp_path: Path) -> None:
    strange = written(tmp_path / "strange.lh5", good_samples(200, 4), channel=3)
    status, _, err = run("quality", folder / "ae.discrimen", folder / "q.json", strange)
    assert (status, len(err.splitlines())) == (1, 1)
    assert "does not know board 0 channel 3 (it knows board 0 channel 2)" in err
    status, _, err = run(
        "quality", folder / "ae.discrimen", folder / "q.json", folder / "fine.lh5", "--pulses", tmp_path / "p.csv"
    )
    assert status == 1
    assert "scores of pulses are a .h5 file" in err


def test_a_window_is_a_multiple_of_ten(folder: Path, run: Run, tmp_path: Path) -> None:
    arguments = ("-o", tmp_path / "x.json", "--window", 55)
    status, _, err = run("quality", folder / "ae.discrimen", folder / "good.lh5", *arguments)
    assert status == 1
    assert "a window is a multiple of 10 pulses, got 55" in err


def test_a_run_that_cannot_be_judged_is_not_called_good(folder: Path, run: Run, tmp_path: Path) -> None:
    short = written(tmp_path / "short.lh5", good_samples(200, 4), channel=2)
    reference, few = tmp_path / "few.json", tmp_path / "few.lh5"
    written(few, good_samples(150, 3), channel=2)
    assert run("quality", folder / "ae.discrimen", few, "-o", reference, "--window", 500)[0] == 0
    status, out, err = run("quality", folder / "ae.discrimen", reference, short)
    assert status == 0, err
    assert "short.lh5, board 0 channel 2: not judged, too few pulses here or in the reference; 200 read" in out
    assert "no alarm" not in out
