"""``discrimen adopt``: networks from elsewhere, by the options of the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from discrimen.cli.main import main
from discrimen.formats.lh5.writer import Lh5Writer
from discrimen.network.made_up import made_up_pulses
from discrimen.network.model_description import read_description
from discrimen.network.preparation import one_channel
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

GOLDEN = Path(__file__).parents[1] / "freezing" / "golden"
NETWORK = GOLDEN / "torch_cnn.onnx"
OPTIONS = ("--sample-period-ns", "4", "--polarity", "negative", "--baseline-ns", "0:40", "--scale", "peak")
PREPARATION = one_channel(
    sample_period_ns=4, polarity=-1, baseline_start=0, baseline_stop=10, window_start=8, window_length=32, scale="peak"
)
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["discrimen", "adopt", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    samples = made_up_pulses(PREPARATION, 40)[:, 0].astype(np.int32)
    path = tmp_path / "run.lh5"
    with Lh5Writer(path, DetectorSettings(sample_period_ns=4.0, polarity="negative")) as writer:
        writer.write(Pulses(samples=samples, sample_period_ns=4.0))
    return path


def test_preparation_by_options_and_made_up_pulses(command: Command, tmp_path: Path) -> None:
    status, out, err = command(NETWORK, "-o", tmp_path / "model", *OPTIONS, "--window", "8:32")
    assert (status, err) == (0, "")
    assert "64 made-up pulses (give --pulses RUN for real ones): at most" in out
    assert "output 'scores': classes (gamma, neutron)" in out
    assert read_description(tmp_path / "model" / "model.json").preparation == PREPARATION


def test_window_is_as_long_as_the_input(command: Command, tmp_path: Path) -> None:
    status, _, err = command(NETWORK, "-o", tmp_path / "model", *OPTIONS, "--align", "0.3", "--align-position", "6")
    assert (status, err) == (0, "")
    preparation = read_description(tmp_path / "model" / "model.json").preparation
    assert (preparation.window_length, preparation.only.window_start) == (32, 0)
    assert preparation.alignment is not None
    assert preparation.alignment.position == 6


def test_pulses_of_a_run_and_preparation_of_another_model(command: Command, tmp_path: Path, run_file: Path) -> None:
    file = tmp_path / "preparation.json"
    file.write_text(json.dumps(PREPARATION.as_dict()))
    arguments = ("-o", tmp_path / "model", "--preparation", file, "--pulses", run_file, "--json")
    status, out, err = command(GOLDEN / "sklearn_mlp.onnx", *arguments)
    assert (status, err) == (0, "")
    result = json.loads(out)
    assert (result["n_pulses"], result["made_up_pulses"]) == (40, False)
    assert result["worst_difference"] < 1e-5
    description = read_description(tmp_path / "model" / "model.json")
    assert description.preparation == PREPARATION
    assert description.settings.polarity == "negative"
    assert description.provenance["adopted"]["check"]["pulses"][0]["name"] == "run.lh5"


def test_outputs_are_described_by_options(command: Command, tmp_path: Path) -> None:
    arguments = ("-o", tmp_path / "model", *OPTIONS, "--output", "clean:waveform:prepared")
    status, out, _ = command(GOLDEN / "torch_autoencoder.onnx", *arguments)
    assert status == 0
    assert "output 'clean': waveform of shape (1, 32) in prepared" in out


@pytest.mark.parametrize(
    ("arguments", "status", "match"),
    [
        (("--polarity", "negative", "--baseline-ns", "0:40", "--scale", "peak"), 1, "sampling period is not known"),
        (("--sample-period-ns", "4", "--baseline-ns", "0:40", "--scale", "peak"), 1, "polarity is not known"),
        (("--sample-period-ns", "4", "--polarity", "negative", "--scale", "peak"), 1, "which samples lie before"),
        (OPTIONS[:-2], 2, "--scale peak, area or none"),
        ((*OPTIONS, "--window", "8:30"), 1, "takes 32 samples, --window 8:30 gives 30"),
        ((*OPTIONS, "--output", "energy:quantity"), 2, "its unit is missing"),
        ((*OPTIONS, "--with-error", "energy"), 2, "no --output has this name"),
        ((*OPTIONS, "--preparation", "x.yaml"), 2, "leave out --scale"),
        (("--preparation", "nothing.yaml"), 1, "nothing.yaml: cannot read a preparation"),
        ((*OPTIONS, "--classes", "a,b,c"), 1, "3 classes are named"),
    ],
)
def test_what_is_not_known_is_asked_for(
    command: Command, tmp_path: Path, arguments: tuple[str, ...], status: int, match: str
) -> None:
    found, _, err = command(NETWORK, "-o", tmp_path / "model", *arguments)
    assert found == status
    assert match in " ".join(err.replace("│", " ").split())
    assert not (tmp_path / "model").exists()
