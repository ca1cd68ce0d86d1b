"""Files as Keras 2.x writes them by model.save('model.h5'), put together by hand: configuration and weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

N_SAMPLES = 24


def layer(kind: str, name: str, **options: Any) -> dict[str, Any]:
    """Return the configuration of a layer, with what Keras 2.11 writes of each."""
    return {"class_name": kind, "config": {"name": name, "trainable": True, "dtype": "float32", **options}}


def dense(name: str, units: int, activation: str = "linear") -> dict[str, Any]:
    drawn = {"class_name": "GlorotUniform", "config": {"seed": None}}
    return layer(
        "Dense",
        name,
        units=units,
        activation=activation,
        use_bias=True,
        kernel_initializer=drawn,
        bias_initializer={"class_name": "Zeros", "config": {}},
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
    )


def conv1d(name: str, filters: int, length: int, **options: Any) -> dict[str, Any]:
    whole = {
        "strides": [1],
        "padding": "valid",
        "data_format": "channels_last",
        "dilation_rate": [1],
        "groups": 1,
        "activation": "linear",
        "use_bias": True,
        "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
        "bias_regularizer": None,
    }
    return layer("Conv1D", name, filters=filters, kernel_size=[length], **(whole | options))


def recurrent(kind: str, name: str, units: int, **options: Any) -> dict[str, Any]:
    whole = {
        "return_sequences": False,
        "return_state": False,
        "go_backwards": False,
        "stateful": False,
        "unroll": False,
        "time_major": False,
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
        "use_bias": True,
        "unit_forget_bias": True,
        "dropout": 0.0,
        "recurrent_dropout": 0.0,
        "implementation": 2,
    }
    return layer(kind, name, units=units, **(whole | options))


def batch_norm(name: str, axis: Any = (2,)) -> dict[str, Any]:
    return layer(
        "BatchNormalization",
        name,
        axis=list(axis),
        momentum=0.99,
        epsilon=0.001,
        center=True,
        scale=True,
        beta_initializer={"class_name": "Zeros", "config": {}},
        moving_mean_initializer={"class_name": "Zeros", "config": {}},
    )


def start(shape: tuple[int | None, ...], name: str = "input_1") -> dict[str, Any]:
    config = {"batch_input_shape": [None, *shape], "dtype": "float32", "sparse": False, "ragged": False, "name": name}
    return {"class_name": "InputLayer", "config": config}


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": list(layers)}}


def functional(
    layers: list[tuple[dict[str, Any], list[str]]], outputs: list[str], kind: str = "Functional"
) -> dict[str, Any]:
    """Return the configuration of a functional model; beside each layer, the names of those that it reads."""
    listed = []
    for each, read in layers:
        nodes = [[[name, 0, 0, {}] for name in read]] if read else []
        listed.append({**each, "name": each["config"]["name"], "inbound_nodes": nodes})
    config = {
        "name": "model",
        "trainable": True,
        "layers": listed,
        "input_layers": [[listed[0]["name"], 0, 0]],
        "output_layers": [[name, 0, 0] for name in outputs],
    }
    return {"class_name": kind, "config": config}


def weight(*shape: int, positive: bool = False) -> np.ndarray:
    rng = np.random.default_rng(abs(hash(shape)) % 1000)
    values = rng.uniform(0.5, 2, shape) if positive else rng.normal(0, 0.5, shape)
    return values.astype(np.float32)


def dense_weights(n_in: int, n_out: int) -> dict[str, np.ndarray]:
    return {"kernel:0": weight(n_in, n_out), "bias:0": weight(n_out)}


def norm_weights(channels: int) -> dict[str, np.ndarray]:
    return {
        "gamma:0": weight(channels),
        "beta:0": weight(channels, positive=True),
        "moving_mean:0": weight(channels),
        "moving_variance:0": weight(channels, positive=True),
    }


def lstm_weights(n_in: int, units: int, gates: int = 4, cell: str = "lstm_cell") -> dict[str, np.ndarray]:
    bias = weight(gates * units) if gates == 4 else weight(2, gates * units)
    return {
        f"{cell}/kernel:0": weight(n_in, gates * units),
        f"{cell}/recurrent_kernel:0": weight(units, gates * units),
        f"{cell}/bias:0": bias,
    }


def write_model(
    path: Path, config: dict[str, Any], weights: dict[str, dict[str, np.ndarray]], *, version: str = "2.11.0"
) -> Path:
    """Write a file; weights by layer and, within it, by name."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = version, "tensorflow"
        file.attrs["model_config"] = json.dumps(config)
        write_weights(file.create_group("model_weights"), weights, version=version)
    return path


def write_weights(group: Any, weights: dict[str, dict[str, np.ndarray]], *, version: str = "2.11.0") -> None:
    """Write what save_weights writes, which is a part of what save writes."""
    group.attrs["layer_names"] = [name.encode() for name in weights]
    group.attrs["keras_version"], group.attrs["backend"] = version.encode(), b"tensorflow"
    for name, values in weights.items():
        inner = group.create_group(name)
        whole = {each if each.count("/") > 1 else f"{name}/{each}": value for each, value in values.items()}
        inner.attrs["weight_names"] = [each.encode() for each in whole]
        for each, value in whole.items():
            inner[each] = value
