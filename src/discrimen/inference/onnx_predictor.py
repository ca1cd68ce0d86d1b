"""What predictors on ONNX runtimes share: raw samples in a type that the graph takes, a bounded number at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.inference.base import ScoresOfRun
from discrimen.inference.onnx_source import input_type_for, read_onnx_source
from discrimen.network.export.onnx import InputType, value_name
from discrimen.network.golden import require_golden
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import require_present, with_channels

DEFAULT_BATCH = 4096
"""Pulses computed at once: enough to amortise a call, few enough for the intermediate values to stay in the cache."""

Compute = Callable[[dict[str, NDArray[Any]]], list[NDArray[np.float32]]]
"""The graph's inputs by name in, the wanted outputs in their order out."""


class OnnxPredictor(ScoresOfRun, ABC):
    """A model computed by an ONNX runtime, behind the :class:`~discrimen.inference.base.Predictor` protocol.

    Memory does not grow with the number of pulses, but for the outputs. The graph is compiled for each type of samples
    (int16, uint16, anything else) when it first comes.

    Parameters
    ----------
    path : Path
        A ``*.discrimen`` file, or a ``*.onnx`` that was made from one.
    batch_size : int
        Pulses computed at once.

    Raises
    ------
    FormatError
        If the file is no such model, or does not reproduce its golden vectors.
    MissingExtraError
        If a package is not installed.
    """

    def __init__(self, path: Path | str, *, batch_size: int) -> None:
        if batch_size < 1:
            raise SettingsError(f"batch_size must be at least 1, got {batch_size}")
        self._batch_size = batch_size
        self._source = read_onnx_source(path)
        self._computes: dict[InputType, Compute] = {}
        self._compute_for("int16")
        if self._source.golden is not None:
            require_golden(self._source.golden, self.description.outputs, self.values, self._source.path)

    @property
    def description(self) -> ModelDescription:
        """What the model is: preparation, outputs, provenance."""
        return self._source.description

    @property
    @abstractmethod
    def backend(self) -> str:
        """What computes."""

    @abstractmethod
    def _compiled(self, model: bytes, outputs: list[str]) -> Compute:
        """Return what computes these outputs of an ONNX model."""

    def run(self, samples: NDArray[Any], *, present: NDArray[Any] | None = None) -> tuple[NDArray[np.float32], ...]:
        """Compute all outputs; see :meth:`discrimen.inference.base.Predictor.run`."""
        return self._in_batches(samples, present, self._compute_for)

    def values(self, samples: NDArray[Any], present: NDArray[Any] | None) -> tuple[NDArray[np.float32], ...]:
        """Compute what each output reads, before its activation, for golden vectors: pulses that can be prepared."""
        names = [value_name(output) for output in self.description.outputs]

        def compute_for(input_type: InputType) -> Compute:
            return self._compiled(self._source.serialised(input_type, before_activation=True), names)

        return self._in_batches(samples, present, compute_for)

    def _compute_for(self, input_type: InputType) -> Compute:
        if input_type not in self._computes:
            names = [output.name for output in self.description.outputs]
            self._computes[input_type] = self._compiled(self._source.serialised(input_type), names)
        return self._computes[input_type]

    def _in_batches(
        self, samples: NDArray[Any], present: NDArray[Any] | None, compute_for: Callable[[InputType], Compute]
    ) -> tuple[NDArray[np.float32], ...]:
        preparation = self.description.preparation
        samples = with_channels(samples, preparation)
        there = require_present(present, samples, preparation)
        input_type = input_type_for(samples.dtype)
        compute = compute_for(input_type)
        results = [np.empty((len(samples), output.n_values), dtype=np.float32) for output in self.description.outputs]
        for start in range(0, len(samples), self._batch_size):
            batch = slice(start, start + self._batch_size)
            inputs = {"samples": _as_input(samples[batch], input_type, preparation)}
            if preparation.masked:
                inputs["present"] = np.ascontiguousarray(there[batch])
            for result, given in zip(results, compute(inputs), strict=True):
                result[batch] = given
        return tuple(results)


def require_threads(threads: int | None) -> int:
    """Return the number of threads with 0 for all cores, as the runtimes want it, or refuse it."""
    if threads is not None and threads < 1:
        raise SettingsError(f"threads must be at least 1, got {threads}")
    return threads or 0


def _as_input(samples: NDArray[Any], input_type: InputType, preparation: Preparation) -> NDArray[Any]:
    """Return samples in the type and memory layout of the graph's input; a view where they have it already."""
    if samples.dtype.kind in "iu" and samples.dtype.itemsize > 2:
        # float32 holds integers only up to 2**24, and an offset changes nothing: first take off the baseline's counts.
        samples = samples.astype(np.int64)
        for number, channel in enumerate(preparation.channels):
            if channel.baseline_start < channel.baseline_stop:
                before = samples[:, number, channel.baseline_start : channel.baseline_stop]
                samples[:, number] -= np.rint(before.mean(axis=1, keepdims=True)).astype(np.int64)
    if preparation.n_channels == 1:
        samples = samples[:, 0]
    return np.ascontiguousarray(samples, dtype=input_type)
