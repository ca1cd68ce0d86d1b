from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.inference.onnx_contract import OnnxPredictorContract, frozen_path, samples, written_onnx

from discrimen.errors import DeviceError, MissingExtraError
from discrimen.inference import onnxruntime_predictor
from discrimen.inference.base import Predictor
from discrimen.inference.load import load_model
from discrimen.inference.onnxruntime_predictor import OnnxRuntimePredictor
from discrimen.network.frozen_file import read_frozen

__all__ = ["frozen_path", "samples"]

pytest.importorskip("onnx", reason="NO ONNX: pip install 'discrimen[onnx]'")
runtime = pytest.importorskip("onnxruntime", reason="NO ONNX RUNTIME: pip install 'discrimen[onnx]'")


@pytest.fixture(scope="module")
def predictor(frozen_path: Path) -> Predictor:
    return OnnxRuntimePredictor(frozen_path, threads=1, batch_size=50)


class TestOnnxRuntimePredictor(OnnxPredictorContract):
    kind = OnnxRuntimePredictor

    def test_names_itself(self, predictor: Predictor) -> None:
        assert predictor.backend == "onnxruntime (cpu)"


def test_suffix_says_that_it_is_onnx(frozen_path: Path, tmp_path: Path) -> None:
    model = load_model(written_onnx(read_frozen(frozen_path), tmp_path))
    assert model.predictor.backend == "onnxruntime (cpu)"
    assert model.description == read_frozen(frozen_path).description


def test_a_gpu_that_is_not_there_is_an_error(frozen_path: Path) -> None:
    if "CUDAExecutionProvider" in runtime.get_available_providers():
        pytest.skip("this build of onnxruntime has CUDA")
    with pytest.raises(DeviceError, match="GPU: it lacks CUDAExecutionProvider"):
        OnnxRuntimePredictor(frozen_path, device="gpu")


def test_another_device_than_the_wished_one_is_an_error(frozen_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime that promises CUDA and then computes on the CPU, as it does where the driver does not fit."""

    class FallenBack:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def disable_fallback(self) -> None:
            pass

        def get_providers(self) -> list[str]:
            return ["CPUExecutionProvider"]

    pretended = SimpleNamespace(
        get_available_providers=lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"],
        SessionOptions=runtime.SessionOptions,
        InferenceSession=FallenBack,
    )
    monkeypatch.setattr(onnxruntime_predictor, "require_module", lambda *_, **__: pretended)
    with pytest.raises(DeviceError, match=r"expected ONNX Runtime to compute by CUDA.*got \['CPU"):
        OnnxRuntimePredictor(frozen_path, device="gpu")


def test_missing_package_is_named(frozen_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"onnxruntime.*discrimen\[onnx\]"):
        OnnxRuntimePredictor(frozen_path)
