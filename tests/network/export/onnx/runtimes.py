"""Both runtimes, bare: an ONNX model and raw samples in, what its graph gives out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Run = Callable[..., list[np.ndarray]]


def _inputs(samples: np.ndarray, present: np.ndarray | None) -> dict[str, np.ndarray]:
    """Samples of (pulse, channel, sample); a graph of one channel takes them without that axis."""
    samples = samples[:, 0] if samples.ndim == 3 and samples.shape[1] == 1 else samples
    return {"samples": samples} if present is None else {"samples": samples, "present": present}


def _by_onnxruntime(model: Any, samples: np.ndarray, present: np.ndarray | None = None) -> list[np.ndarray]:
    runtime = pytest.importorskip("onnxruntime", reason="NO ONNX RUNTIME: pip install 'discrimen[onnx]'")
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, _inputs(samples, present))


def _by_openvino(model: Any, samples: np.ndarray, present: np.ndarray | None = None) -> list[np.ndarray]:
    runtime = pytest.importorskip("openvino", reason="NO OPENVINO: pip install 'discrimen[onnx]'")
    core = runtime.Core()
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = core.compile_model(core.read_model(model.SerializeToString()), "CPU", settings)
    given = compiled(_inputs(samples, present))
    return [np.array(given[output.name]) for output in model.graph.output]


RUNTIMES: dict[str, Run] = {"onnxruntime": _by_onnxruntime, "openvino": _by_openvino}
