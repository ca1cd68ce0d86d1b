"""A model for each channel: whose scores a pulse gets, which channels and models are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.scoring.small_model import N_LONG, long_records, write_run, write_small_model
from tests.training.toy_pulses import PREPARATION

from discrimen.errors import DataError
from discrimen.formats.base import ReadOptions
from discrimen.formats.channel_selection import ALL_CHANNELS, ChannelSelection
from discrimen.formats.table import open_reader
from discrimen.network.height_curve import HeightCurve
from discrimen.network.prepare import heights_of
from discrimen.pulses.detector import DetectorSettings
from discrimen.scoring.classification import Classification
from discrimen.scoring.classify import classify_run
from discrimen.scoring.discriminator import choose_thresholds, discriminators_of, load_models
from discrimen.scoring.run_scoring import ScoringWish
from discrimen.scoring.scores import read_attributes, read_scores

CURVE = HeightCurve((600.0, 2500.0), (0.1, 0.9))
GATES = {"gate_start_ns": -20, "short_gate_end_ns": 30, "long_gate_end_ns": 300}
CHANNEL = long_records().column("channel")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run.BIN", long_records())


def write_models(folder: Path, **how: Any) -> Path:
    """Freeze a network for channels 0 and 3 together, and one each for 1 and 2; all are different."""
    folder.mkdir()
    for seed, channels in enumerate(((0, 3), (1,), (2,))):
        write_small_model(folder / f"b0_ch{channels[0]}.discrimen", channels=channels, seed=seed, **how)
    return folder


def classified(
    run: Path, folder: Path, output: Path, *, selection: ChannelSelection = ALL_CHANNELS, **how: Any
) -> Classification:
    models = load_models(folder, backend="reference")
    reader = open_reader(run, ReadOptions(chunk_bytes=20_000))
    return classify_run(
        reader,
        discriminators_of(folder, models, choose_thresholds(models)),
        output,
        wish=ScoringWish(selection=selection, **how),
    )


def scores_by_own_model(folder: Path) -> np.ndarray:
    expected = np.full((N_LONG, 2), np.nan, np.float32)
    for channel in range(4):
        name = f"b0_ch{channel % 3}.discrimen"
        (model,) = load_models(folder / name, backend="reference").values()
        here = channel == CHANNEL
        expected[here] = model.predictor.predict(long_records().samples[here])
    return expected


@pytest.mark.parametrize("suffix", [".h5", ".parquet", ".root"])
def test_each_pulse_is_scored_by_the_model_of_its_channel(tmp_path: Path, run: Path, suffix: str) -> None:
    folder = write_models(tmp_path / "each", domain=True)
    done = classified(run, folder, tmp_path / f"scores{suffix}")
    table = read_scores(done.output)
    np.testing.assert_array_equal(table.rows.entry, np.arange(N_LONG))
    np.testing.assert_array_equal(table.rows.channel, CHANNEL)
    np.testing.assert_allclose(table.rows.score, scores_by_own_model(folder), atol=1e-6)
    assert done.n_neutron == (table.rows.score[:, 1] >= 0.5).sum()
    assert {name: tally.n_pulses for name, tally in done.outside.items()} == {
        "b0_ch0.discrimen": 120,
        "b0_ch1.discrimen": 60,
        "b0_ch2.discrimen": 60,
    }
    told = json.loads(table.attributes["models"])
    assert told["b0_ch0.discrimen"]["channels"] == "board 0 channel 0, board 0 channel 3"
    assert json.loads(table.attributes["preparation"])["b0_ch2.discrimen"] == PREPARATION.as_dict()


def test_each_model_has_its_own_threshold(tmp_path: Path, run: Path) -> None:
    folder = write_models(tmp_path / "each", threshold=0.5)
    write_small_model(folder / "b0_ch1.discrimen", channels=(1,), seed=1, threshold=CURVE)
    rows = read_scores(classified(run, folder, tmp_path / "scores.h5").output).rows
    heights = heights_of(long_records().samples, PREPARATION)
    np.testing.assert_array_equal(rows.height_adc, heights)
    least = np.where(CHANNEL == 1, CURVE.at(heights), 0.5)
    np.testing.assert_array_equal(rows.class_number, rows.score[:, 1] >= least)
    stored = json.loads(read_attributes(tmp_path / "scores.h5")["threshold"])
    assert stored == {
        "b0_ch0.discrimen": 0.5,
        "b0_ch1.discrimen": CURVE.as_dict(),
        "b0_ch2.discrimen": 0.5,
    }


def test_one_number_for_all_models_needs_no_heights(tmp_path: Path, run: Path) -> None:
    folder = write_models(tmp_path / "each")
    write_small_model(folder / "b0_ch1.discrimen", channels=(1,), seed=1, threshold=CURVE)
    models = load_models(folder, backend="reference")
    decided = discriminators_of(folder, models, choose_thresholds(models, 0.5))
    rows = read_scores(classify_run(open_reader(run), decided, tmp_path / "scores.h5").output).rows
    assert rows.height_adc is None
    np.testing.assert_array_equal(rows.class_number, rows.score[:, 1] >= 0.5)


def test_a_channel_without_a_model_is_refused_by_name_or_left_out(tmp_path: Path, run: Path) -> None:
    folder = write_models(tmp_path / "each")
    (folder / "b0_ch2.discrimen").unlink()
    with pytest.raises(DataError, match=r"pulses of board 0 channel 2, for which there is no model.*--channel"):
        classified(run, folder, tmp_path / "scores.h5", most_outside=1.0)
    assert not (tmp_path / "scores.h5").exists()
    done = classified(run, folder, tmp_path / "scores.h5", selection=ChannelSelection(channels=(0, 1, 3)))
    assert (done.n_other_channels, done.absent) == (N_LONG // 4, ())


def test_a_model_without_pulses_is_named(tmp_path: Path) -> None:
    folder = write_models(tmp_path / "each")
    run = write_run(tmp_path / "run.BIN", long_records()[CHANNEL != 2])
    done = classified(run, folder, tmp_path / "scores.h5")
    assert done.absent == ("board 0 channel 2, which the model was trained on",)


def test_a_run_that_does_not_tell_channels_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "run.npy", long_records().samples)
    models = load_models(write_models(tmp_path / "each"))
    reader = open_reader(tmp_path / "run.npy", ReadOptions(settings=DetectorSettings(sample_period_ns=10.0)))
    with pytest.raises(DataError, match="does not tell the channel"):
        classify_run(
            reader,
            discriminators_of(tmp_path / "each", models, choose_thresholds(models)),
            tmp_path / "scores.h5",
        )


def test_a_run_unlike_the_training_of_one_model_is_refused_with_its_channel(tmp_path: Path) -> None:
    pulses = long_records()
    odd = pulses.samples.copy()
    odd[CHANNEL == 2] = 8000 - (8000 - odd[CHANNEL == 2].astype(np.int32)) // 20
    run = write_run(tmp_path / "run.BIN", pulses.replace(samples=odd))
    folder = write_models(tmp_path / "each", domain=True)
    with pytest.raises(DataError, match=r"run\.BIN, board 0 channel 2: .*unlike those that the model was trained on"):
        classified(run, folder, tmp_path / "scores.h5")
    done = classified(run, folder, tmp_path / "scores.h5", most_outside=1.0)
    assert {name for name, tally in done.outside.items() if tally.share > 0.5} == {"b0_ch2.discrimen"}
    assert done.n_outside == sum(each.n_outside for each in done.tally.channels.values())


def test_light_and_pile_up_are_those_of_one_model_for_all(tmp_path: Path) -> None:
    pulses = long_records()
    many = pulses[np.tile(np.arange(N_LONG), 4)]
    run = tmp_path / "run.BIN"
    write_run(run, many)
    folder = write_models(tmp_path / "each")
    for_all = write_small_model(tmp_path / "all.discrimen")
    each, one = (
        classified(run, models, tmp_path / f"{models.stem}.h5", pile_up="flag") for models in (folder, for_all)
    )
    rows, expected = read_scores(each.output).rows, read_scores(one.output).rows
    np.testing.assert_array_equal(rows.pile_up, expected.pile_up)
    assert each.pile_up == one.pile_up
    assert each.without_psd is not None
