"""What is timed, what is named instead, and what is refused; no assertion on time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.scoring.small_model import write_small_model

from discrimen.benchmark import bench
from discrimen.errors import FormatError, MissingExtraError, SettingsError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_model(tmp_path_factory.mktemp("model") / "small.discrimen")


def test_every_backend_that_is_present_has_a_time_at_every_batch_size(model: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("openvino")
    result = bench(model, batch_sizes=(1, 20), seconds=1)
    names = ("native", "reference", "onnxruntime", "openvino")
    assert tuple(result.backends) == names
    assert [(row.backend, row.batch_size) for row in result.times] == [
        (name, size) for size in (1, 20) for name in names
    ]
    for row in result.times:
        assert 0 < row.low_ns_per_signal <= row.median_ns_per_signal <= row.high_ns_per_signal
        assert (row.ratio_to_native == 1) == (row.backend == "native")
    assert not result.left_out


def test_what_is_absent_is_named_and_the_engine_is_timed(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str, *, extra: str) -> None:
        raise MissingExtraError(module, extra)

    for name in ("onnxruntime_predictor", "openvino_predictor"):
        monkeypatch.setattr(f"discrimen.inference.{name}.require_module", missing)
    result = bench(model, batch_sizes=(5,), threads=2, seconds=0.01)
    assert [row.backend for row in result.times] == ["native"]
    reasons = {entry.backend: entry.reason for entry in result.left_out}
    assert "one core" in reasons["reference"]
    assert "pip install 'discrimen[onnx]'" in reasons["onnxruntime"]
    assert "openvino" in reasons["openvino"]


def test_a_call_that_would_take_too_long_is_named(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discrimen.benchmark.run._BACKENDS", ("native", "reference"))
    result = bench(model, batch_sizes=(1, 50_000), seconds=1e-6)
    (entry,) = result.left_out
    assert (entry.backend, entry.batch_size) == ("reference", 50_000)
    assert "give more seconds" in entry.reason


@pytest.mark.parametrize(
    "options",
    [{"batch_sizes": (10, 1)}, {"batch_sizes": ()}, {"batch_sizes": (0, 1)}, {"batch_sizes": (1, 10**12)},
     {"seconds": 0}, {"seconds": float("nan")}, {"threads": 0}],
)  # fmt: skip
def test_options_that_make_no_sense_are_refused(model: Path, options: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        bench(model, **options)


def test_what_is_no_frozen_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.discrimen").write_bytes(b"nothing")
    for path in (tmp_path, tmp_path / "x.onnx", tmp_path / "x.discrimen", tmp_path / "none.discrimen"):
        with pytest.raises(FormatError):
            bench(path)
