"""Every backend for one model: those that are present, and why the others are not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from discrimen.errors import DeviceError, FormatError, MissingExtraError
from discrimen.inference.onnx_source import read_onnx_source
from discrimen.network.frozen_file import FrozenModel
from laboratory import package_backends, runtime_backends
from laboratory.backend import Backend
from laboratory.limits import INSTRUCTION_SETS, present_instruction_sets
from laboratory.result import NATIVE, LeftOut
from laboratory.work import intermediate_bytes

TENSORFLOW = "tensorflow"


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What can be timed, and what cannot."""

    backends: tuple[Backend, ...]
    left_out: tuple[LeftOut, ...]


def find_backends(
    path: Path, frozen: FrozenModel, *, threads: int, keras: Path | None, all_instruction_sets: bool
) -> Found:
    """Make every backend with a number of threads.

    Parameters
    ----------
    path : Path
        The frozen file.
    frozen : FrozenModel
        What is in it.
    threads : int
        How many compute at once.
    keras : Path or None
        Folder of the same model in Keras.
    all_instruction_sets : bool
        Whether the native engine is timed with the lesser instruction sets of this machine, too.
    """
    backends: list[Backend] = []
    left_out: list[LeftOut] = []
    for name, make in _table(path, frozen, threads=threads, keras=keras, all_instruction_sets=all_instruction_sets):
        try:
            backends.append(make())
        except (MissingExtraError, DeviceError, FormatError) as error:
            if name == package_backends.KERAS and isinstance(error, FormatError):
                raise  # the folder was asked for by name
            left_out.append(LeftOut(backend=name, threads=threads, reason=str(error)))
    return Found(tuple(backends), (*left_out, *_never_made(path, keras, threads, all_instruction_sets)))


def _table(
    path: Path, frozen: FrozenModel, *, threads: int, keras: Path | None, all_instruction_sets: bool
) -> Iterator[tuple[str, Callable[[], Backend]]]:
    yield NATIVE, partial(package_backends.native, path, threads=threads)
    if all_instruction_sets:
        for lesser in present_instruction_sets(path)[1:]:
            name = f"{NATIVE} ({lesser})"
            yield name, partial(package_backends.native, path, threads=threads, instruction_set=lesser, name=name)
    held = intermediate_bytes(frozen.network, frozen.description.preparation.shape)
    yield (
        runtime_backends.ONNXRUNTIME,
        lambda: runtime_backends.onnxruntime(read_onnx_source(path), threads=threads, bytes_per_pulse=held),
    )
    for hint in ("latency", "throughput"):
        yield f"openvino ({hint})", partial(_openvino, path, threads, hint, held)
    if keras is not None:
        n_cores = len(os.sched_getaffinity(0))
        yield (
            package_backends.KERAS,
            partial(package_backends.keras_on_jax, keras, threads=threads, n_cores=n_cores),
        )
    if threads == 1:
        yield package_backends.REFERENCE, partial(package_backends.reference, path)


def _openvino(path: Path, threads: int, hint: runtime_backends.Hint, held: int) -> Backend:
    return runtime_backends.openvino(read_onnx_source(path), threads=threads, hint=hint, bytes_per_pulse=held)


def _never_made(path: Path, keras: Path | None, threads: int, all_instruction_sets: bool) -> Iterator[LeftOut]:
    """Name what is not in the table; once, with one thread."""
    if threads > 1:
        yield LeftOut(backend=package_backends.REFERENCE, threads=threads, reason="it computes with one thread")
        return
    if keras is None:
        reason = "no Keras model given: --keras FOLDER, the folder that the model was frozen from"
        yield LeftOut(backend=package_backends.KERAS, reason=reason)
    if all_instruction_sets:
        present = present_instruction_sets(path)
        for name in INSTRUCTION_SETS:
            if name not in present:
                yield LeftOut(backend=f"{NATIVE} ({name})", reason="this machine lacks the instruction set")
    installed = find_spec("tensorflow") is not None
    reason = "is installed, but Keras computes on JAX in this process" if installed else "is not installed"
    yield LeftOut(backend=TENSORFLOW, reason=f"{reason}; benchmarks/train_epoch.py times it in its own environment")
