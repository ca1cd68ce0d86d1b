"""Which files hold networks that can be read, and how many samples those take."""

from __future__ import annotations

from math import prod
from pathlib import Path

from discrimen.adoption.keras_file import KERAS_SUFFIXES, read_keras
from discrimen.errors import FormatError, SettingsError
from discrimen.freezing.onnx_import import read_graph
from discrimen.keras_jax import load_keras

ONNX_SUFFIX = ".onnx"
_INSTEAD = {
    ".pt": "export it by torch.onnx.export(model, example, 'model.onnx', opset_version=17)",
    ".pth": "export it by torch.onnx.export(model, example, 'model.onnx', opset_version=17)",
    ".pkl": "pickled objects are code, which is never executed; export it by skl2onnx.to_onnx",
    ".joblib": "pickled objects are code, which is never executed; export it by skl2onnx.to_onnx",
    ".tflite": "give the Keras model that it was made from",
    ".pb": "load it with its TensorFlow and save it by model.save('model.h5')",
}


def unknown(path: Path) -> FormatError:
    """Say what to make of a file that is no network that can be read."""
    if not path.exists():
        return FormatError("there is no such file", path)
    if path.is_dir():
        return FormatError(
            "this is a folder (a SavedModel of TensorFlow?): load it with its TensorFlow and save it by "
            "model.save('model.h5')",
            path,
        )
    mend = _INSTEAD.get(path.suffix, "export the network to one of these")
    return FormatError(f"expected {', '.join((*KERAS_SUFFIXES, ONNX_SUFFIX))}, got '{path.suffix}': {mend}", path)


def input_length(path: Path | str) -> int:
    """Return how many samples of one channel a network takes.

    Parameters
    ----------
    path : Path
        As in :func:`adopt`.

    Raises
    ------
    FormatError
        If the file cannot be read.
    SettingsError
        If it takes several channels: their preparation must be described.
    """
    path = Path(path)
    if path.suffix == ONNX_SUFFIX and path.is_file():
        shape = read_graph(path).input_shape
    elif path.suffix in KERAS_SUFFIXES and path.is_file():
        shape = tuple(read_keras(path, load_keras("cpu")).inputs[0].shape[1:])
    else:
        raise unknown(path)
    if len(shape) > 1 and 1 not in shape:
        raise SettingsError(
            f"{path}: takes several channels (its input has the shape {shape}): describe each of them in a file and "
            "give it with --preparation"
        )
    return prod(shape)
