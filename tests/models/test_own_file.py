from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.errors import SettingsError
from discrimen.keras_jax import load_keras
from discrimen.models import build_model
from discrimen.network.outputs import Output, class_scores
from discrimen.training import TrainingConfig, load_model_folder, train

SCORES = (class_scores(("gamma", "neutron")),)
PLAIN = """
def build(keras, *, shape, outputs, options):
    (scores,) = outputs
    return keras.Sequential([
        keras.Input(shape),
        keras.layers.Flatten(),
        keras.layers.Dense(int(options.get("width", 3)), activation="relu"),
        keras.layers.Dense(scores.n_values, activation="softmax"),
    ])
"""


def written(folder: Path, source: str) -> str:
    path = folder / "mine.py"
    path.write_text(source)
    return f"{path}:build"


def build(architecture: str, outputs: tuple[Output, ...] = SCORES, **options: Any) -> Any:
    return build_model(load_keras().keras, architecture, options, shape=(1, 75), outputs=outputs)


def test_a_network_of_ones_own_is_trained_and_loaded_without_its_file(tmp_path: Path) -> None:
    architecture = written(tmp_path, PLAIN)
    config = TrainingConfig(architecture=architecture, options={"width": "4"}, epochs=1)
    train(toy_pulses(30), PREPARATION, config, folder=tmp_path / "model")
    (tmp_path / "mine.py").unlink()
    model, description = load_model_folder(tmp_path / "model")
    assert model.count_params() == 75 * 4 + 4 + 4 * 2 + 2 == description.architecture["n_parameters"]
    assert description.architecture["name"] == architecture
    assert description.architecture["file_sha256"] == hashlib.sha256(PLAIN.encode()).hexdigest()


def test_quantities_of_an_own_network_get_their_unit(tmp_path: Path) -> None:
    source = PLAIN.replace("(scores,) = outputs", "scores = outputs[0]").replace('"softmax"', '"linear"')
    place = Output(name="place", kind="quantity", shape=(1,), unit="mm")
    model = build(written(tmp_path, source), (place,))
    assert [layer.name for layer in model.layers][-1] == "place_in_unit"
    assert np.asarray(model(np.zeros((2, 1, 75), np.float32))).shape == (2, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("keras.Input(shape)", "keras.Input((75,))", r"expected one input of shape \(1, 75\).*, got \(75,\)"),
        ("scores.n_values, act", "5, act", r"output 'scores' needs shape \(2,\), got \(5,\)"),
        ('"softmax"', '"linear"', "promises probabilities by softmax"),
        ("return keras.Sequential([", "return ([", "must return a keras.Model, it returned list"),
        ("(scores,) = outputs", "(scores, more) = outputs", "build fails: ValueError"),
        ("def build(", "def make(", "there is no function 'build'; there are: make"),
        ("(scores,) = outputs", "this is no Python", "cannot be run: SyntaxError"),
        (
            "keras.layers.Flatten()",
            "keras.layers.Lambda(lambda x: keras.ops.reshape(x, (-1, 75)), output_shape=(75,))",
            "Lambda",
        ),
        ('"relu"', "lambda x: x", "a lambda is not of Keras itself"),
        ('"relu"', "keras.ops.sin", "not of Keras itself"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_name_of_the_file(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in PLAIN
    with pytest.raises(SettingsError, match=f"mine.py.*{message}"):
        build(written(tmp_path, PLAIN.replace(old, new)))


@pytest.mark.parametrize("register", ["", "@keras.saving.register_keras_serializable()"])
def test_custom_layers_are_refused_by_name(tmp_path: Path, register: str) -> None:
    custom = "class Doubling(keras.layers.Layer):\n    def call(self, x):\n        return 2 * x\n"
    source = f"import keras\n\n{register}\n{custom}" + PLAIN.replace(
        "keras.layers.Flatten()", "Doubling(), keras.layers.Flatten()"
    )
    with pytest.raises(SettingsError, match=r"mine.py.*'.*Doubling' is not of Keras itself.*Keras' layers"):
        build(written(tmp_path, source))


def test_a_file_that_is_not_there_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such file"):
        TrainingConfig(architecture=f"{tmp_path}/none.py:build")
    with pytest.raises(SettingsError, match=r"FILE.py:FUNCTION, got 'mine.txt:build'"):
        TrainingConfig(architecture="mine.txt:build")
