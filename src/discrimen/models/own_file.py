"""A network of one's own: a function in a Python file, ``mine.py:build``, beside the table of architectures.

The function has the form ::

    def build(keras, *, shape, outputs, options):
        waveform = keras.Input(shape)
        values = keras.layers.Flatten()(waveform)
        (scores,) = outputs
        return keras.Model(waveform, keras.layers.Dense(scores.n_values, activation="softmax")(values))

`shape` is (channel, sample) of a prepared pulse; `outputs` says what the model must give, in this order, each an
:class:`~discrimen.network.outputs.Output` (name, kind, shape, names, with_error, n_values); `options` are those of the
training, text if they come from the command line. The model gives finished values: probabilities of classes; a
waveform of its shape; of a quantity its value in units of the spread of the values to learn, counted from their mean,
for the training adds a last layer that turns it into the quantity's unit, and, where it comes with an error, behind the
values as many standard deviations, positive. Only layers of Keras itself are allowed: a trained model is data, it is
loaded without the file.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from discrimen.errors import SettingsError
from discrimen.models.ends import require_output
from discrimen.network.outputs import Output
from discrimen.output.provenance import sha256_of_file


def is_own(architecture: str) -> bool:
    """Whether an architecture is a function of a file, not a name of the table."""
    return ":" in architecture


def own_file(architecture: str) -> tuple[Path, str]:
    """Return file and function of ``mine.py:build``.

    Raises
    ------
    SettingsError
        If it has another form, or there is no such file.
    """
    path, _, function = architecture.rpartition(":")
    if not path.endswith(".py") or not function.isidentifier():
        raise SettingsError(f"an architecture of your own is given as FILE.py:FUNCTION, got {architecture!r}")
    if not Path(path).is_file():
        raise SettingsError(f"{path}: there is no such file, where the function '{function}' should build the network")
    return Path(path), function


def own_record(architecture: str) -> dict[str, str]:
    """Return what a model keeps of the file that built it: the SHA-256 of its source; nothing for the table's."""
    return {"file_sha256": sha256_of_file(own_file(architecture)[0])} if is_own(architecture) else {}


def build_own(
    keras: ModuleType,
    architecture: str,
    options: Mapping[str, Any],
    *,
    shape: tuple[int, int],
    outputs: Sequence[Output],
) -> Any:
    """Run the function and check what it built.

    Parameters
    ----------
    keras : module
        From :func:`discrimen.keras_jax.load_keras`.
    architecture : str
        ``mine.py:build``.
    options, shape, outputs
        Handed on.

    Raises
    ------
    SettingsError
        If the file cannot be run, the function is not there or fails, it returns no ``keras.Model``, the model has
        other inputs or outputs, or holds what is not of Keras itself.
    """
    path, name = own_file(architecture)
    function = _function(path, name)
    try:
        model = function(keras, shape=shape, outputs=tuple(outputs), options=dict(options))
    except Exception as error:  # a stranger's code may raise anything
        raise SettingsError(f"{architecture}: {name} fails: {type(error).__name__}: {error}") from error
    if not isinstance(model, keras.Model):
        raise SettingsError(f"{architecture}: {name} must return a keras.Model, it returned {type(model).__name__}")
    _require_shapes(model, shape, outputs, where=architecture)
    require_plain_keras(keras, model, where=architecture)
    return model


def require_plain_keras(keras: ModuleType, model: Any, *, where: str) -> None:
    """Refuse a model that cannot be loaded again without the code that made it.

    Raises
    ------
    SettingsError
        With the name of what is not of Keras itself.
    """
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            described = keras.saving.serialize_keras_object(model)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise SettingsError(f"{where}: the model cannot be saved: {' '.join(str(error).split())[:300]}") from error
    strange = sorted(set(_strange(described)))
    # Of a lambda nothing is left in the description but its code; Keras warns of it.
    strange += ["a lambda"] if any("lambda" in str(each.message) for each in told) and not strange else []
    if strange:
        raise SettingsError(
            f"{where}: {', '.join(strange)} is not of Keras itself, and a saved model carries no code: build it from "
            "Keras' layers"
        )


def _function(path: Path, name: str) -> Callable[..., Any]:
    spec = importlib.util.spec_from_file_location(f"discrimen_own_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise SettingsError(f"{path}: this is no Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a stranger's code may raise anything
        raise SettingsError(f"{path}: cannot be run: {type(error).__name__}: {error}") from error
    function = getattr(module, name, None)
    if not callable(function):
        there = ", ".join(each for each, value in vars(module).items() if callable(value) and not each.startswith("_"))
        raise SettingsError(f"{path}: there is no function '{name}'; there are: {there or 'none'}")
    made: Callable[..., Any] = function
    return made


def _require_shapes(model: Any, shape: tuple[int, int], outputs: Sequence[Output], *, where: str) -> None:
    if len(model.inputs) != 1 or tuple(model.inputs[0].shape[1:]) != tuple(shape):
        got = " and ".join(str(tuple(each.shape[1:])) for each in model.inputs)
        raise SettingsError(f"{where}: expected one input of shape {tuple(shape)} (channel, sample), got {got}")
    if len(model.outputs) != len(outputs):
        names = ", ".join(f"{output.name} ({output.kind})" for output in outputs)
        raise SettingsError(f"{where}: expected {len(outputs)} outputs ({names}), got {len(model.outputs)}")
    for tensor, output in zip(model.outputs, outputs, strict=True):
        wanted = output.shape if output.kind == "waveform" else (output.n_values,)
        if tuple(tensor.shape[1:]) != wanted:
            raise SettingsError(f"{where}: output {output.name!r} needs shape {wanted}, got {tuple(tensor.shape[1:])}")
        try:
            require_output(tensor, output)
        except SettingsError as error:
            raise SettingsError(f"{where}: {error}") from error


def _strange(described: Any) -> Iterator[str]:
    if isinstance(described, Mapping):
        module = described.get("module")
        if "class_name" in described and "config" in described:
            if described["class_name"] in ("function", "__lambda__", "Lambda"):
                inner = described["config"]
                yield f"function {inner if isinstance(inner, str) else described['class_name']!r}"
            elif (module or described.get("registered_name") or "keras").split(".")[0] not in ("keras", "builtins"):
                yield f"layer {described['class_name']!r}"
        for value in described.values():
            yield from _strange(value)
    elif isinstance(described, list | tuple):
        for value in described:
            yield from _strange(value)
