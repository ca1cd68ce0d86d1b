from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from tests.inference.onnx_contract import OnnxPredictorContract, frozen_path, samples, write_model
from tests.network.networks import NETWORKS

from discrimen.errors import MissingExtraError
from discrimen.inference.base import Predictor
from discrimen.inference.openvino_predictor import OpenVinoPredictor
from discrimen.inference.reference_predictor import ReferencePredictor

__all__ = ["frozen_path", "samples"]

pytest.importorskip("onnx", reason="NO ONNX: pip install 'discrimen[onnx]'")
pytest.importorskip("openvino", reason="NO OPENVINO: pip install 'discrimen[onnx]'")


@pytest.fixture(scope="module")
def predictor(frozen_path: Path) -> Predictor:
    return OpenVinoPredictor(frozen_path, threads=1, batch_size=50)


class TestOpenVinoPredictor(OnnxPredictorContract):
    kind = OpenVinoPredictor

    def test_names_itself(self, predictor: Predictor) -> None:
        assert predictor.backend == "openvino (cpu)"

    def test_hint_for_throughput_gives_the_same_scores(self, frozen_path: Path, samples: NDArray[Any]) -> None:
        other = OpenVinoPredictor(frozen_path, hint="throughput")
        assert_allclose(other.predict(samples), ReferencePredictor(frozen_path).predict(samples), atol=1e-5)

    def test_dense_layers_are_computed_pulse_by_pulse(self, tmp_path: Path) -> None:
        """OpenVINO 2026.4 ends the process as it compiles them for a batch of one and one thread."""
        model = write_model(tmp_path / "m.discrimen", NETWORKS["dense"]())
        (values,) = OpenVinoPredictor(tmp_path / "m.discrimen", threads=1, batch_size=1).run(model.golden.samples)
        assert_allclose(values, model.golden.values[0], atol=1e-4)


def test_missing_package_is_named(frozen_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match=r"openvino.*discrimen\[onnx\]"):
        OpenVinoPredictor(frozen_path)
