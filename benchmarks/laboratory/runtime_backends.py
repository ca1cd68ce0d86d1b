"""ONNX Runtime and OpenVINO for a benchmark, each by its leanest call.

Both get the whole chain from raw samples in one graph, fixed to the size of the batch, input and output buffers that
are made and bound once, and float32. What a call costs without a network is measured by a graph of the same input and
output that does nothing but cut off and convert a few samples.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.inference.onnx_source import OnnxSource, input_type_for
from discrimen.inference.openvino_predictor import SMALLEST_KNOWN_BATCH
from discrimen.network.export.onnx.graph import IR_VERSION, OPSET
from laboratory.backend import Backend, BoundBatch

Hint = Literal["latency", "throughput"]
ONNXRUNTIME = "onnxruntime"
_ERRORS_ONLY = 3

Content = Callable[[np.dtype[Any]], bytes]
"""Gives the serialised graph for raw samples of a type."""


def onnxruntime(source: OnnxSource, *, threads: int, bytes_per_pulse: int) -> Backend:
    """Return ONNX Runtime with bound buffers.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    runtime = require_module("onnxruntime", extra="onnx")
    n_classes = len(source.description.classes)

    def binder(content: Content) -> Callable[[NDArray[Any]], BoundBatch]:
        def bind(samples: NDArray[Any]) -> BoundBatch:
            scores = np.zeros((len(samples), n_classes), np.float32)
            session = runtime.InferenceSession(
                content(samples.dtype), _session_options(runtime, samples, threads), providers=["CPUExecutionProvider"]
            )
            binding = session.io_binding()
            binding.bind_ortvalue_input("samples", runtime.OrtValue.ortvalue_from_numpy(samples))
            binding.bind_ortvalue_output("scores", runtime.OrtValue.ortvalue_from_numpy(scores))
            # The buffers of an OrtValue made from NumPy are NumPy's own: nothing is copied to read the scores.
            return BoundBatch(lambda: session.run_with_iobinding(binding), lambda: scores, samples)

        return bind

    return Backend(
        name=ONNXRUNTIME,
        threads=threads,
        via="Python, run_with_iobinding",
        bind=binder(_content_of(source)),
        least_call=binder(lambda dtype: least_graph(dtype, n_classes)),
        bytes_per_pulse=bytes_per_pulse,
        failures=(Exception,),  # its errors have no common base
    )


def openvino(source: OnnxSource, *, threads: int, hint: Hint, bytes_per_pulse: int) -> Backend:
    """Return OpenVINO with bound buffers; for throughput, every thread gets a request of its own with its share.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    runtime = require_module("openvino", extra="onnx")
    core = runtime.Core()
    n_classes = len(source.description.classes)
    n_requests = threads if hint == "throughput" else 1
    settings: dict[str, str | int] = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": hint.upper(),
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": n_requests,
    }

    def binder(content: Content) -> Callable[[NDArray[Any]], BoundBatch]:
        def bind(samples: NDArray[Any]) -> BoundBatch:
            n_shares = min(n_requests, len(samples))
            model = core.read_model(content(samples.dtype))
            share = len(samples) // n_shares
            # OpenVINO 2026.4 crashes as it compiles some networks for a known small batch.
            known = share if len(samples) % n_shares == 0 and share >= SMALLEST_KNOWN_BATCH else -1
            model.reshape({"samples": [known, samples.shape[1]]})
            compiled = core.compile_model(model, "CPU", settings)
            return _bound_requests(runtime, compiled, samples, n_classes=n_classes, n_shares=n_shares)

        return bind

    return Backend(
        name=f"openvino ({hint})",
        threads=threads,
        via="Python, InferRequest with bound tensors",
        bind=binder(_content_of(source)),
        least_call=binder(lambda dtype: least_graph(dtype, n_classes)),
        bytes_per_pulse=bytes_per_pulse,
        failures=(RuntimeError,),
    )


def least_graph(dtype: np.dtype[Any], n_classes: int) -> bytes:
    """Return a graph with the input and output of a model that only converts the first samples to scores."""
    onnx = require_module("onnx", extra="onnx")
    helper = onnx.helper
    element = helper.np_dtype_to_tensor_dtype(dtype)
    bounds = {"start": [0], "stop": [n_classes], "axis": [1]}
    graph = helper.make_graph(
        [
            helper.make_node("Slice", ["samples", "start", "stop", "axis"], ["first"]),
            helper.make_node("Cast", ["first"], ["scores"], to=onnx.TensorProto.FLOAT),
        ],
        "least",
        [helper.make_tensor_value_info("samples", element, ["pulse", "sample"])],
        [helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, ["pulse", n_classes])],
        [onnx.numpy_helper.from_array(np.array(value, np.int64), name) for name, value in bounds.items()],
    )
    opset = [helper.make_opsetid("", OPSET)]
    content: bytes = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION).SerializeToString()
    return content


def _content_of(source: OnnxSource) -> Content:
    return lambda dtype: source.serialised(input_type_for(dtype))


def _session_options(runtime: Any, samples: NDArray[Any], threads: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Not the axis of the samples: it makes no difference to the time, and ONNX Runtime 1.32 then refuses the graph of
    # an alignment (it takes the length of the record, which has no axes, for a list of one).
    options.add_free_dimension_override_by_name("pulse", len(samples))
    return options


def _bound_requests(runtime: Any, compiled: Any, samples: NDArray[Any], *, n_classes: int, n_shares: int) -> BoundBatch:
    scores = np.zeros((len(samples), n_classes), np.float32)
    bounds = np.linspace(0, len(samples), n_shares + 1, dtype=int)
    requests = []
    for start, stop in pairwise(bounds):
        request = compiled.create_infer_request()
        request.set_input_tensor(runtime.Tensor(samples[start:stop], shared_memory=True))
        request.set_output_tensor(runtime.Tensor(scores[start:stop], shared_memory=True))
        requests.append(request)

    def score_one() -> None:
        requests[0].infer(share_inputs=True, share_outputs=True)

    def score_all() -> None:
        for request in requests:
            request.start_async()
        for request in requests:
            request.wait()

    return BoundBatch(score_one if n_shares == 1 else score_all, lambda: scores, samples)
