"""Models computed by OpenVINO."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError, require_module
from discrimen.inference import onnx_source
from discrimen.inference.onnx_source import Compute
from discrimen.network.export.onnx import InputType
from discrimen.network.model_spec import ModelSpec

Hint = Literal["latency", "throughput"]


class OpenVinoPredictor:
    """A model computed by OpenVINO on the CPU, behind the :class:`~discrimen.inference.base.Predictor` protocol.

    It computes in float32: on some CPUs OpenVINO would choose bfloat16 by itself. Memory does not grow with the number
    of pulses, but for the scores. The model is compiled for each type of samples (int16, uint16, anything else) when it
    first comes; not safe for several threads at a time.

    Parameters
    ----------
    path : Path
        A ``*.discrimen`` file, or a ``*.onnx`` that was made from one.
    threads : int, optional
        Number of threads; by default all cores.
    batch_size : int
        Pulses computed at once.
    hint : {"latency", "throughput"}
        What OpenVINO shall be quick at.

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
        batch_size: int = onnx_source.DEFAULT_BATCH,
        hint: Hint = "latency",
    ) -> None:
        self._batch_size = onnx_source.require_batch_size(batch_size)
        self._settings: dict[str, str | int] = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": hint.upper(),
            "INFERENCE_NUM_THREADS": onnx_source.require_threads(threads),
        }
        self._runtime = require_module("openvino", extra="onnx")
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
        return "openvino (cpu)"

    def predict(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Score raw waveforms; see :meth:`discrimen.inference.base.Predictor.predict`."""
        return onnx_source.score_in_batches(samples, self.spec, batch_size=self._batch_size, compute=self._computed_by)

    def _computed_by(self, input_type: InputType) -> Compute:
        if input_type not in self._compute:
            self._compute[input_type] = self._compiled(self._source.serialised(input_type))
        return self._compute[input_type]

    def _compiled(self, model: bytes) -> Compute:
        any_number = self._request(model, shape=None)
        if self._has_strided_convolution(model):
            return any_number
        whole: dict[tuple[int, ...], Compute] = {}

        def compute(samples: NDArray[Any]) -> NDArray[np.float32]:
            if len(samples) != self._batch_size:
                return any_number(samples)
            # OpenVINO is quicker where it knows all shapes, so whole batches get a program of their own.
            if samples.shape not in whole:
                whole.clear()
                whole[samples.shape] = self._request(model, shape=samples.shape)
            return whole[samples.shape](samples)

        return compute

    def _has_strided_convolution(self, model: bytes) -> bool:
        """Say whether OpenVINO must not know the batch: 2026.4 crashes as it compiles such a network for few pulses."""
        operations = self._runtime.Core().read_model(model).get_ops()
        strides = [one.get_attributes()["strides"] for one in operations if one.get_type_name() == "Convolution"]
        return any(max(each) > 1 for each in strides)

    def _request(self, model: bytes, *, shape: tuple[int, ...] | None) -> Compute:
        core = self._runtime.Core()
        try:
            network = core.read_model(model)
            if shape is not None:
                network.reshape(list(shape))
            request = core.compile_model(network, "CPU", self._settings).create_infer_request()
        except RuntimeError as error:
            problem = f"OpenVINO cannot load the model: {' '.join(str(error).split())}"
            raise FormatError(problem, self._source.path) from error

        def compute(samples: NDArray[Any]) -> NDArray[np.float32]:
            # The samples are not copied; the scores are read before the request is used again.
            scores: NDArray[np.float32] = request.infer([samples], share_inputs=True, share_outputs=True)["scores"]
            return scores

        return compute
