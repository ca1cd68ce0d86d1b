"""A model for each channel from a user's seat: trained, frozen with thresholds of its own, put to work on one run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.scoring.small_model import write_small_model
from tests.training.toy_pulses import toy_pulses

from discrimen.formats.lh5.writer import Lh5Writer
from discrimen.network.frozen_file import read_frozen
from discrimen.pulses import Pulses
from discrimen.pulses.array import listed
from discrimen.pulses.detector import ChannelSettings, DetectorSettings
from discrimen.pulses.places import Place
from discrimen.scoring.scores import read_scores

Run = Callable[..., tuple[int, str, str]]

PLACES = (Place(0, 3), Place(1, 0))
SETTINGS = DetectorSettings(
    sample_period_ns=10.0,
    polarity="negative",
    pretrigger_ns=150.0,
    channels=(ChannelSettings(board=0, channel=3), ChannelSettings(board=1, channel=0, polarity="positive")),
)
SHORT = ("--epochs", "2", "--architecture", "mlp")


def two_channels(seed: int) -> Pulses:
    """Return pulses of two channels in turn, of which the second one goes up."""
    pulses = toy_pulses(400, seed=seed)
    pulses = pulses[np.random.default_rng(seed).permutation(len(pulses))]
    second = np.arange(len(pulses)) % 2
    upward = 16000 - pulses.samples.astype(np.int32)
    samples = np.where(second[:, np.newaxis] == 1, upward, pulses.samples)
    return pulses.replace(
        samples=samples.astype(np.uint16),
        board=second.astype(np.int32),
        channel=np.where(second == 1, 0, 3).astype(np.int32),
        timestamp_ps=1_000_000 * np.arange(1, len(pulses) + 1),
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write labelled pulses to train and to calibrate on, and a detector file."""
    folder = tmp_path_factory.mktemp("array")
    for seed, name in enumerate(("train", "calibrate")):
        with Lh5Writer(folder / f"{name}.lh5", SETTINGS) as writer:
            writer.write(two_channels(seed))
    shown = SETTINGS.model_dump(exclude_none=True)
    shown["channels"] = list(shown["channels"])
    (folder / "array.yaml").write_text(json.dumps(shown), encoding="utf-8")
    return folder


def test_each_channel_gets_a_model_a_threshold_and_its_scores(run: Run, files: Path, tmp_path: Path) -> None:
    told = ("--settings", files / "array.yaml")
    status, _, err = run("train", files / "train.lh5", "-o", tmp_path / "one", *SHORT, *told)
    assert (status, "polarity positive" in err) == (1, True)  # one network cannot
    status, out, err = run(
        "train", files / "train.lh5", "--each-channel", "-o", tmp_path / "each", *SHORT, *told, "--json"
    )
    assert status == 0, err
    models = json.loads(out)["models"]
    assert [(each["board"], each["channel"]) for each in models] == list(PLACES)
    assert [each["n_training"] + each["n_validation"] for each in models] == [400, 400]

    wish = ("--calibrate", files / "calibrate.lh5", "--neutron-efficiency", "0.9", "--no-temperature")
    status, out, err = run("freeze", tmp_path / "each", "-o", tmp_path / "frozen", *wish, *told, "--json")
    assert status == 0, err
    assert len(json.loads(out)["models"]) == 2
    frozen = {path.name: read_frozen(path).description for path in sorted((tmp_path / "frozen").iterdir())}
    assert list(frozen) == ["b0_ch3.discrimen", "b1_ch0.discrimen"]
    assert [listed(each.settings) for each in frozen.values()] == [(place,) for place in PLACES]
    assert [each.preparation.only.polarity for each in frozen.values()] == [-1, 1]
    first, second = (each.thresholds["neutron-efficiency-0.9"] for each in frozen.values())
    assert first != second

    how = ("--gates", "-20:30:300", "--pile-up", "flag")
    scores = tmp_path / "scores.h5"
    status, out, err = run("classify", tmp_path / "frozen", files / "calibrate.lh5", "-o", scores, *told, *how)
    assert status == 0, err
    assert "by 2 models, each with its own threshold (neutron-efficiency-0.9)" in out
    rows = read_scores(scores).rows
    assert rows.psd is not None
    assert np.isfinite(rows.psd).all()
    assert "skipped" in run("classify", tmp_path / "frozen", files / "calibrate.lh5", "-o", scores, *told, *how)[1]


def test_a_channel_that_fails_does_not_stop_the_others(run: Run, files: Path, tmp_path: Path) -> None:
    pulses = two_channels(3)
    labels = np.where(pulses.column("board") == 1, 0, pulses.column("label")).astype(np.int8)
    with Lh5Writer(tmp_path / "half.lh5", SETTINGS) as writer:
        writer.write(pulses.replace(label=labels))
    told = ("--settings", files / "array.yaml")
    status, _, err = run("train", tmp_path / "half.lh5", "--each-channel", "-o", tmp_path / "each", *SHORT, *told)
    assert status == 1
    assert "1 of 2 channels failed" in err
    assert (tmp_path / "each" / "b0_ch3" / "model.keras").exists()
    status, _, err = run("train", tmp_path / "half.lh5", "--each-channel", "-o", tmp_path / "each", *SHORT, *told)
    assert status == 1
    assert "b0_ch3: holds a trained model" in err


def test_data_that_do_not_tell_channels_are_refused(run: Run, tmp_path: Path) -> None:
    pulses = toy_pulses(100)
    np.savez(tmp_path / "set.npz", samples=pulses.samples, label=pulses.column("label"))
    status, _, err = run(
        "train", tmp_path / "set.npz", "--each-channel", "-o", tmp_path / "each", "--sample-period-ns", "10"
    )
    assert (status, "does not tell the channel" in err) == (1, True)


def test_folders_of_models_are_frozen_into_folders_and_not_exported(run: Run, tmp_path: Path) -> None:
    for name in ("b0_ch0", "b0_ch1"):
        (tmp_path / "each" / name).mkdir(parents=True)
        (tmp_path / "each" / name / "model.keras").touch()
    assert run("freeze", tmp_path / "each", "-o", tmp_path / "x.discrimen")[0] == 2
    assert run("freeze", tmp_path / "each", "-o", tmp_path / "y", "--onnx", tmp_path / "x.onnx")[0] == 2
    status, _, err = run("freeze", tmp_path / "each", "-o", tmp_path / "y")
    assert status == 1
    assert "2 of 2 models failed" in err


def write_drifting(path: Path, *, seed: int, shift_adc: int = 0, channels: tuple[int, ...] = (0, 1)) -> Path:
    """Write two channels in turn, the baseline of the second one moved."""
    pulses = toy_pulses(700, seed=seed)
    pulses = pulses[np.random.default_rng(seed).permutation(len(pulses))]
    channel = (np.arange(len(pulses)) % 2).astype(np.int32)
    moved = pulses.samples + (shift_adc * channel)[:, np.newaxis]
    told = pulses.replace(samples=moved.astype(np.uint16), channel=channel, board=np.zeros_like(channel), label=None)
    with Lh5Writer(path, DetectorSettings(sample_period_ns=10.0, polarity="negative")) as writer:
        writer.write(told[np.isin(channel, channels)])
    return path


@pytest.mark.parametrize("one_for_all", [False, True])
def test_the_channel_that_drifted_is_named(run: Run, tmp_path: Path, one_for_all: bool) -> None:
    model, references = tmp_path / "each", tmp_path / "good"
    model.mkdir()
    for channel in (0, 1):
        write_small_model(model / f"b0_ch{channel}.discrimen", channels=(channel,), seed=channel)
    asked: tuple[object, ...] = (model,)
    if one_for_all:
        asked = (write_small_model(tmp_path / "all.discrimen"), "--each-channel")
    good = write_drifting(tmp_path / "good.lh5", seed=1)
    status, _, err = run("drift", *asked, good, "-o", references)
    assert status == 0, err
    assert {path.name for path in references.iterdir()} == {"b0_ch0.json", "b0_ch1.json"}
    assert run("drift", *asked, good, "-o", tmp_path / "x.json")[0] == 2
    now = write_drifting(tmp_path / "now.lh5", seed=2, shift_adc=3)
    status, out, err = run("drift", *asked, references, now, "--json")
    assert status == 1, err
    told = {(each["board"], each["channel"]): each["windows"][0]["drifted"] for each in json.loads(out)["runs"]}
    assert told == {(0, 0): [], (0, 1): ["baseline_adc"]}


def test_a_channel_that_is_gone_or_new_is_named(run: Run, tmp_path: Path) -> None:
    model = write_small_model(tmp_path / "all.discrimen")
    both, one = (
        write_drifting(tmp_path / f"{name}.lh5", seed=seed, channels=channels)
        for seed, (name, channels) in enumerate({"both": (0, 1), "one": (0,)}.items())
    )
    status, out, err = run("drift", model, both, one, "--each-channel")
    assert (status, "one.lh5, board 0 channel 0: drift in 0 of 1 window" in out) == (1, True)
    assert "one.lh5, board 0 channel 1" in err
    status, _, err = run("drift", model, one, both, "--each-channel")
    assert (status, "no reference for board 0 channel 1: choose others with --channel" in err) == (1, True)
