from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from discrimen.errors import SettingsError
from discrimen.keras_jax import load_keras
from discrimen.models import ARCHITECTURES, build_model, check_options
from discrimen.network.outputs import PREPARED, Output, class_scores
from discrimen.training.fit import seeded

SCORES = (class_scores(("gamma", "neutron")),)


def build(architecture: str, window_length: int = 75, n_channels: int = 1, **options: Any) -> Any:
    shape = (n_channels, window_length)
    return build_model(load_keras("cpu").keras, architecture, options, shape=shape, outputs=SCORES)


@pytest.mark.usefixtures("quick_weights")
def test_the_reference_network_has_814_parameters() -> None:
    model = build("mlp")
    assert model.count_params() == 75 * 10 + 10 + 10 * 4 + 4 + 4 * 2 + 2 == 814
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line))
    assert "814" in "\n".join(lines)


def test_a_seed_gives_the_first_weights_that_bare_layers_would_have() -> None:
    keras = load_keras("cpu").keras
    with seeded(keras, 3):
        model = build("mlp")
    with seeded(keras, 3):
        layers = [keras.layers.Dense(width) for width in (10, 4, 2)]
        keras.Sequential([keras.Input((75,)), *layers])
    for layer, bare in zip(model.layers[2:], layers, strict=True):
        assert_allclose(np.asarray(layer.kernel.value), np.asarray(bare.kernel.value))


@pytest.mark.usefixtures("quick_weights")
@pytest.mark.parametrize("architecture", ["dense_autoencoder", "conv_autoencoder"])
@pytest.mark.parametrize("shape", [(1, 75), (3, 16)])
def test_an_auto_encoder_gives_a_waveform_of_its_input_s_shape_and_a_code(
    architecture: str, shape: tuple[int, int]
) -> None:
    outputs = (
        Output(name="reconstruction", kind="waveform", shape=shape, unit=PREPARED),
        Output(name="code", kind="code", shape=(5,), unit="1"),
    )
    model = build_model(load_keras("cpu").keras, architecture, {"code": "5"}, shape=shape, outputs=outputs)
    waveform, code = model(np.zeros((2, *shape), np.float32))
    assert (waveform.shape, code.shape) == ((2, *shape), (2, 5))


def test_a_code_from_a_network_without_one_is_refused() -> None:
    code = (Output(name="code", kind="code", shape=(5,), unit="1"),)
    with pytest.raises(SettingsError, match=r"output 'code' is a code .*take one of the auto-encoders"):
        build_model(load_keras("cpu").keras, "mlp", {}, shape=(1, 75), outputs=code)


def test_an_output_may_have_the_name_of_a_layer() -> None:
    place = (Output(name="hidden_1", kind="quantity", shape=(1,), unit="mm"),)
    model = build_model(load_keras("cpu").keras, "mlp", {}, shape=(1, 75), outputs=place)
    assert [layer.name for layer in model.layers][-2:] == ["hidden_1_output", "hidden_1_in_unit"]


@pytest.mark.usefixtures("quick_weights")
@pytest.mark.parametrize(
    ("hidden", "n_parameters"),
    [((), 75 * 2 + 2), ((7,), 75 * 7 + 7 + 7 * 2 + 2), ((3, 4, 5, 6), 228 + 16 + 25 + 36 + 14), ("10,4", 814)],
)
def test_width_and_depth_follow_the_option(hidden: Any, n_parameters: int) -> None:
    assert build("mlp", hidden=hidden).count_params() == n_parameters


@pytest.mark.usefixtures("quick_weights")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(("n_channels", "window_length"), [(1, 16), (1, 75), (3, 16)])
def test_every_architecture_gives_probabilities(architecture: str, n_channels: int, window_length: int) -> None:
    options = {"sectors": n_channels, "rings": 1} if architecture.startswith("neighbours") else {}
    model = build(architecture, window_length, n_channels, **options)
    scores = np.asarray(model(np.random.default_rng(0).normal(size=(5, n_channels, window_length)).astype(np.float32)))
    assert scores.shape == (5, 2)
    assert scores.dtype == np.float32
    assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


@pytest.mark.usefixtures("quick_weights")
def test_the_convolution_has_the_described_shape() -> None:
    assert build("cnn").count_params() == (5 * 8 + 8) + (5 * 8 * 8 + 8) + (8 * 2 + 2)


@pytest.mark.usefixtures("quick_weights")
@pytest.mark.parametrize(("window_length", "stride", "n_patches"), [(75, 4, 19), (75, 5, 15), (3, 4, 1)])
def test_the_patch_network_keeps_the_place_of_every_patch(window_length: int, stride: int, n_patches: int) -> None:
    model = build("patches", window_length, filters=3, kernel=6, stride=stride, hidden="5,4")
    assert model.get_layer("patches").output.shape == (None, n_patches, 3)
    assert model.count_params() == (6 * 3 + 3) + (3 * n_patches * 5 + 5) + (5 * 4 + 4) + (4 * 2 + 2)


@pytest.mark.usefixtures("quick_weights")  # the same each time: drawn ones might all answer with zeros
def test_the_patch_network_sees_the_same_in_every_patch() -> None:
    model = build("patches", 16, filters=2, kernel=4, stride=2)
    pulse = np.zeros((2, 1, 16), dtype=np.float32)
    pulse[0, 0, 4:7], pulse[1, 0, 8:11] = (0.2, 1.0, 0.5), (0.2, 1.0, 0.5)
    layers = {layer.name: layer for layer in model.layers}
    first, second = np.asarray(layers["patches"](layers["samples_first"](pulse)))
    assert np.abs(first).max() > 0
    assert_allclose(first[:-2], second[2:], atol=1e-6)


@pytest.mark.usefixtures("quick_weights")
def test_the_residual_network_grows_by_the_block() -> None:
    normalisation, convolution = 4 * 8, 5 * 8 * 8
    block = 2 * (convolution + normalisation)
    for blocks in (1, 2, 3):
        expected = 5 * 8 + normalisation + blocks * block + (8 * 2 + 2)
        assert build("resnet", blocks=blocks).count_params() == expected


@pytest.mark.usefixtures("quick_weights")
def test_the_residual_network_pools_where_it_is_told() -> None:
    assert build("resnet", blocks=3, pool=2).get_layer("block_3_sum").output.shape == (None, 75 // 2 // 2 // 2, 8)
    assert build("resnet", blocks=3, pool=1).get_layer("block_3_sum").output.shape == (None, 75, 8)
    assert build("resnet", activation="tanh").get_layer("block_1_activation").activation.__name__ == "tanh"


@pytest.mark.usefixtures("quick_weights")
def test_the_recurrent_networks_have_16_units() -> None:
    assert build("lstm").count_params() == 4 * (16 * (1 + 16) + 16) + 34
    assert build("gru").count_params() == 3 * (16 * (1 + 16) + 2 * 16) + 34


@pytest.mark.parametrize(
    ("architecture", "options", "message"),
    [
        (
            "perceptron",
            {},
            "one of mlp, cnn, .* or a function of a file of your own .*, got 'perceptron'",
        ),
        ("mlp", {"units": 3}, r"options of mlp \(hidden, activation\): units"),
        ("mlp", {"hidden": (10, 0)}, r"hidden.1: .*greater than 0, got 0"),
        ("mlp", {"hidden": "ten"}, r"hidden.0: .*integer.*got 'ten'"),
        ("mlp", {"activation": "swish!"}, "'relu', 'tanh'"),
        ("cnn", {"filters": -1}, "filters"),
        ("lstm", {"units": 0}, "units"),
    ],
)
def test_options_that_do_not_fit_are_refused(architecture: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        check_options(architecture, options)


def test_options_from_a_command_line_are_read() -> None:
    assert check_options("mlp", {"hidden": "32, 16,8", "activation": "tanh"}).model_dump() == {
        "hidden": (32, 16, 8),
        "activation": "tanh",
    }
    assert check_options("mlp", {"hidden": 20}).model_dump()["hidden"] == (20,)
    assert check_options("lstm", {"units": "8"}).model_dump() == {"units": 8}


def test_a_window_shorter_than_the_pooling_is_refused() -> None:
    with pytest.raises(SettingsError, match="at least 4 samples"):
        build("cnn", 3, pool=4)
    with pytest.raises(SettingsError, match=r"at least 27 samples \(option pool 3 before each of 3 blocks\), got 26"):
        build("resnet", 26, pool=3, blocks=3)
