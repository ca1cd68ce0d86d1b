"""From a trained folder to a frozen file that gives the same scores without Keras."""

from __future__ import annotations

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

from discrimen.errors import DeviceError, SettingsError
from discrimen.freezing.freeze import freeze, golden_pulses
from discrimen.freezing.from_keras import layers_of
from discrimen.inference.base import Predictor
from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.inference.load import load_model
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.keras_jax import load_keras
from discrimen.models import ARCHITECTURES
from discrimen.network.preparation import Alignment, Preparation
from discrimen.network.prepare import prepare
from discrimen.training import TrainingConfig, train


@pytest.fixture(scope="module", params=ARCHITECTURES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model") / request.param
    train(toy_pulses(150), PREPARATION, TrainingConfig(architecture=request.param, epochs=2), folder=place)
    return place


@pytest.fixture(scope="module")
def frozen(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("frozen") / "model.discrimen"
    assert freeze(folder, output).worst_difference < 1e-5
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
        history = predictor.spec.provenance["history"]
        assert len(history["loss"]) == len(history["val_loss"]) > 0
        provenance = {name: value for name, value in predictor.spec.provenance.items() if name != "history"}
        assert replace(predictor.spec, provenance=provenance) == load_model(folder).spec


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


@pytest.mark.parametrize("scale", ["peak", "area", "none"])
@pytest.mark.parametrize("polarity", [-1, 1])
@pytest.mark.parametrize("alignment", [None, Alignment(position=6, interpolate=True)])
def test_golden_pulses_suit_any_preparation(scale: Any, polarity: int, alignment: Alignment | None) -> None:
    preparation = Preparation(
        sample_period_ns=2.0,
        polarity=polarity,
        baseline_start=0,
        baseline_stop=20,
        window_start=5,
        window_length=90,
        alignment=alignment,
        scale=scale,
    )
    pulses = golden_pulses(preparation)
    assert np.array_equal(pulses, golden_pulses(preparation))
    assert prepare(pulses, preparation).valid.all()
    assert len(np.unique(pulses, axis=0)) == len(pulses)


def test_layer_without_counterpart_is_named() -> None:
    keras = load_keras("cpu").keras
    model = keras.Sequential([keras.Input((8,)), keras.layers.LayerNormalization(name="norm")])
    with pytest.raises(SettingsError, match=r"'norm' \(LayerNormalization\) cannot be frozen"):
        layers_of(model)


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("Dense", {"units": 2, "activation": "selu"}, "selu"),
        ("LSTM", {"units": 2, "go_backwards": True}, "go_backwards"),
        ("LSTM", {"units": 2, "recurrent_activation": "tanh"}, "recurrent_activation"),
        ("GRU", {"units": 2, "reset_after": False}, "reset_after"),
        ("Conv1D", {"filters": 2, "kernel_size": 2, "padding": "causal"}, "causal"),
        ("GlobalMaxPooling1D", {"keepdims": True}, "keepdims"),
    ],
)
def test_option_without_counterpart_is_named(kind: str, options: dict[str, Any], reason: str) -> None:
    keras = load_keras("cpu").keras
    first = [] if kind == "Dense" else [keras.layers.Reshape((8, 1))]
    model = keras.Sequential([keras.Input((8,)), *first, getattr(keras.layers, kind)(**options)])
    with pytest.raises(SettingsError, match=reason):
        layers_of(model)
