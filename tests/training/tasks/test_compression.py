"""Auto-encoders for storage: the stabilised scale, the rate, the teacher, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.scoring.small_model import write_small_model
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.errors import DataError, SettingsError
from discrimen.freezing.freeze import freeze
from discrimen.inference.native import NativePredictor
from discrimen.keras_jax import load_keras
from discrimen.models.stabilising import in_stabilised_scale, restored, stabilised
from discrimen.network.frozen_file import read_frozen
from discrimen.network.graph import run
from discrimen.network.preparation import Alignment
from discrimen.network.prepare import prepare
from discrimen.training import Compression, TrainingConfig, TrainingResult, train
from discrimen.training.tasks import task_from_dict
from discrimen.training.tasks.compression import Terms, noise_of
from discrimen.training.tasks.rate import rated_model
from discrimen.training.tasks.teacher import teacher_of

COUNTS = replace(PREPARATION, scale="none")


def trained(
    folder: Path, *, epochs: int = 6, n_each: int = 600, architecture: str = "dense_autoencoder", **wishes: Any
) -> TrainingResult:
    config = TrainingConfig(
        task=Compression(**wishes),
        architecture=architecture,
        options={"code": 4},
        epochs=epochs,
        learning_rate=0.005,
    )
    return train(toy_pulses(n_each), COUNTS, config, folder=folder)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    return trained(tmp_path_factory.mktemp("plain") / "model")


def test_the_stabilised_scale_makes_noise_alike_and_leads_back() -> None:
    keras = load_keras("cpu").keras
    given = keras.Input((1, 9))
    there = stabilised(keras, given, 3.0)
    model = keras.Model(given, [there, restored(keras, there, 3.0, name="back")])
    values = np.array([[[-300.0, -3.0, -0.1, 0.0, 0.1, 3.0, 300.0, 3e3, 3e4]]], np.float32)
    scaled, back = (np.asarray(each) for each in model(values))
    assert_allclose(back, values, rtol=1e-5, atol=1e-5)
    assert_allclose(scaled, in_stabilised_scale(np, values, 3.0), rtol=1e-5, atol=1e-6)
    assert_allclose(scaled[0, 0, :4], values[0, 0, :4] / 3, rtol=1e-6)  # linear below zero, nothing cut off
    rng = np.random.default_rng(0)
    spreads = []
    for height in (50, 500, 5000):
        noisy = height + rng.normal(0, np.sqrt(9 + 3 * height), 20_000)  # variance: electronics, and 3 counts a photon
        spreads.append(in_stabilised_scale(np, noisy, 3.0).std())
    assert_allclose(spreads, 1.0, rtol=0.05)


def test_the_rate_is_the_information_in_rounded_codes() -> None:
    keras = load_keras("cpu").keras
    pulse = keras.Input((1, 2))
    code = keras.layers.Flatten()(pulse)
    model = keras.Model(pulse, [keras.layers.Reshape((1, 2))(code), code])
    rated = rated_model(keras, model, step=0.5)
    values = np.array([[[0.1, -0.3]], [[3.2, 7.9]], [[40.0, 0.0]]], np.float32)
    given = np.asarray(rated(values, training=False))
    assert_allclose(given[:, :2], np.round(values[:, 0] / 0.5) * 0.5)
    grid = np.arange(-400, 400)[:, np.newaxis, np.newaxis] * np.array([0.5, 0.0], np.float32)
    alone = np.asarray(rated(grid.astype(np.float32), training=False))[:, 2]
    at_zero = np.asarray(rated(np.zeros((1, 1, 2), np.float32), training=False))[0, 2] / 2
    # Probabilities of all rounded values of the first number add up to one.
    assert np.exp2(-(alone - at_zero)).sum() == pytest.approx(1, abs=1e-3)
    noisy = np.asarray(rated(np.zeros((4000, 1, 2), np.float32), training=True))[:, :2]
    assert (np.abs(noisy).max() <= 0.25) & (noisy.std() == pytest.approx(0.5 / np.sqrt(12), rel=0.03))


def test_charges_are_measured_in_units_of_their_noise() -> None:
    rng = np.random.default_rng(2)
    clean = np.broadcast_to(np.where(np.arange(75) > 15, 2000 * np.exp(-(np.arange(75) - 15) / 6), 0), (4000, 1, 75))
    noise_adc = rng.normal(0, np.sqrt(9 + 3 * clean))
    terms = Terms(np, 3.0, None)

    def error(found: Any) -> float:
        values = np.concatenate([found.reshape(len(found), -1), np.zeros((len(found), 1))], axis=1)
        return float(terms.charges(clean, values).mean())

    assert error(clean + noise_adc) == pytest.approx(1, rel=0.05)
    assert error(clean) == 0
    # Errors that neighbours make up for change samples, but hardly an integral.
    paired = np.where(np.arange(75) % 2, -1, 1) * np.abs(noise_adc).mean(axis=0)
    assert error(clean + paired) < 0.1
    assert error(clean + np.abs(paired)) > 3


@pytest.mark.slow
def test_a_dearer_bit_gives_a_shorter_code(plain: TrainingResult, tmp_path: Path) -> None:
    dear = trained(tmp_path / "model", rate_weight=20.0)
    cheap_bits, dear_bits = (each.best.metrics["val_bits"] for each in (plain, dear))
    assert dear_bits < cheap_bits - 2


@pytest.mark.slow
def test_a_teacher_keeps_its_judgement(plain: TrainingResult, tmp_path: Path) -> None:
    path = write_small_model(tmp_path / "teacher.discrimen")
    taught = trained(tmp_path / "model", teacher=str(path), teacher_weight=300.0)
    changes = []
    for result in (plain, taught):
        samples = toy_pulses(200, seed=1).samples
        prepared = prepare(samples, COUNTS).waveforms
        teacher = teacher_of(path, COUNTS)
        given = np.asarray(result.model(prepared)[0])
        changes.append(np.square(np.asarray(teacher.logits(prepared)) - np.asarray(teacher.logits(given))).sum(axis=1))
    assert np.mean(changes[1]) < 0.7 * np.mean(changes[0])
    assert taught.best.metrics["val_teacher_logit_change"] == pytest.approx(np.mean(changes[1]), rel=0.5)


def test_the_teacher_sees_what_it_would_see_of_the_record(tmp_path: Path) -> None:
    path = write_small_model(tmp_path / "teacher.discrimen")
    frozen = read_frozen(path)
    samples = toy_pulses(50, seed=1).samples
    own = prepare(samples, frozen.description.preparation).waveforms
    wanted = run(frozen.network, own.astype(np.float64))[frozen.description.scores_at]
    found = np.asarray(teacher_of(path, COUNTS).logits(prepare(samples, COUNTS).waveforms))
    assert_allclose(found[:, 1] - found[:, 0], np.sqrt(2) * (wanted[:, 1] - wanted[:, 0]), rtol=1e-3, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["dense_autoencoder", "conv_autoencoder"])
def test_what_is_trained_freezes_and_runs_in_the_engine(tmp_path: Path, architecture: str) -> None:
    result = trained(tmp_path / "model", epochs=1, n_each=100, architecture=architecture)
    freeze(result.folder, tmp_path / "coder.discrimen")
    samples = toy_pulses(100, seed=1).samples
    waveforms, codes = NativePredictor(tmp_path / "coder.discrimen", threads=1).run(samples)
    wanted = [np.asarray(each) for each in result.model(prepare(samples, COUNTS).waveforms)]
    assert_allclose(waveforms, wanted[0][:, 0], rtol=1e-4, atol=0.05)
    assert_allclose(codes, wanted[1], rtol=1e-4, atol=1e-4)
    told = read_frozen(tmp_path / "coder.discrimen").description.provenance["training"]["task"]
    assert task_from_dict(told) == result_task(result)


def result_task(result: TrainingResult) -> Any:
    return task_from_dict(result.description.provenance["training"]["task"])


def test_noise_is_that_before_the_pulse() -> None:
    waveforms = prepare(toy_pulses(500).samples, COUNTS).waveforms
    assert noise_of(waveforms, COUNTS) == pytest.approx(np.hypot(3, np.sqrt(1 / 12)), rel=0.03)
    late = COUNTS.with_only(window_start=20)
    with pytest.raises(DataError, match="the window shows 0 samples of it"):
        noise_of(waveforms[:, :, 20:], replace(late, window_length=55))


@pytest.mark.parametrize(
    ("preparation", "architecture", "message"),
    [
        (PREPARATION, "dense_autoencoder", "give --scale none"),
        (replace(COUNTS, alignment=Alignment(position=10)), "dense_autoencoder", "no --align"),
        (COUNTS, "mlp", "take one of the auto-encoders"),
    ],
)
def test_what_cannot_be_stored_so_is_refused(preparation: Any, architecture: str, message: str) -> None:
    config = TrainingConfig(task=Compression(), architecture=architecture)
    with pytest.raises(SettingsError, match=message):
        config.outputs(preparation)


@pytest.mark.parametrize("name", ["teacher_weight", "rate_weight", "charge_weight", "step"])
@pytest.mark.parametrize("value", [0.0, -1.0, np.inf, np.nan])
def test_weights_are_positive(name: str, value: float) -> None:
    with pytest.raises(SettingsError, match=f"{name} must be positive"):
        Compression(**{name: value})


def test_a_teacher_of_another_record_is_refused(tmp_path: Path) -> None:
    path = write_small_model(tmp_path / "teacher.discrimen")
    for other in (
        replace(COUNTS, sample_period_ns=4.0),
        COUNTS.with_only(polarity=1),
        replace(COUNTS, window_length=60),
    ):
        with pytest.raises(SettingsError, match="train the teacher on pulses of the same settings"):
            teacher_of(path, other)


def test_targets_and_options_of_classes_mean_nothing_here(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no target waveform"):
        train(
            toy_pulses(20),
            COUNTS,
            TrainingConfig(task=Compression(), architecture="dense_autoencoder", epochs=1),
            folder=tmp_path / "model",
            targets={"waveform": toy_pulses(20).samples},
        )
    with pytest.raises(SettingsError, match="weighs classes, the task is compression"):
        TrainingConfig(task=Compression(), architecture="dense_autoencoder", balance="energy")
