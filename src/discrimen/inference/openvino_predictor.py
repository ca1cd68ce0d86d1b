"""Models computed by OpenVINO."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError, require_module
from discrimen.inference.onnx_predictor import DEFAULT_BATCH, Compute, OnnxPredictor, require_threads

Hint = Literal["latency", "throughput"]

SMALLEST_KNOWN_BATCH = 64
"""Below it OpenVINO must not know the batch: 2026.4 crashes as it compiles some dense layers for up to 8 pulses."""


class OpenVinoPredictor(OnnxPredictor):
    """A model computed by OpenVINO on the CPU; see :class:`~discrimen.inference.onnx_predictor.OnnxPredictor`.

    It computes in float32: on some CPUs OpenVINO would choose bfloat16 by itself. Not safe for several threads at a
    time.

    Parameters
    ----------
    path : Path
        A ``*.discrimen`` file, or a ``*.onnx`` that was made from one.
    threads : int, optional
        Number of threads; by default all cores.
    batch_size : int
        Pulses computed at once.
    hint : {"latency", "throughput"}
        What OpenVINO should be quick at.

    Raises
    ------
    FormatError
        If the file is no such model, or does not reproduce its golden vectors.
    MissingExtraError
        If ``onnx`` or ``openvino`` is not installed.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        threads: int | None = None,
        batch_size: int = DEFAULT_BATCH,
        hint: Hint = "latency",
    ) -> None:
        self._settings: dict[str, str | int] = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": hint.upper(),
            "INFERENCE_NUM_THREADS": require_threads(threads),
        }
        self._runtime = require_module("openvino", extra="onnx")
        super().__init__(path, batch_size=batch_size)

    @property
    def backend(self) -> str:
        """What computes."""
        return "openvino (cpu)"

    def _compiled(self, model: bytes, outputs: list[str]) -> Compute:
        any_number = self._request(model, outputs, shapes=None)
        if self._batch_size < SMALLEST_KNOWN_BATCH or self._has_strided_convolution(model):
            return any_number
        whole: dict[tuple[int, ...], Compute] = {}

        def compute(inputs: dict[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
            shape = inputs["samples"].shape
            if shape[0] != self._batch_size:
                return any_number(inputs)
            # OpenVINO is quicker where it knows all shapes, so whole batches get a program of their own.
            if shape not in whole:
                whole.clear()
                shapes = {name: list(each.shape) for name, each in inputs.items()}
                whole[shape] = self._request(model, outputs, shapes=shapes)
            return whole[shape](inputs)

        return compute

    def _has_strided_convolution(self, model: bytes) -> bool:
        """Say whether OpenVINO must not know the batch: 2026.4 crashes as it compiles such a network for few pulses."""
        operations = self._runtime.Core().read_model(model).get_ops()
        strides = [one.get_attributes()["strides"] for one in operations if "Convolution" in one.get_type_name()]
        return any(max(each) > 1 for each in strides)

    def _request(self, model: bytes, outputs: list[str], *, shapes: dict[str, list[int]] | None) -> Compute:
        core = self._runtime.Core()
        try:
            network = core.read_model(model)
            if shapes is not None:
                network.reshape(shapes)
            request = core.compile_model(network, "CPU", self._settings).create_infer_request()
        except RuntimeError as error:
            problem = f"OpenVINO cannot load the model: {' '.join(str(error).split())}"
            raise FormatError(problem, self._source.path) from error

        def compute(inputs: dict[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
            # The samples are not copied; the outputs are read before the request is used again.
            given = request.infer(inputs, share_inputs=True, share_outputs=True)
            return [given[name] for name in outputs]

        return compute
