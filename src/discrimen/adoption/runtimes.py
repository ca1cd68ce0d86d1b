"""What a network gives in its own runtime: Keras, or ONNX Runtime on the file as it came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError, require_module
from discrimen.freezing.onnx_import import OnnxNetwork
from discrimen.keras_jax import KerasSession
from discrimen.network.outputs import Output
from discrimen.network.preparation import Preparation
from discrimen.network.prepare.arrangement import arranged, arrangement_for

Runtime = Callable[[NDArray[np.float32]], list[NDArray[np.float64]]]
"""From prepared pulses (pulse, channel, sample) to what the file's own runtime gives for each output."""

_INPUT_TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """How what a runtime gives becomes what an output promises.

    Parameters
    ----------
    output : Output
        What is promised.
    logits : bool
        Whether the file gives the values before the output's activation.
    logarithm : bool
        Whether it gives the logarithm of the probabilities.
    """

    output: Output
    logits: bool = False
    logarithm: bool = False

    def __call__(self, given: NDArray[Any]) -> NDArray[np.float64]:
        """Return (pulse, value) as the output says."""
        values = np.asarray(given, np.float64)
        if self.output.kind == "waveform" and values.shape[1:] == self.output.shape[::-1] != self.output.shape:
            values = values.swapaxes(1, 2)
        values = values.reshape(len(values), -1)
        if self.logarithm:
            values = np.exp(values)
        one_for_two = self.output.kind == "classes" and values.shape[1] == 1
        if self.logits:
            if one_for_two:
                values = np.concatenate([np.zeros_like(values), values], axis=1)
            finished: NDArray[np.float64] = self.output.finish(values)
            return finished
        return np.concatenate([1 - values, values], axis=1) if one_for_two else values


def keras_runtime(model: Any, preparation: Preparation, session: KerasSession) -> Runtime:
    """Return what computes a Keras model."""
    arrangement = arrangement_for(tuple(model.inputs[0].shape[1:]), preparation)

    def run(waveforms: NDArray[np.float32]) -> list[NDArray[np.float64]]:
        with session.on_device():
            given = model(arranged(waveforms, arrangement), training=False)
        listed = session.jax.tree.leaves(given)
        return [np.asarray(each, dtype=np.float64) for each in listed]

    return run


def onnx_runtime(path: Path, network: OnnxNetwork) -> Runtime:
    """Return what computes an ONNX file.

    Raises
    ------
    FormatError
        If ONNX Runtime cannot load it.
    MissingExtraError
        If it is not installed.
    """
    onnxruntime = require_module("onnxruntime", extra="onnx")
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base
        problem = f"ONNX Runtime cannot load the model: {' '.join(str(error).split())[:300]}"
        raise FormatError(problem, path) from error
    (taken,) = session.get_inputs()
    kind = _INPUT_TYPES.get(taken.type)
    if kind is None:
        raise FormatError(f"its input is a {taken.type}, expected floats", path)
    names = [output.graph_name for output in network.outputs]

    def run(waveforms: NDArray[np.float32]) -> list[NDArray[np.float64]]:
        values = arranged(waveforms, network.arrangement).astype(kind)
        size = network.n_batch or len(values)
        parts = []
        for start in range(0, len(values), size):
            chunk = values[start : start + size]
            # A file for a fixed number of pulses gets that number; the last ones are there twice.
            filled = np.concatenate([chunk, np.repeat(chunk[-1:], size - len(chunk), axis=0)])
            given = session.run(names, {taken.name: filled})
            parts.append(
                [_array(each, output.labels)[: len(chunk)] for each, output in zip(given, network.outputs, strict=True)]
            )
        return [np.concatenate(each) for each in zip(*parts, strict=True)]

    return run


def _array(given: Any, labels: Sequence[Any]) -> NDArray[np.float64]:
    """Return scores that come with a name each as an array in the order of the classes."""
    if isinstance(given, list):
        return np.array([[row[label] for label in labels] for row in given], np.float64)
    return np.asarray(given, np.float64)
