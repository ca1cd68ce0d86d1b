"""From a trained folder to a frozen file that gives the same scores without Keras."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.inference.predictor_contract import PredictorContract
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.errors import DeviceError
from discrimen.freezing.freeze import freeze
from discrimen.inference.base import Predictor
from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.inference.load import load_model
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.network.frozen_file import read_frozen
from discrimen.training import TrainingConfig, train, validation_pulses


@pytest.fixture(scope="module", params=["mlp", pytest.param("patches", marks=pytest.mark.slow)])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model") / request.param
    train(toy_pulses(150), PREPARATION, TrainingConfig(architecture=request.param, epochs=2), folder=place)
    return place


@pytest.fixture(scope="module")
def frozen(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("frozen") / "model.discrimen"
    done = freeze(folder, output)
    assert done.worst_difference < 1e-5
    assert done.from_validation
    return output


@pytest.fixture(scope="module")
def predictor(frozen: Path) -> Predictor:
    return ReferencePredictor(frozen)


@pytest.fixture(scope="module")
def samples() -> NDArray[Any]:
    return toy_pulses(60, seed=1).samples


class TestReferencePredictor(PredictorContract):
    def test_gives_the_scores_of_keras(self, predictor: Predictor, folder: Path, samples: NDArray[Any]) -> None:
        difference = np.abs(predictor.predict(samples) - KerasPredictor(folder).predict(samples))
        assert difference.max() < 1e-5

    def test_carries_the_whole_description(self, predictor: Predictor, folder: Path) -> None:
        history = predictor.description.provenance["history"]
        assert len(history["loss"]) == len(history["val_loss"]) > 0
        added = ("history", "freezing")
        provenance = {name: value for name, value in predictor.description.provenance.items() if name not in added}
        assert replace(predictor.description, provenance=provenance) == load_model(folder).description


def test_frozen_model_needs_no_keras(frozen: Path) -> None:
    program = (
        "import sys, numpy as np\nfrom discrimen.inference.load import load_model\n"
        "model = load_model(sys.argv[1])\nprint(model.predictor.backend)\n"
        "print(sorted({'keras', 'jax', 'scipy'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", program, frozen], capture_output=True, text=True, check=True)
    backend, heavy = ended.stdout.splitlines()
    assert backend.startswith("native (")
    assert heavy == "[]"


def test_frozen_model_on_a_gpu_is_refused(frozen: Path) -> None:
    with pytest.raises(DeviceError, match="no CUDA backend"):
        load_model(frozen, device="gpu")


def test_golden_vectors_are_validation_pulses_and_mixtures_of_them(folder: Path, frozen: Path) -> None:
    kept = validation_pulses(folder)
    assert kept is not None
    known = {record.tobytes() for record in kept[0].astype(np.int32)}
    golden = [record.tobytes() for record in read_frozen(frozen).golden.samples]
    assert sum(record in known for record in golden) >= len(golden) / 2


def test_a_folder_without_validation_pulses_is_proved_by_made_up_ones(folder: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(folder, bare)
    (bare / "validation_pulses.npz").unlink()
    done = freeze(bare, tmp_path / "x.discrimen")
    assert not done.from_validation
    assert done.worst_difference < 1e-5


def test_given_pulses_are_taken_for_the_golden_vectors(folder: Path, tmp_path: Path) -> None:
    given = toy_pulses(100, seed=7).samples
    done = freeze(folder, tmp_path / "x.discrimen", golden=given)
    known = {record.tobytes() for record in given.astype(np.int32)}
    assert any(record.tobytes() in known for record in done.model.golden.samples[:, 0])
    assert not done.from_validation
