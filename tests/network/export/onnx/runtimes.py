"""Both runtimes, bare: an ONNX model and raw samples in, scores out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Run = Callable[[Any, np.ndarray], np.ndarray]


def _by_onnxruntime(model: Any, samples: np.ndarray) -> np.ndarray:
    runtime = pytest.importorskip("onnxruntime", reason="NO ONNX RUNTIME: pip install 'discrimen[onnx]'")
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["scores"], {"samples": samples})[0]


def _by_openvino(model: Any, samples: np.ndarray) -> np.ndarray:
    runtime = pytest.importorskip("openvino", reason="NO OPENVINO: pip install 'discrimen[onnx]'")
    core = runtime.Core()
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = core.compile_model(core.read_model(model.SerializeToString()), "CPU", settings)
    return np.array(compiled([samples])["scores"])


RUNTIMES: dict[str, Run] = {"onnxruntime": _by_onnxruntime, "openvino": _by_openvino}
