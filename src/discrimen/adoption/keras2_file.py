"""The .h5 files of Keras 2: configuration and weights in one file, read without Keras 2, nothing of it executed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from discrimen.adoption.keras2_layers import Keras2Layer, built, called, read_layer, smoothed
from discrimen.errors import FormatError, SettingsError
from discrimen.keras_jax import KerasSession

_MODELS = ("Sequential", "Functional", "Model")
_OLDEST = 2


def read_keras2(path: Path | str, session: KerasSession) -> Any:
    """Read a model that Keras 2 saved as .h5 and build it with Keras 3.

    Parameters
    ----------
    path : Path
        The file.
    session : KerasSession
        Where to build it.

    Returns
    -------
    keras.Model
        With its weights.

    Raises
    ------
    FormatError
        If it cannot be read, holds only weights, or holds a layer or an option that is not known.
    """
    path = Path(path)
    try:
        with h5py.File(path, "r") as file:
            config = config_of(file, path)
            weights = {name: list(_weights_of(file["model_weights"], name)) for name in _layer_names(file)}
        with session.on_device():
            model, layers = _model(config, session.keras)
            _fill(layers, weights)
    except (SettingsError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        reason = str(error) if isinstance(error, SettingsError) else f"its configuration is not as expected: {error!r}"
        raise FormatError(" ".join(reason.split())[:400], path) from error
    except OSError as error:
        raise FormatError(f"cannot be read as HDF5: {' '.join(str(error).split())[:200]}", path) from error
    return model


def config_of(file: Any, path: Path) -> dict[str, Any]:
    """Return the configuration in a file of Keras.

    Raises
    ------
    FormatError
        If there is none.
    """
    text = file.attrs.get("model_config")
    if text is None:
        if "layer_names" in file.attrs or any("weight_names" in group.attrs for group in file.values()):
            raise FormatError(
                "this file holds only weights, not the network (save_weights): build the network by its code, "
                "load_weights() this file into it, and save the whole with model.save('model.h5')",
                path,
            )
        raise FormatError("this HDF5 file holds no Keras model: expected one that model.save('model.h5') wrote", path)
    config: dict[str, Any] = json.loads(text)
    return config


def keras_version_of(path: Path) -> int:
    """Return the first number of the version of Keras that wrote an .h5 file; 2 where it does not say.

    Raises
    ------
    FormatError
        If the file cannot be read.
    """
    try:
        with h5py.File(path, "r") as file:
            group = file.get("model_weights", file)
            version = file.attrs.get("keras_version", group.attrs.get("keras_version", "2"))
    except OSError as error:
        raise FormatError(f"cannot be read as HDF5: {' '.join(str(error).split())[:200]}", path) from error
    text = version.decode() if isinstance(version, bytes) else str(version)
    first = text.split(".")[0]
    if not first.isdigit() or int(first) < _OLDEST:
        raise FormatError(f"expected a model of Keras {_OLDEST} or 3, got version {text!r}", path)
    return int(first)


def _layer_names(file: Any) -> list[str]:
    return [_text(name) for name in _chunked(file["model_weights"].attrs, "layer_names")]


def _weights_of(group: Any, layer: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for name in _chunked(group[layer].attrs, "weight_names"):
        values = np.asarray(group[layer][_text(name)])
        if values.dtype.kind == "f" and values.dtype.itemsize != 4:
            raise SettingsError(f"layer '{layer}': its weights are {values.dtype}, expected float32")
        yield _text(name), values.astype(np.float32)


def _chunked(attributes: Mapping[str, Any], name: str) -> list[Any]:
    """Return a list that HDF5 may have had to spread over several attributes."""
    if name in attributes:
        return list(attributes[name])
    found: list[Any] = []
    part = 0
    while f"{name}{part}" in attributes:
        found.extend(attributes[f"{name}{part}"])
        part += 1
    return found


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


_Weights = dict[str, list[tuple[str, NDArray[np.float32]]]]
"""By the name of the layer: name and values of each of its weights."""

_Made = dict[str, tuple[Keras2Layer | None, Any]]
"""By name: what was read of a layer (None for a model within the model), and the layer of Keras 3."""


def _model(config: Mapping[str, Any], keras: Any) -> tuple[Any, _Made]:
    kind, inner = config["class_name"], config["config"]
    if kind not in _MODELS:
        raise SettingsError(
            f"the model is a {kind}; only sequential and functional models can be adopted: a class of one's own is code"
        )
    if kind == "Sequential":
        return _sequential(inner, keras)
    return _functional(inner, keras)


def _sequential(config: Any, keras: Any) -> tuple[Any, _Made]:
    listed = config if isinstance(config, list) else config["layers"]
    first = listed[0]["config"]
    shape = _input_shape(first, config)
    tensor = start = keras.Input(shape, name=f"{first.get('name', 'pulse')}_values".replace("/", "_"))
    made: _Made = {}
    for each in listed:
        if each["class_name"] == "InputLayer":
            continue
        tensor = _call(each, made, keras, [tensor])
    return keras.Model(start, tensor, name="adopted"), made


def _functional(config: Mapping[str, Any], keras: Any) -> tuple[Any, _Made]:
    made: _Made = {}
    tensors: dict[tuple[str, int], Any] = {}
    waiting = [
        (layer, number, node)
        for layer in config["layers"]
        for number, node in enumerate(layer["inbound_nodes"] or [None])
    ]
    while waiting:
        left = []
        for layer, number, node in waiting:
            name = layer["name"]
            if layer["class_name"] == "InputLayer":
                tensors[name, 0] = keras.Input(_input_shape(layer["config"], config), name=name.replace("/", "_"))
                continue
            read = _read(layer, node)
            if all(key in tensors for key in read):
                tensors[name, number] = _call(layer, made, keras, [tensors[key] for key in read])
            else:
                left.append((layer, number, node))
        if len(left) == len(waiting):
            raise SettingsError(f"layer '{left[0][0]['name']}' reads what no layer gives")
        waiting = left
    starts, ends = (
        [tensors[name, node] for name, node, _ in _listed(config[key])] for key in ("input_layers", "output_layers")
    )
    return keras.Model(*(each if len(each) > 1 else each[0] for each in (starts, ends)), name="adopted"), made


def _call(layer: Mapping[str, Any], made: _Made, keras: Any, read: list[Any]) -> Any:
    """Build a layer, if it is not there yet, and call it."""
    name = str(layer["config"].get("name", layer.get("name"))) if isinstance(layer["config"], dict) else layer["name"]
    if layer["class_name"] in _MODELS:
        if name not in made:
            model, inner = _model(layer, keras)
            made[name] = (None, (model, inner))
        return made[name][1][0](*read)
    if name not in made:
        known = read_layer(layer)
        made[name] = (known, built(known, keras))
    known_layer, of_keras = made[name]
    assert known_layer is not None
    return called(known_layer, of_keras, keras, read)


def _read(layer: Mapping[str, Any], node: Any) -> list[tuple[str, int]]:
    """Return what a call of a layer reads: names of layers and which of their calls."""
    if node is None:
        raise SettingsError(f"layer '{layer['name']}' ({layer['class_name']}) reads nothing")
    found = []
    for each in _listed(node):
        name, number, tensor, *further = each
        given = {key: value for part in further for key, value in part.items() if value not in (None, False)}
        if given or tensor != 0:
            raise SettingsError(
                f"layer '{layer['name']}' is called with {given or 'a second value'}, which cannot be adopted"
            )
        found.append((str(name), int(number)))
    return found


def _listed(value: Any) -> list[Any]:
    """Return a list of references, of which a single one may stand alone."""
    return [value] if value and isinstance(value[0], str) else list(value)


def _input_shape(config: Mapping[str, Any], whole: Any) -> tuple[int, ...]:
    shape = config.get("batch_input_shape") or config.get("batch_shape")
    if shape is None and isinstance(whole, dict):
        shape = whole.get("build_input_shape")
    if shape is None or any(axis is None for axis in shape[1:]):
        raise SettingsError(
            f"the shape of the input '{config.get('name', '?')}' is not fixed, got {shape}: build the network with "
            "a fixed number of samples and save it again"
        )
    return tuple(int(axis) for axis in shape[1:])


def _fill(made: _Made, weights: _Weights) -> None:
    """Give each layer its weights."""
    for name, (known, layer) in made.items():
        given = weights.get(name, [])
        if known is not None:
            _set(name, layer, smoothed(known, [value for _, value in given]))
            continue
        # A model within the model keeps all weights in one place, in an order of their own: their names tell whose.
        parts: _Weights = {}
        for path, value in given:
            parts.setdefault(path.split("/")[0], []).append((path, value))
        _fill(layer[1], parts)


def _set(name: str, layer: Any, given: list[Any]) -> None:
    wanted = _ordered(layer)
    found, shapes = [value.shape for value in given], [tuple(each.shape) for each in wanted]
    if found != shapes:
        raise SettingsError(f"layer '{name}' needs weights of the shapes {shapes}, the file holds {found}")
    for variable, value in zip(wanted, given, strict=True):
        variable.assign(value)


def _ordered(layer: Any) -> list[Any]:
    """Return the weights of a layer in the order of the file."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]
