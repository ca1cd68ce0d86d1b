"""``discrimen freeze --calibrate``: temperature and thresholds from labelled files, used by name later."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.cli.main import main
from discrimen.formats.lh5.writer import Lh5Writer
from discrimen.network.frozen_file import read_frozen
from discrimen.network.height_curve import plain_threshold
from discrimen.pulses.detector import DetectorSettings
from discrimen.training import TrainingConfig, train

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["discrimen", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model") / "mlp"
    train(toy_pulses(400), PREPARATION, TrainingConfig(architecture="mlp", epochs=4), folder=place)
    return place


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Give a data set with wrong labels, as real ones have them, so that some temperature is the likeliest."""
    pulses = toy_pulses(600, seed=5)
    wrong = np.arange(len(pulses)) % 9 == 0
    labels = np.where(wrong, 1 - pulses.column("label"), pulses.column("label")).astype(np.int8)
    path = tmp_path / "calibration.lh5"
    settings = DetectorSettings(sample_period_ns=10.0, polarity="negative")
    with Lh5Writer(path, settings) as writer:
        writer.write(pulses.replace(label=labels))
    return path


def test_thresholds_are_chosen_stored_and_used_by_name(
    command: Command, model: Path, labelled: Path, tmp_path: Path
) -> None:
    frozen, scores = tmp_path / "x.discrimen", tmp_path / "scores.h5"
    wishes = ("--neutron-efficiency", "0.5", "--gamma-leakage", "0.2", "--calibrate", labelled)
    status, out, err = command("freeze", model, "-o", frozen, *wishes, "--json")
    assert status == 0, err
    found = json.loads(out)["calibration"]
    assert found["temperature"]["log_loss_after"] < found["temperature"]["log_loss_before"]
    stored = read_frozen(frozen).description
    assert stored.provenance["calibration"]["files"][0]["name"] == "calibration.lh5"
    assert set(stored.thresholds) == set(found["thresholds"])
    for name, each in found["thresholds"].items():
        assert plain_threshold(stored.thresholds[name]) == each["value"]
    name = "neutron-efficiency-0.5"
    status, out, err = command("classify", frozen, labelled, "-o", scores, "--threshold", name, "--json")
    assert status == 0, err
    assert json.loads(out)["files"][0]["threshold"] == plain_threshold(stored.thresholds[name])
    status, _, err = command("classify", frozen, labelled, "-o", scores, "--threshold", "other")
    assert (status, name in " ".join(err.split())) == (2, True)
    # Two are stored: which of them is meant cannot be guessed.
    status, _, err = command("classify", frozen, labelled, "-o", scores)
    assert (status, "several thresholds" in " ".join(err.split())) == (2, True)


def test_judging_by_the_pulses_of_the_calibration_is_told(
    command: Command, model: Path, labelled: Path, tmp_path: Path
) -> None:
    frozen = tmp_path / "x.discrimen"
    assert command("freeze", model, "-o", frozen, "--calibrate", labelled)[0] == 0
    status, out, err = command("evaluate", frozen, labelled, "-o", tmp_path / "report", "--json")
    assert status == 0, err
    assert json.loads(out)["seen_in_calibration"] == ["calibration.lh5"]
    assert "were chosen on calibration.lh5" in err


def test_the_only_stored_threshold_is_the_default(
    command: Command, model: Path, labelled: Path, tmp_path: Path
) -> None:
    frozen = tmp_path / "x.discrimen"
    status, _, err = command("freeze", model, "-o", frozen, "--neutron-efficiency", "0.5", "--calibrate", labelled)
    assert status == 0, err
    stored = read_frozen(frozen).description.thresholds["neutron-efficiency-0.5"]
    status, out, err = command("classify", frozen, labelled, "-o", tmp_path / "scores.h5")
    assert status == 0, err
    assert f"at a neutron score of {stored} (neutron-efficiency-0.5)" in " ".join(out.split())


def test_one_threshold_for_all_heights_is_an_option(
    command: Command, model: Path, labelled: Path, tmp_path: Path
) -> None:
    arguments = ("freeze", model, "-o", tmp_path / "x.discrimen", "--calibrate", labelled)
    assert command(*arguments, "--neutron-efficiency", "0.5", "--one-threshold")[0] == 0
    (stored,) = read_frozen(tmp_path / "x.discrimen").description.thresholds.values()
    assert isinstance(stored, float)
    status, _, err = command(*arguments, "--one-threshold")
    assert (status, "need a --neutron-efficiency" in " ".join(err.split())) == (2, True)


def test_the_words_say_temperature_and_thresholds(
    command: Command, model: Path, labelled: Path, tmp_path: Path
) -> None:
    arguments = ("freeze", model, "-o", tmp_path / "x.discrimen", "--calibrate", labelled)
    status, out, err = command(*arguments, "--neutron-efficiency", "0.5")
    assert status == 0, err
    assert "\ntemperature 0.1" in out  # of a network that is not sure of itself after so few epochs
    assert "threshold 'neutron-efficiency-0.5': by height, " in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--neutron-efficiency", "0.9"), "--calibrate"),
        (("--neutron-efficiency", "95", "--calibrate", "x.lh5"), "between 0 and 1"),
        (("--no-temperature",), "--calibrate"),
        (("--no-temperature", "--calibrate", "x.lh5"), "nothing to calibrate"),
    ],
)
def test_options_that_do_not_fit_are_wrong_usage(
    command: Command, model: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    status, _, err = command("freeze", model, "-o", tmp_path / "x.discrimen", *options)
    assert (status, said in " ".join(err.split())) == (2, True)
    assert not (tmp_path / "x.discrimen").exists()
