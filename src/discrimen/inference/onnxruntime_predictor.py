"""Models computed by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DeviceError, FormatError, require_module
from discrimen.inference.onnx_predictor import DEFAULT_BATCH, Compute, OnnxPredictor, require_threads
from discrimen.keras_jax import Device, gpu_number

_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_ERRORS_ONLY = 3


class OnnxRuntimePredictor(OnnxPredictor):
    """A model computed by ONNX Runtime; see :class:`~discrimen.inference.onnx_predictor.OnnxPredictor`.

    Parameters
    ----------
    path : Path
        A ``*.discrimen`` file, or a ``*.onnx`` that was made from one.
    device : str
        What computes; the GPU needs a build of ONNX Runtime for CUDA.
    threads : int, optional
        Number of threads; by default all cores.
    batch_size : int
        Pulses computed at once.

    Raises
    ------
    FormatError
        If the file is no such model, or does not reproduce its golden vectors.
    DeviceError
        If the device is not there.
    MissingExtraError
        If ``onnx`` or ``onnxruntime`` is not installed.
    """

    def __init__(
        self, path: Path | str, *, device: Device = "cpu", threads: int | None = None, batch_size: int = DEFAULT_BATCH
    ) -> None:
        self._threads = require_threads(threads)
        self._runtime = require_module("onnxruntime", extra="onnx")
        self._gpu = gpu_number(device)
        self._provider = _CPU if self._gpu is None else _CUDA
        if self._provider not in self._runtime.get_available_providers():
            place = "CPU" if self._gpu is None else "GPU"
            raise DeviceError(f"this build of onnxruntime cannot compute on a {place}: it lacks {self._provider}")
        super().__init__(path, batch_size=batch_size)

    @property
    def backend(self) -> str:
        """What computes."""
        return "onnxruntime (cpu)" if self._gpu is None else f"onnxruntime (cuda:{self._gpu})"

    def _compiled(self, model: bytes, outputs: list[str]) -> Compute:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        try:
            of_provider = {} if self._gpu is None else {"device_id": str(self._gpu)}
            session = self._runtime.InferenceSession(model, options, providers=[(self._provider, of_provider)])
            session.disable_fallback()
        except Exception as error:  # its errors have no common base
            problem = f"ONNX Runtime cannot load the model: {' '.join(str(error).split())}"
            raise FormatError(problem, self._source.path) from error
        if session.get_providers()[0] != self._provider:
            raise DeviceError(f"expected ONNX Runtime to compute by {self._provider}, got {session.get_providers()}")

        def compute(inputs: dict[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
            given: list[NDArray[np.float32]] = session.run(outputs, inputs)
            return given

        return compute
