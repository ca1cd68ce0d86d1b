from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tests.runs.toy_hits import toy_hits
from tests.training.tasks.pulses import pair_pulses, two_channels

from discrimen.errors import DataError
from discrimen.keras_jax import load_keras
from discrimen.network.preparation import Alignment
from discrimen.network.prepare import prepare
from discrimen.network.prepare.choose_hits import choose_hits_preparation
from discrimen.pulses.detector import DetectorSettings
from discrimen.training import Reconstruction, TrainingConfig, TrainingResult, load_model_folder, train
from discrimen.training.tasks.reconstruction import in_scale_of

CONFIG = TrainingConfig(
    task=Reconstruction(), architecture="dense_autoencoder", options={"code": 3}, epochs=12, learning_rate=0.01
)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    pulses, _ = pair_pulses(800)
    return train(pulses, two_channels(), CONFIG, folder=tmp_path_factory.mktemp("encoded") / "model")


def test_waveforms_come_back_in_adc_counts_through_a_code(result: TrainingResult) -> None:
    prepared = prepare(pair_pulses(100, seed=1)[0].samples, two_channels())
    waveform, code = (np.asarray(each) for each in result.model(prepared.waveforms))
    assert waveform.shape == (100, 2, 16)
    assert code.shape == (100, 3)
    # Of pulses of some hundred ADC counts.
    assert np.abs(waveform - prepared.waveforms).mean() < 25


def test_waveform_and_code_are_described(result: TrainingResult) -> None:
    _, description = load_model_folder(result.folder)
    described = [(each.name, each.kind, each.shape, each.unit) for each in description.outputs]
    assert described == [("reconstruction", "waveform", (2, 16), "prepared"), ("code", "code", (3,), "1")]


def test_a_network_without_a_code_gives_the_waveform_alone() -> None:
    plain = TrainingConfig(task=Reconstruction(), architecture="mlp")
    assert [each.kind for each in plain.outputs(two_channels())] == ["waveform"]
    assert [each.kind for each in CONFIG.outputs(two_channels())] == ["waveform", "code"]


def test_no_pictures_of_classes_are_logged(result: TrainingResult) -> None:
    assert not (result.folder / "balance.png").exists()
    assert "accuracy" not in (result.folder / "history.csv").read_text()


@pytest.mark.parametrize("interpolate", [False, True])
@pytest.mark.parametrize("aligned", [False, True])
def test_a_clean_target_lies_in_the_scale_of_its_noisy_pulse(aligned: bool, interpolate: bool) -> None:
    """What leads the noisy pulse back to ADC counts leads the target back to the clean record."""
    alignment = Alignment(fraction=0.3, position=2, interpolate=interpolate) if aligned else None
    preparation = replace(two_channels(scale="peak"), alignment=alignment)
    if aligned:
        channels = tuple(replace(channel, window_start=0) for channel in preparation.channels)
        preparation = replace(preparation, channels=channels)
    clean = pair_pulses(50, noise_adc=0.0)[0].samples
    noisy = pair_pulses(50, noise_adc=30.0)[0].samples
    restoration = prepare(noisy, preparation).restoration
    target = in_scale_of(clean, preparation, restoration)
    assert_allclose(in_scale_of(noisy, preparation, restoration), prepare(noisy, preparation).waveforms, atol=2e-4)
    back = restoration.to_adc(target, preparation)
    if not interpolate:
        start = (restoration.start + preparation.channels[0].window_start).astype(int)
        inside = 24 - start
        for pulse, (first, length) in enumerate(zip(start, np.minimum(inside, 16), strict=True)):
            assert_allclose(back[pulse, :, :length], clean[pulse, :, first : first + length], atol=0.2)


def test_the_clean_record_is_what_is_learned(tmp_path: Path) -> None:
    noisy, clean = pair_pulses(400, noise_adc=60.0)[0], pair_pulses(400, noise_adc=0.0)[0].samples
    config = replace(CONFIG, architecture="mlp", options={"hidden": (8,)}, epochs=40, learning_rate=0.02, batch_size=40)
    result = train(noisy, two_channels(), config, folder=tmp_path / "model", targets={"waveform": clean})
    prepared = prepare(noisy.samples, two_channels())
    target = in_scale_of(clean, two_channels(), prepared.restoration)
    found = np.asarray(result.model(prepared.waveforms))
    assert np.abs(found - target).mean() < 0.8 * np.abs(prepared.waveforms - target).mean()


def test_clean_records_of_another_shape_are_refused(tmp_path: Path) -> None:
    pulses = pair_pulses(40)[0]
    with pytest.raises(DataError, match=r"shape of the pulses \(40, 2, 24\), got \(40, 24\)"):
        train(pulses, two_channels(), CONFIG, folder=tmp_path / "m", targets={"waveform": pulses.samples[:, 0]})


def test_absent_channels_do_not_count() -> None:
    pulses = pair_pulses(6)[0]
    present = np.array([[True, True], [True, False]] * 3)
    masked = two_channels(masked=True)
    some = replace(pulses, present=present)
    examples = CONFIG.task.examples(some, masked, {}, CONFIG)
    assert_array_equal(np.isnan(examples.targets).all(axis=2), ~present)
    loss = CONFIG.task.learning(load_keras().keras, masked, examples, CONFIG).loss
    wrong = np.where(present[:, :, np.newaxis], examples.waveforms, 1e6).astype(np.float32)
    assert_allclose(np.asarray(loss(examples.targets, wrong)), 0, atol=1e-12)


def test_each_hit_of_many_channels_counts_alike() -> None:
    """Twice the error of a hit adds the same to the loss, be the hit weak or strong; absent channels do not count."""
    keras = load_keras("cpu").keras
    hits = toy_hits(20)
    preparation = choose_hits_preparation(hits, DetectorSettings(), reference="core", window=(0, 60))
    examples = Reconstruction().examples(hits, preparation, {}, CONFIG)
    learning = Reconstruction().learning(keras, preparation, examples, TrainingConfig(architecture="mlp"))
    wanted = np.zeros((2, 37, 60), np.float32)
    given = np.zeros_like(wanted)
    given[0], given[1] = 1e-4, 1e-2
    wanted[:, 5], given[:, 5] = np.nan, 1e3
    assert callable(learning.loss)
    once, twice = (np.asarray(learning.loss(wanted, factor * given)) for factor in (1, 2))
    assert_allclose(twice - once, 2 * np.log(2), rtol=1e-3)
    assert_allclose(once[1] - once[0], 2 * np.log(100), rtol=1e-3)
