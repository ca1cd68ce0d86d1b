"""Trained Keras models from elsewhere: .keras files of Keras 3, .h5 files of Keras 2 and 3."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from discrimen.adoption.keras2_file import config_of, keras_version_of, read_keras2
from discrimen.errors import FormatError
from discrimen.keras_jax import KerasSession, forbid_cudnn

KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")


def read_keras(path: Path | str, session: KerasSession) -> Any:
    """Read a Keras model; code that it may carry is never executed.

    Parameters
    ----------
    path : Path
        A ``.keras``, ``.h5`` or ``.hdf5`` file.
    session : KerasSession
        Where to load it.

    Returns
    -------
    keras.Model
        Not compiled.

    Raises
    ------
    FormatError
        If it cannot be read, holds only weights, or a Lambda layer or another one that is not known.
    """
    path = Path(path)
    model = _read_zip(path, session) if path.suffix == ".keras" else _read_hdf5(path, session)
    forbid_cudnn(model)
    return model


def _read_zip(path: Path, session: KerasSession) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            metadata = json.loads(archive.read("metadata.json"))
            _refuse_code(json.loads(archive.read("config.json")), path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise FormatError(f"this is no .keras file of Keras 3: {' '.join(str(error).split())[:200]}", path) from error
    version = str(metadata.get("keras_version", "?"))
    if not version.startswith("3."):
        raise FormatError(
            f"this .keras file was written by Keras {version}, expected 3: load it there and save it as .h5, "
            "model.save('model.h5'), which can be adopted",
            path,
        )
    return _loaded(path, session)


def _read_hdf5(path: Path, session: KerasSession) -> Any:
    if keras_version_of(path) == 2:
        return read_keras2(path, session)
    with h5py.File(path, "r") as file:
        _refuse_code(config_of(file, path), path)
    return _loaded(path, session)


def _loaded(path: Path, session: KerasSession) -> Any:
    try:
        with session.on_device():
            # safe_mode refuses models that carry code.
            return session.keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, zipfile.BadZipFile) as error:
        raise FormatError(f"Keras cannot load this model: {' '.join(str(error).split())[:300]}", path) from error


def _refuse_code(config: Any, path: Path) -> None:
    """Refuse configurations that name code of their own, before Keras sees them."""
    for each in _described(config):
        kind, name = each["class_name"], _name_of(each)
        if kind == "Lambda":
            raise FormatError(
                f"layer '{name}' (Lambda) carries code, which is never executed: build it of layers of Keras and save "
                "the network again",
                path,
            )
        module, registered = str(each.get("module") or "keras"), str(each.get("registered_name") or "")
        if ">" in registered or module.split(".")[0] not in ("keras", "builtins"):
            raise FormatError(
                f"'{name}' ({registered or module}) is a class of one's own, which is code: build the network of "
                "layers of Keras and save it again",
                path,
            )


def _described(config: Any) -> Iterator[dict[str, Any]]:
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        for value in config.values():
            yield from _described(value)
    elif isinstance(config, list):
        for value in config:
            yield from _described(value)


def _name_of(described: dict[str, Any]) -> str:
    inner = described.get("config")
    return str(described.get("name") or (inner.get("name") if isinstance(inner, dict) else None) or "?")
