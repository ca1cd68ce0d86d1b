"""A network that was trained elsewhere becomes the folder of a model like those that are trained here."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from discrimen.adoption.check import N_MADE_UP, Check, check_network
from discrimen.adoption.keras_file import KERAS_SUFFIXES, read_keras
from discrimen.adoption.network_file import ONNX_SUFFIX, unknown
from discrimen.adoption.promises import Given, Promise, outputs_of
from discrimen.adoption.runtimes import Finish, Runtime, keras_runtime, onnx_runtime
from discrimen.freezing.batch_norm import folded
from discrimen.freezing.draft import Draft
from discrimen.freezing.from_keras import drafted, network_of
from discrimen.freezing.onnx_import import output_names, read_onnx
from discrimen.freezing.promised import before_activation, ending
from discrimen.freezing.to_keras import keras_model_of
from discrimen.keras_jax import KerasSession, load_keras
from discrimen.network.domain import learn_domain
from discrimen.network.made_up import made_up_pulses
from discrimen.network.model_description import ModelDescription, write_description
from discrimen.network.outputs import Output
from discrimen.network.preparation import Preparation
from discrimen.output.provenance import command_line, sha256_of_file, software_versions, utc_now
from discrimen.output.summary import Summarised
from discrimen.pulses.detector import DetectorSettings
from discrimen.training.checkpoints import save_model
from discrimen.training.model_folder import ModelFolder, claim_folder


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Task:
    """What is known of a network from elsewhere.

    Parameters
    ----------
    preparation : Preparation
        How raw pulses become its input.
    promises : tuple of Promise
        What each output is; none: a single output of classes.
    classes : tuple of str, optional
        Without promises: the names of the classes.
    from_logits : bool
        Whether linear values at its end should become probabilities.
    samples : ndarray, shape (pulse, channel, sample) or (pulse, sample), optional
        Raw pulses to check it with, which then are its domain; made-up ones by default.
    files : sequence of mapping
        Where these pulses come from, for the provenance.
    settings : DetectorSettings
        Of the detector.
    """

    preparation: Preparation
    promises: tuple[Promise, ...] = ()
    classes: tuple[str, ...] | None = None
    from_logits: bool = False
    samples: NDArray[Any] | None = None
    files: Sequence[dict[str, Any]] = ()
    settings: DetectorSettings = field(default_factory=DetectorSettings)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Adoption(Summarised):
    """What was adopted.

    Parameters
    ----------
    folder : Path
        Of the model.
    description : ModelDescription
        Its description.
    layers : tuple of str
        Names of the kinds of layers, in order.
    check : Check
        How it compares with its own runtime.
    runtime : str
        What that is.
    """

    folder: Path
    description: ModelDescription
    layers: tuple[str, ...]
    check: Check
    runtime: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Found:
    """A file that was read: the model to store, what it gives, and its own runtime."""

    model: Any
    outputs: tuple[Output, ...]
    finishes: tuple[Finish, ...]
    runtime: Runtime
    runtime_name: str
    origin: dict[str, Any]


def adopt(path: Path | str, output: Path | str, task: Task, *, overwrite: bool = False) -> Adoption:
    """Make the folder of a model from a network that was trained elsewhere.

    Parameters
    ----------
    path : Path
        A ``.keras``, ``.h5`` or ``.onnx`` file.
    output : Path
        The folder to make.
    task : Task
        What is known of the network.
    overwrite : bool
        Whether to replace a model that is in the folder.

    Returns
    -------
    Adoption
        What was made of it.

    Raises
    ------
    FormatError
        If the file cannot be read, or holds what cannot be adopted.
    SettingsError
        If what is said of it does not fit it, or is not enough.
    DataError
        If it does not compute what its own runtime computes.
    OutputError
        If the folder cannot be written, or holds a model already.
    MissingExtraError
        If Keras, ``onnx`` or ``onnxruntime`` is needed and not installed.
    """
    path, output = Path(path), Path(output)
    session = load_keras("cpu")
    found = _read(path, task, session)
    description = ModelDescription(
        preparation=task.preparation,
        outputs=found.outputs,
        architecture={"name": "adopted", "options": {}, "n_parameters": int(found.model.count_params())},
        settings=task.settings,
    )
    with tempfile.TemporaryDirectory() as scratch:
        stored = Path(scratch) / "model.keras"
        save_model(found.model, stored)
        network = network_of(read_keras(stored, session), description)
        samples = made_up_pulses(task.preparation, N_MADE_UP) if task.samples is None else task.samples
        check = check_network(network, task.preparation, found.runtime, found.finishes, samples)
        folder = _claimed(output, overwrite=overwrite)
        save_model(found.model, folder.model)
    provenance = _provenance(path, found, task, check)
    description = ModelDescription(
        preparation=description.preparation,
        outputs=description.outputs,
        architecture=description.architecture,
        settings=description.settings,
        domain=None if task.samples is None else learn_domain(task.samples, task.preparation),
        provenance=provenance | {"model_sha256": sha256_of_file(folder.model)},
    )
    write_description(description, folder.description)
    return Adoption(
        folder=output,
        description=description,
        layers=tuple(type(node.layer).__name__ for node in network.nodes),
        check=check,
        runtime=found.runtime_name,
    )


def _read(path: Path, task: Task, session: KerasSession) -> _Found:
    if path.suffix in KERAS_SUFFIXES and path.is_file():
        return _read_keras(path, task, session)
    if path.suffix == ONNX_SUFFIX and path.is_file():
        return _read_onnx(path, task, session)
    raise unknown(path)


def _read_keras(path: Path, task: Task, session: KerasSession) -> _Found:
    model = read_keras(path, session)
    draft, values = drafted(model, task.preparation)
    outputs = _outputs(draft, [Given(value=value) for value in values], task)
    logits = [before_activation(draft, value)[0] == "linear" and task.from_logits for value in values]
    logits = [each and output.kind == "classes" for each, output in zip(logits, outputs, strict=True)]
    return _Found(
        model=_with_endings(model, outputs, logits, session),
        outputs=outputs,
        finishes=tuple(Finish(output=output, logits=each) for output, each in zip(outputs, logits, strict=True)),
        runtime=keras_runtime(model, task.preparation, session),
        runtime_name=session.backend,
        origin={"format": path.suffix},
    )


def _with_endings(model: Any, outputs: Sequence[Output], logits: Sequence[bool], session: KerasSession) -> Any:
    """Append what the outputs promise and the network leaves to whoever reads it."""
    keras = session.keras
    ends = []
    with session.on_device():
        for number, (tensor, output, open_end) in enumerate(zip(model.outputs, outputs, logits, strict=True)):
            end = tensor
            if open_end:
                activation = "sigmoid" if tensor.shape[-1] == 1 else output.activation
                end = keras.layers.Activation(activation, name=f"adopted_{activation}_{number}")(end)
            if output.kind == "waveform" and tuple(tensor.shape[1:]) == output.shape[::-1] != output.shape:
                end = keras.layers.Permute((2, 1), name=f"adopted_waveform_{number}")(end)
            ends.append(end)
        if all(end is tensor for end, tensor in zip(ends, model.outputs, strict=True)):
            return model
        return keras.Model(model.inputs, ends if len(ends) > 1 else ends[0], name="adopted")


def _read_onnx(path: Path, task: Task, session: KerasSession) -> _Found:
    named = [promise.name for promise in task.promises]
    known = set(output_names(path))
    read = read_onnx(path, task.preparation, outputs=named if named and set(named) <= known else None)
    draft, given = read.draft, [Given(value=each.value, labels=each.names) for each in read.outputs]
    outputs = _outputs(draft, given, task)
    logits = [
        before_activation(draft, each.value)[0] == "linear" and output.kind == "classes"
        for each, output in zip(given, outputs, strict=True)
    ]
    ends = [
        ending(draft, each.value, output, from_logits=task.from_logits)
        for each, output in zip(given, outputs, strict=True)
    ]
    network = draft.network(folded(draft, ends))
    onnxruntime = software_versions("onnxruntime")["onnxruntime"]
    return _Found(
        model=keras_model_of(network, task.preparation.shape, outputs, session),
        outputs=outputs,
        finishes=tuple(
            Finish(output=output, logits=open_end, logarithm=each.logarithm)
            for output, open_end, each in zip(outputs, logits, read.outputs, strict=True)
        ),
        runtime=onnx_runtime(path, read),
        runtime_name=f"onnxruntime {onnxruntime} (cpu)",
        origin={"format": path.suffix, "opset": read.opset, "producer": read.producer},
    )


def _outputs(draft: Draft, given: Sequence[Given], task: Task) -> tuple[Output, ...]:
    return outputs_of(
        draft,
        given,
        task.preparation,
        promises=task.promises,
        classes=task.classes,
        from_logits=task.from_logits,
    )


def _claimed(path: Path, *, overwrite: bool) -> ModelFolder:
    folder = claim_folder(path, overwrite=overwrite)
    # There was no training: no checkpoints, no curves.
    for empty in (folder.checkpoints, folder.tensorboard):
        if empty.is_dir() and not any(empty.iterdir()):
            empty.rmdir()
    for left_behind in (folder.history, folder.curve):
        left_behind.unlink(missing_ok=True)
    return folder


def _provenance(path: Path, found: _Found, task: Task, check: Check) -> dict[str, Any]:
    return {
        "created": utc_now(),
        "command_line": command_line(),
        "versions": software_versions("keras", "jax", "onnx", "onnxruntime"),
        "adopted": {
            "file": path.name,
            "sha256": sha256_of_file(path),
            **found.origin,
            "check": {
                "runtime": found.runtime_name,
                "pulses": [dict(each) for each in task.files] if task.samples is not None else "made up",
                "n_pulses": check.n_pulses,
                "worst_difference": check.worst,
            },
        },
    }
