from __future__ import annotations

from typing import Any

import pytest
from tests.training.toy_pulses import PREPARATION

from discrimen.errors import SettingsError
from discrimen.keras_jax import load_keras
from discrimen.models.ends import last_activation
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import PREPARED, Output, class_scores
from discrimen.training.described import require_described

SCORES = class_scores(("gamma", "neutron"))


def network(*layers: Any, shape: tuple[int, ...] = (75,)) -> Any:
    keras = load_keras().keras
    return keras.Sequential([keras.Input(shape), *layers])


def dense(n_values: int, activation: str | None = None) -> Any:
    return load_keras().keras.layers.Dense(n_values, activation=activation)


def description(*outputs: Output) -> ModelDescription:
    return ModelDescription(preparation=PREPARATION, outputs=outputs)


def test_probabilities_from_linear_values_are_refused() -> None:
    with pytest.raises(SettingsError, match="promises probabilities by softmax, the network ends in linear values"):
        require_described(network(dense(2)), description(SCORES))
    require_described(network(dense(2, "softmax")), description(SCORES))
    require_described(network(dense(2), load_keras().keras.layers.Softmax()), description(SCORES))


def test_independent_probabilities_are_not_those_of_softmax() -> None:
    with pytest.raises(SettingsError, match="by softmax, the network ends in sigmoid values"):
        require_described(network(dense(2, "sigmoid")), description(SCORES))


def test_one_sigmoid_stands_for_two_classes() -> None:
    require_described(network(dense(1, "sigmoid")), description(SCORES))
    with pytest.raises(SettingsError, match=r"2 classes, the network gives values of shape \(1,\)"):
        require_described(network(dense(1)), description(SCORES))


def test_the_last_activation_is_found_behind_layers_that_leave_values() -> None:
    keras = load_keras().keras
    inner = network(dense(2, "softmax"), keras.layers.Dropout(0.1))
    assert last_activation(network(inner, keras.layers.Flatten()).outputs[0]) == "softmax"
    assert last_activation(network(dense(2, "softmax"), dense(2)).outputs[0]) == "linear"


@pytest.mark.parametrize("shape", [(75,), (1, 75), (75, 1)])
def test_every_layout_of_the_prepared_input_is_known(shape: tuple[int, ...]) -> None:
    keras = load_keras().keras
    require_described(network(keras.layers.Flatten(), dense(2, "softmax"), shape=shape), description(SCORES))


def test_another_input_or_output_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"\(60,\).*1 channel of 75 samples"):
        require_described(network(dense(2, "softmax"), shape=(60,)), description(SCORES))
    with pytest.raises(SettingsError, match="2 classes, the network gives values of shape"):
        require_described(network(dense(3, "softmax")), description(SCORES))
    code = Output(name="code", kind="code", shape=(4,), unit="1")
    with pytest.raises(SettingsError, match=r"expected 2 outputs \(scores, code\), the network has 1"):
        require_described(network(dense(2, "softmax")), description(SCORES, code))
    waveform = Output(name="clean", kind="waveform", shape=(1, 75), unit=PREPARED)
    with pytest.raises(SettingsError, match=r"output 'clean' is described with shape \(1, 75\), .* gives \(70,\)"):
        require_described(network(dense(70)), description(waveform))
    require_described(network(dense(75)), description(waveform))
