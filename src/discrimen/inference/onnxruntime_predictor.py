"""Models computed by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DeviceError, FormatError, require_module
from discrimen.inference import onnx_source
from discrimen.inference.onnx_source import Compute
from discrimen.keras_jax import Device
from discrimen.network.export.onnx import InputType
from discrimen.network.model_spec import ModelSpec

_PROVIDERS = {"cpu": "CPUExecutionProvider", "gpu": "CUDAExecutionProvider"}
_ERRORS_ONLY = 3


class OnnxRuntimePredictor:
    """A model computed by ONNX Runtime, behind the :class:`~discrimen.inference.base.Predictor` protocol.

    Memory does not grow with the number of pulses, but for the scores. A session is made for each type of samples
    (int16, uint16, anything else) when it first comes.

    Parameters
    ----------
    path : Path
        A ``*.discrimen`` file, or a ``*.onnx`` that was made from one.
    device : {"cpu", "gpu"}
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
        self,
        path: Path | str,
        *,
        device: Device = "cpu",
        threads: int | None = None,
        batch_size: int = onnx_source.DEFAULT_BATCH,
    ) -> None:
        self._batch_size = onnx_source.require_batch_size(batch_size)
        self._threads = onnx_source.require_threads(threads)
        self._runtime = require_module("onnxruntime", extra="onnx")
        self._provider = _PROVIDERS[device]
        if self._provider not in self._runtime.get_available_providers():
            raise DeviceError(
                f"this build of onnxruntime cannot compute on a {device.upper()}: it lacks {self._provider}"
            )
        self._device = device
        self._source = onnx_source.read_onnx_source(path)
        self._compute: dict[InputType, Compute] = {}
        self._computed_by("int16")
        onnx_source.require_golden(self, self._source)

    @property
    def spec(self) -> ModelSpec:
        """What the model is: preparation, classes, provenance."""
        return self._source.spec

    @property
    def backend(self) -> str:
        """What computes the scores."""
        return f"onnxruntime ({self._device})"

    def predict(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Score raw waveforms; see :meth:`discrimen.inference.base.Predictor.predict`."""
        return onnx_source.score_in_batches(samples, self.spec, batch_size=self._batch_size, compute=self._computed_by)

    def _computed_by(self, input_type: InputType) -> Compute:
        if input_type not in self._compute:
            self._compute[input_type] = self._session(self._source.serialised(input_type, runtime="onnxruntime"))
        return self._compute[input_type]

    def _session(self, model: bytes) -> Compute:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        try:
            session = self._runtime.InferenceSession(model, options, providers=[self._provider])
            session.disable_fallback()
        except Exception as error:  # its errors have no common base
            problem = f"ONNX Runtime cannot load the model: {' '.join(str(error).split())}"
            raise FormatError(problem, self._source.path) from error
        if session.get_providers()[0] != self._provider:
            raise DeviceError(f"expected ONNX Runtime to compute by {self._provider}, got {session.get_providers()}")

        def compute(samples: NDArray[Any]) -> NDArray[np.float32]:
            scores: NDArray[np.float32] = session.run(["scores"], {"samples": samples})[0]
            return scores

        return compute
