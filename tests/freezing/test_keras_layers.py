"""Options of Keras layers without a counterpart are refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from discrimen.errors import SettingsError
from discrimen.freezing.from_keras import layers_of
from discrimen.keras_jax import load_keras


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("Conv1DTranspose", {"filters": 2, "kernel_size": 2, "dilation_rate": 2}, "dilation_rate must be"),
        (
            "Conv1DTranspose",
            {"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1},
            "output_padding must be None",
        ),
        ("Conv1DTranspose", {"filters": 2, "kernel_size": 2, "data_format": "channels_first"}, "data_format"),
        ("ReLU", {"max_value": 6.0}, "max_value must be None to be frozen, got 6"),
        ("ReLU", {"negative_slope": 0.1}, "negative_slope must be 0 to be frozen, got 0.1"),
        ("ReLU", {"threshold": 1.0}, "threshold"),
        ("LeakyReLU", {}, "negative_slope must be 0 to be frozen, got 0.3"),
        ("ELU", {"alpha": 0.5}, "alpha must be 1"),
        ("Softmax", {"axis": 1}, r"axis must be the last \(-1\)"),
        ("Flatten", {"data_format": "channels_first"}, "data_format"),
        ("PReLU", {}, "PReLU.* cannot be frozen; known are: .*UpSampling1D"),
    ],
)
def test_option_without_counterpart_is_named(kind: str, options: dict[str, Any], reason: str) -> None:
    keras = load_keras("cpu").keras
    layer = getattr(keras.layers, kind)(name="odd", **options)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Reshape((4, 2)), layer])
    with pytest.raises(SettingsError, match=f"'odd'.*{reason}"):
        layers_of(model)


def test_only_a_dense_layer_can_be_computed_for_each_step() -> None:
    keras = load_keras("cpu").keras
    each_step = keras.layers.TimeDistributed(keras.layers.LayerNormalization(), name="odd")
    with pytest.raises(SettingsError, match="'odd': only Dense can be frozen in it, got LayerNormalization"):
        layers_of(keras.Sequential([keras.Input((4, 2)), each_step]))
