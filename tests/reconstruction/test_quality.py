"""A watch of signal quality: good pulses raise no alarm, planted faults do and get their names, bad input is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.reconstruction.copying_model import write_copying_model
from tests.reconstruction.watched_channels import (
    DIGITISATION,
    good_samples,
    write_projecting_model,
    written,
)
from tests.scoring.small_model import write_small_model

from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.formats.table import open_reader
from discrimen.inference.load import Model, load_model
from discrimen.pulses.places import Place
from discrimen.reconstruction.quality.look import Mark, longest_runs
from discrimen.reconstruction.quality.reference import QualityReference
from discrimen.reconstruction.quality.result import RunQuality
from discrimen.reconstruction.quality.run import learn_quality, watch_quality
from discrimen.reconstruction.quality.text import told_left_out
from discrimen.reconstruction.quality.watch import ChannelWatch
from discrimen.simulation.faults import plant

N_REFERENCE = 10_000
BEGINS_AT = 1500
N_WATCHED = 3500


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("quality")


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return load_model(write_projecting_model(folder / "ae.discrimen"), threads=1)


@pytest.fixture(scope="module")
def reference(folder: Path, model: Model) -> QualityReference:
    return learn_quality([open_reader(written(folder / "good.lh5", good_samples(N_REFERENCE, 3)))], model)


Watch = Callable[[NDArray[Any]], RunQuality]


@pytest.fixture
def watch(tmp_path: Path, model: Model, reference: QualityReference) -> Watch:
    def run(samples: NDArray[Any], **how: Any) -> RunQuality:
        return watch_quality(open_reader(written(tmp_path / "run.lh5", samples)), model, reference, **how)

    return run


def broken(name: str, size: float, **options: float) -> NDArray[Any]:
    """Pulses of which a fault befalls all from one on."""
    samples = good_samples(N_WATCHED, 4).copy()
    rng = np.random.default_rng(6)
    samples[BEGINS_AT:] = plant(samples[BEGINS_AT:], name, size, DIGITISATION, rng=rng, **options)
    return samples


def test_good_pulses_raise_no_alarm(watch: Watch) -> None:
    run = watch(good_samples(N_WATCHED, 4))
    (channel,) = run.channels
    assert channel.alarms == ()
    assert channel.n_pulses == N_WATCHED
    assert channel.windows == (100, 1000)
    assert channel.windows_left_out == (5000, 20_000)
    # Far from no deviation at all: the largest of so many scores comes near to the limit.
    assert 0.4 < channel.history.largest < 1


@pytest.mark.parametrize(
    ("name", "size", "options", "expected"),
    [
        ("zeroed_samples", 0.05, {}, "missing_samples"),
        ("held_samples", 0.05, {}, "missing_samples"),
        ("polarity", 1.0, {}, "polarity"),
        ("polarity", 0.05, {}, "polarity"),
        ("oscillation", 3.0, {}, "oscillation"),
        ("oscillation", 3.0, {"per_sample": 0.35}, "oscillation"),
        ("noise", 0.3, {}, "noise"),
        ("delay", 2.0, {}, "delay"),
        ("slope", 5.0, {}, "slope"),
        ("slope", -5.0, {}, "slope"),
        ("adc_gain", -0.2, {}, "adc_gain"),
        ("wander", 10.0, {}, "wander"),
        ("baseline", 6.0, {}, "baseline"),
    ],
)
def test_a_planted_fault_is_found_and_named(
    watch: Watch, name: str, size: float, options: dict[str, float], expected: str
) -> None:
    (channel,) = watch(broken(name, size, **options)).channels
    (*before, alarm) = channel.alarms
    assert before == []
    assert BEGINS_AT < alarm.begins_at <= BEGINS_AT + 1000
    assert alarm.ends_at == N_WATCHED
    assert alarm.fault.fault == expected
    if alarm.fault.size is not None and name != "wander":  # whose size its statistic, bounded as it is, does not tell
        assert alarm.fault.size == pytest.approx(size, rel=0.5)


@pytest.mark.slow
def test_a_fault_that_is_over_hides_no_other_in_longer_windows(model: Model, folder: Path, tmp_path: Path) -> None:
    path = written(folder / "again.lh5", good_samples(N_REFERENCE, 3))
    short = learn_quality([open_reader(path)], model, window=100)
    samples, rng = good_samples(5000, 4).copy(), np.random.default_rng(6)
    samples[1000:1300] = plant(samples[1000:1300], "delay", 5.0, DIGITISATION, rng=rng)
    samples[2000:] = plant(samples[2000:], "slope", 5.0, DIGITISATION, rng=rng)
    (channel,) = watch_quality(open_reader(written(tmp_path / "run.lh5", samples)), model, short).channels
    assert channel.windows == (10, 100, 500, 2000)
    first, second = channel.alarms
    assert (first.fault.fault, second.fault.fault) == ("delay", "slope")
    assert 1000 < first.begins_at <= 1050
    assert 1300 <= first.ends_at <= 1400
    assert 2000 < second.begins_at <= 2100


def test_pulses_without_a_pulse_are_counted(watch: Watch) -> None:
    samples = good_samples(N_WATCHED, 4).copy()
    samples[BEGINS_AT:] = 0
    (channel,) = watch(samples).channels
    assert channel.n_marked["NO_PULSE"] == N_WATCHED - BEGINS_AT
    assert [alarm.fault.fault for alarm in channel.alarms] == ["no_pulse"]


def test_saturated_pulses_are_counted(watch: Watch) -> None:
    samples = good_samples(N_WATCHED, 4).copy()
    deeper = 8000 - 8.0 * (8000 - samples[BEGINS_AT:].astype(float))
    samples[BEGINS_AT:] = np.clip(deeper, 0, 2**14 - 1)
    (channel,) = watch(samples).channels
    assert channel.n_marked["SATURATED"] > (N_WATCHED - BEGINS_AT) / 2
    assert channel.alarms


def test_chunks_give_what_the_whole_gives(model: Model, reference: QualityReference) -> None:
    samples = broken("noise", 0.3)
    known = reference.channels[Place(0, 0)]
    found = []
    for sizes in ([N_WATCHED], [1, 99, 701, 333, 2000, 366]):
        watched = ChannelWatch(known, model.predictor, window=1000, false_alarm_rate=1e-5, adc_bits=14)
        verdicts, scores = [], []
        for stop in np.cumsum(sizes):
            chunk = watched.add(samples[watched.n_pulses : stop])
            verdicts += chunk[0]
            scores.append(chunk[1])
        found.append((np.array([verdict.scores for verdict in verdicts]), np.concatenate(scores), watched.alarms))
    np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-4)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-4)
    assert [alarm.begins_at for alarm in found[0][2]] == [alarm.begins_at for alarm in found[1][2]]


def test_the_score_of_a_pulse_is_one_on_average(model: Model, reference: QualityReference) -> None:
    known = reference.channels[Place(0, 0)]
    watched = ChannelWatch(known, model.predictor, window=1000, false_alarm_rate=1e-5, adc_bits=14)
    samples = good_samples(N_WATCHED, 4).copy()
    samples[7] = plant(samples[7:8], "polarity", 1.0, DIGITISATION, rng=np.random.default_rng(0))
    samples[9, 40] += 200
    _, scores, marks = watched.add(samples)
    assert np.nanmean(np.delete(scores, 9)) == pytest.approx(1, rel=0.05)
    assert np.isnan(scores[7])
    assert scores[9] > 10
    assert (marks[7], marks[9]) == (Mark.REVERSED, Mark.ODD)


def test_a_reference_comes_back_from_its_file(watch: Watch, reference: QualityReference, tmp_path: Path) -> None:
    reference.write(tmp_path / "q.json")
    back = QualityReference.read(tmp_path / "q.json")
    assert back.window == reference.window
    known, again = (each.channels[Place(0, 0)].as_dict() for each in (reference, back))
    assert again == known


@pytest.mark.parametrize("text", ["no json", "[]", '{"discrimen_quality_reference": 1}'])
def test_what_is_no_reference_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "q.json").write_text(text)
    with pytest.raises(FormatError, match="reference"):
        QualityReference.read(tmp_path / "q.json")


def test_channels_that_the_reference_does_not_know_are_refused(
    model: Model, reference: QualityReference, tmp_path: Path
) -> None:
    path = written(tmp_path / "other.lh5", good_samples(200, 4), channel=5)
    with pytest.raises(DataError, match=r"does not know board 0 channel 5 \(it knows board 0 channel 0\)"):
        watch_quality(open_reader(path), model, reference)


def test_records_of_another_length_are_refused(watch: Watch) -> None:
    longer = np.pad(good_samples(200, 4), ((0, 0), (0, 5)), mode="edge")
    with pytest.raises(DataError, match="records of 80 samples, but the reference was made from records of 75"):
        watch(longer)
    with pytest.raises(DataError, match="the model needs at least 75"):
        watch(good_samples(200, 4)[:, :70])


def test_too_few_pulses_are_refused(watch: Watch, model: Model, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too few pulses for a verdict, which takes 100 of a channel: 99 of board 0"):
        watch(good_samples(99, 4))
    flat = np.full((300, 75), 8000, np.uint16)
    flat[:90] = good_samples(90, 4)
    with pytest.raises(DataError, match=r"at least 100 usable pulses, got 90 of 300 \(210 NO_PULSE\)"):
        learn_quality([open_reader(written(tmp_path / "few.lh5", flat))], model)


def test_a_model_without_a_waveform_watches_nothing(tmp_path: Path) -> None:
    small = load_model(write_small_model(tmp_path / "small.discrimen"), threads=1)
    path = written(tmp_path / "run.lh5", good_samples(300, 4))
    with pytest.raises(SettingsError, match="give a waveform"):
        learn_quality([open_reader(path)], small)


def test_a_reference_of_another_model_is_refused(
    reference: QualityReference, folder: Path, model: Model, tmp_path: Path
) -> None:
    other = Model(model.path, model.predictor, "0" * 64)
    with pytest.raises(SettingsError, match="made with another model"):
        watch_quality(open_reader(written(tmp_path / "run.lh5", good_samples(200, 4))), other, reference)


@pytest.mark.parametrize("rate", [0.0, -1.0, 0.5, float("nan")])
def test_an_impossible_rate_is_refused(watch: Any, rate: float) -> None:
    with pytest.raises(SettingsError, match=r"between 0 and 0\.1"):
        watch(good_samples(200, 4), false_alarm_rate=rate)


def test_what_never_changes_is_said_and_not_watched(folder: Path, model: Model, tmp_path: Path) -> None:
    still = good_samples(600, 3).copy()
    still[:, :12] = 8000
    reference = learn_quality([open_reader(written(tmp_path / "still.lh5", still))], model)
    (line,) = (line for line in told_left_out(reference) if "never changes" in line)
    assert "not watched: noise, baseline, baseline spread" in line
    (channel,) = watch_quality(open_reader(written(tmp_path / "run.lh5", still)), model, reference).channels
    assert channel.alarms == ()


def test_an_auto_encoder_that_copies_leaves_nothing_to_watch_but_the_rest(tmp_path: Path) -> None:
    copying = load_model(write_copying_model(tmp_path / "copy.discrimen", domain=False), threads=1)
    reference = learn_quality([open_reader(written(tmp_path / "good.lh5", good_samples(2000, 3)))], copying)
    delayed = plant(good_samples(1000, 4), "delay", 10.0, DIGITISATION, rng=np.random.default_rng(1))
    (channel,) = watch_quality(open_reader(written(tmp_path / "run.lh5", delayed)), copying, reference).channels
    assert channel.alarms[0].begins_at == 100


def test_longest_runs_are_counted() -> None:
    samples = np.array([[1, 1, 1, 2, 2], [1, 2, 3, 4, 5], [7, 7, 7, 7, 7], [1, 2, 2, 2, 2]])
    assert longest_runs(samples).tolist() == [3, 1, 5, 4]
