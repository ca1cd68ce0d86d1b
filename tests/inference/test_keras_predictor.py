from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from tests.inference.predictor_contract import PredictorContract
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.errors import DataError, DeviceError, FormatError, SettingsError
from discrimen.inference.base import Predictor
from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.keras_jax import load_keras
from discrimen.network.prepare import prepare
from discrimen.training import TrainingConfig, train


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model") / "mlp"
    train(toy_pulses(300), PREPARATION, TrainingConfig(epochs=3), folder=place)
    return place


@pytest.fixture(scope="module")
def predictor(folder: Path) -> Predictor:
    return KerasPredictor(folder, batch_size=128)


@pytest.fixture(scope="module")
def samples() -> NDArray[Any]:
    return toy_pulses(150, seed=1).samples


class TestKerasPredictor(PredictorContract):
    def test_equals_keras_on_prepared_waveforms(self, predictor: Predictor, samples: NDArray[Any]) -> None:
        assert isinstance(predictor, KerasPredictor)
        session = load_keras("cpu")
        with session.on_device():
            model = session.keras.saving.load_model(predictor.path / "model.keras", compile=False)
            expected = model.predict(prepare(samples, PREPARATION).waveforms, verbose=0)
        assert_allclose(predictor.predict(samples), expected, atol=1e-6)


@pytest.mark.parametrize("n_pulses", [1, 3, 15, 16, 17, 255, 256, 257, 600])
def test_any_number_of_pulses_scores_as_one_by_one(folder: Path, n_pulses: int) -> None:
    samples = toy_pulses(300, seed=2).samples[:n_pulses]
    few, many = KerasPredictor(folder, batch_size=16), KerasPredictor(folder, batch_size=4096)
    assert_allclose(few.predict(samples), many.predict(samples), atol=1e-6)


def test_compiles_for_a_few_batch_sizes_only(folder: Path) -> None:
    predictor = KerasPredictor(folder, batch_size=4096)
    samples = toy_pulses(3000, seed=2).samples
    for n_pulses in range(1, 5000, 97):
        predictor.predict(samples[:n_pulses])
    assert predictor._values._cache_size() <= 2


def test_learned_to_tell_the_classes_apart(tmp_path: Path) -> None:
    train(toy_pulses(1000), PREPARATION, TrainingConfig(epochs=20), folder=tmp_path / "model")
    pulses = toy_pulses(500, seed=9)
    answers = KerasPredictor(tmp_path / "model").predict(pulses.samples).argmax(axis=1)
    assert np.mean(answers == pulses.column("label")) > 0.99


def test_a_gpu_that_is_not_there_is_an_error(folder: Path) -> None:
    if _has_gpu():
        pytest.skip("there is a GPU")
    with pytest.raises(DeviceError, match="finds no GPU"):
        KerasPredictor(folder, device="gpu")


def test_gpu_and_cpu_agree(folder: Path) -> None:
    if not _has_gpu():
        pytest.skip("NO GPU that JAX can use")
    samples = toy_pulses(500, seed=2).samples
    on_gpu = KerasPredictor(folder, device="gpu")
    assert on_gpu.backend == "keras-jax (gpu)"
    assert_allclose(on_gpu.predict(samples), KerasPredictor(folder).predict(samples), atol=1e-5)


def test_samples_that_are_no_table_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="shape"):
        KerasPredictor(folder).predict(np.zeros(75, dtype=np.uint16))


def test_a_batch_of_nothing_is_refused(folder: Path) -> None:
    with pytest.raises(SettingsError, match="batch_size"):
        KerasPredictor(folder, batch_size=0)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="folder of a trained model"):
        KerasPredictor(tmp_path)


def _has_gpu() -> bool:
    try:
        load_keras("gpu")
    except DeviceError:
        return False
    return True
