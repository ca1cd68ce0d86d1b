"""``discrimen simulate --like`` and ``--detector FILE`` from a user's seat."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import discrimen
from discrimen.formats.table import open_reader
from discrimen.pulses.detector import read_settings

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, and what the tests make of it in their order."""
    made = tmp_path_factory.mktemp("like")
    wishes: dict[str, Any] = {"detector": "EJ-276", "digitizer": "DT5730", "n_samples": 150, "pretrigger_ns": 66.0}
    discrimen.simulate(made / "run.lh5", 150, seed=2, **wishes)
    return made


def test_a_run_becomes_a_detector_file_with_a_picture(run: Run, folder: Path) -> None:
    status, out, err = run(
        "simulate", "--like", folder / "run.lh5", "--detector", "EJ-276", "-o", folder / "like.yaml", "--json"
    )
    assert status == 0, err
    found = json.loads(out)
    assert found["scintillator"] == "EJ-276"
    assert {quantity["name"] for quantity in found["quantities"]} >= {"pretrigger", "noise", "time_constant", "gain"}
    (gain,) = (quantity["value"] for quantity in found["quantities"] if quantity["name"] == "gain")
    # The run's own file brings its calibration.
    assert gain == pytest.approx(3.75, rel=0.1)
    assert (folder / "like.png").read_bytes().startswith(b"\x89PNG")
    assert read_settings(folder / "like.yaml").pretrigger_ns == pytest.approx(66, abs=1)
    assert not (folder / "like.lh5").exists()


def test_a_detector_file_is_simulated(run: Run, folder: Path) -> None:
    status, out, err = run(
        "simulate", "--detector", folder / "like.yaml", "-n", "40", "-o", folder / "sim.lh5", "--noise-adc", "1"
    )
    assert status == 0, err
    assert "written to" in out
    reader = open_reader(folder / "sim.lh5")
    assert next(reader.chunks()).samples.shape == (40, 150)
    assert reader.info.settings.sample_period_ns == 2.0


def test_a_fitted_file_is_replaced_and_a_foreign_one_is_not(run: Run, folder: Path) -> None:
    foreign = folder / "mine.yaml"
    foreign.write_text("polarity: negative\n", encoding="utf-8")
    status, _, err = run("simulate", "--like", folder / "run.lh5", "--detector", "EJ-276", "-o", foreign)
    assert status == 1
    assert "there is a file that no fit has written" in err
    assert foreign.read_text(encoding="utf-8") == "polarity: negative\n"


@pytest.mark.slow
def test_a_run_is_simulated_at_once_with_its_detector_file_beside(run: Run, folder: Path) -> None:
    status, out, err = run(
        "simulate", "--like", folder / "run.lh5", "--detector", "EJ-276", "-n", "30", "-o", folder / "at_once.lh5"
    )
    assert status == 0, err
    assert "not fitted: scintillator: as told" in out
    assert (folder / "at_once.detector.yaml").is_file()
    assert (folder / "at_once.detector.png").is_file()
    assert len(next(open_reader(folder / "at_once.lh5").chunks())) == 30


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--like", "run.lh5", "-o", "x.yaml", "-n", "5"), "--n-pulses does nothing where only a detector file"),
        (("--sample-period-ns", "2", "-o", "x.lh5"), "--sample-period-ns does nothing without --like RUN"),
        (("--detector", "like.yaml", "--digitizer", "DT5730", "-o", "x.lh5"), "--digitizer does nothing with a detect"),
        (("--like", "run.lh5", "--detector", "like.yaml", "-o", "x.yaml"), "it names a scintillator, not a file"),
        (("--like", "run.lh5", "--polarity", "up", "-o", "x.yaml"), "polarity"),
    ],
)
def test_options_that_do_nothing_or_cannot_be_are_refused(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(folder)
    status, _, err = run("simulate", *arguments)
    assert status == 2
    assert message in " ".join(err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--detector", "absent.yaml", "-o", "x.lh5"), "cannot read detector settings"),
        (("--detector", "NaI", "-o", "x.lh5"), "unknown detector 'NaI'"),
        (("--spectrum", "run", "-o", "x.lh5"), "'run' needs a detector file"),
        (("--like", "run.lh5", "--detector", "NaI", "-o", "x.yaml"), "unknown scintillator 'NaI'"),
        (("--like", "absent.lh5", "-o", "x.yaml"), "absent.lh5"),
    ],
)
def test_what_is_wrong_is_one_line(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(folder)
    status, _, err = run("simulate", *arguments)
    assert status == 1
    assert message in err
    assert "Traceback" not in err
