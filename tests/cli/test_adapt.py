"""``discrimen adapt`` and ``discrimen drift`` as users call them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.adaptation.made_up import frozen_model
from tests.training.toy_pulses import toy_pulses

from discrimen.cli.main import main
from discrimen.formats.lh5.writer import Lh5Writer
from discrimen.freezing.calibrate import efficiency_name
from discrimen.network.frozen_file import read_frozen
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

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


def write(path: Path, pulses: Pulses) -> Path:
    with Lh5Writer(path, DetectorSettings(sample_period_ns=10.0, polarity="negative")) as writer:
        writer.write(pulses)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "m.discrimen"
    frozen_model(path)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("run") / "run.lh5", toy_pulses(1500, seed=1))


def test_unlabelled_pulses_give_a_frozen_file(command: Command, model: Path, run: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.discrimen"
    status, out, err = command("adapt", model, run, "-o", output, "--neutron-efficiency", "0.9", "--json")
    assert status == 0, err
    result = json.loads(out)
    assert result["method"] == "unlabelled"
    assert result["n_pulses"] == 3000
    assert sum(part["n_pulses"] for part in result["slices"]) == 3000
    assert read_frozen(output).description.thresholds == {
        efficiency_name(0.9): result["thresholds"][efficiency_name(0.9)]["value"]
    }


def test_labelled_pulses_tell_in_words(command: Command, model: Path, run: Path, tmp_path: Path) -> None:
    status, out, err = command("adapt", model, "--labelled", run, "-o", tmp_path / "a.discrimen")
    assert status == 0, err
    assert "chosen on 3000 labelled pulses (0 left out)" in out
    assert f"threshold '{efficiency_name(0.95)}'" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give unlabelled runs, or labelled ones"),
        (("{run}", "--labelled", "{run}"), "and not both"),
        (("{run}", "--fine-tune"), "give them with --labelled"),
        (("{run}", "--peak-adc", "5"), "expects LOW:HIGH"),
        (("{run}", "-o", "x.keras"), "ends in .discrimen"),
    ],
)
def test_wrong_usage_is_status_2(
    command: Command, model: Path, run: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    given = [argument.format(run=run) for argument in arguments]
    output = () if "-o" in given else ("-o", tmp_path / "x.discrimen")
    status, _, err = command("adapt", model, *given, *output)
    assert status == 2
    assert said in " ".join(err.replace("│", " ").split())


def test_a_run_of_one_class_is_one_clear_line(command: Command, model: Path, tmp_path: Path) -> None:
    pulses = toy_pulses(4500, seed=2)
    gammas = write(tmp_path / "gammas.lh5", pulses[pulses.column("label") == 0])
    status, out, err = command("adapt", model, gammas, "-o", tmp_path / "x.discrimen")
    assert (status, out) == (1, "")
    assert "the run holds one class" in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "x.discrimen").exists()


def test_a_reference_is_kept_and_compared_with(command: Command, model: Path, run: Path, tmp_path: Path) -> None:
    reference = tmp_path / "good.json"
    assert command("drift", model, run, "-o", reference)[0] == 0
    same = write(tmp_path / "same.lh5", toy_pulses(1000, seed=3))
    status, out, _ = command("drift", model, reference, same, "--window", "1000", "--json")
    result = json.loads(out)
    # The file holds all gammas first, so its halves differ from the run as a whole.
    assert [bool(window["drifted"]) for window in result["runs"][0]["windows"]] == [True, True]
    assert status == 1
    status, out, _ = command("drift", model, reference, same, "--window", "2000", "--json")
    assert (status, json.loads(out)["drifted"]) == (0, False)


def test_a_drift_is_named_and_is_status_1(command: Command, model: Path, run: Path, tmp_path: Path) -> None:
    pulses = toy_pulses(1000, seed=4)
    moved = write(tmp_path / "moved.lh5", pulses.replace(samples=pulses.samples - 3))
    status, out, _ = command("drift", model, run, moved, "--window", "2000")
    assert status == 1
    assert "drift in 1 of 1 window" in out
    assert any(line.split()[1:2] == ["baseline_adc"] for line in out.splitlines())


def test_a_reference_of_another_model_is_refused(command: Command, model: Path, run: Path, tmp_path: Path) -> None:
    reference, other = tmp_path / "good.json", tmp_path / "other.discrimen"
    command("drift", model, run, "-o", reference)
    frozen_model(other, thresholds={"x": 0.5})
    status, _, err = command("drift", other, reference, run)
    assert status == 1
    assert "made with another model" in err


def test_what_is_no_reference_is_refused(command: Command, model: Path, run: Path, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    status, _, err = command("drift", model, tmp_path / "x.json", run)
    assert status == 1
    assert "no reference for drift" in err
    assert command("drift", model, run)[0] == 2
