"""What follows from times: shares, ratios, the JSON and the pictures."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from discrimen.errors import DataError, SettingsError
from discrimen.network.frozen_file import FrozenModel
from laboratory import Benchmark, BenchmarkConfig, require_different_names, write_benchmark
from laboratory.limits import better_limits
from laboratory.run import N_PULSES, RawPulses, with_scores

PNG = b"\x89PNG"


def test_shares_are_of_the_limits_of_the_same_number_of_threads(benchmark_result: Benchmark) -> None:
    row = benchmark_result.models[0].best_of("native", 2)
    assert row is not None
    assert row.batch_size == 10_000
    assert row.best_ns_per_signal == pytest.approx(10.1)
    assert row.signals_per_s == pytest.approx(1e9 / 10.1)
    assert row.gb_per_s == pytest.approx(150 / 10.1)
    assert row.share_of_peak == pytest.approx(798 / 10.1e-9 / 2e11)
    assert row.share_of_copy == pytest.approx(158 / 10.1e-9 / 4e10)
    assert row.share_of_memory_copy == pytest.approx(158 / 10.1e-9 / 1.5e10)
    assert row.tighter_limit == "peak"
    assert row.share_of_tighter_limit == row.share_of_peak


def test_ratios_are_to_the_native_engine_at_the_same_place(benchmark_result: Benchmark) -> None:
    for row in benchmark_result.models[0].rows:
        slowness = {"native": 1, "onnxruntime": 5, "openvino (latency)": 6}[row.backend]
        assert row.ratio_to_native == pytest.approx(slowness)


def test_a_share_above_one_is_doubted(benchmark_result: Benchmark) -> None:
    model = benchmark_result.models[0]
    assert not model.doubts()
    too_fast = dataclasses.replace(model.rows[0], share_of_peak=1.2)
    (doubt,) = dataclasses.replace(model, rows=(too_fast, *model.rows[1:])).doubts()
    assert "1.20 of the peak limit" in doubt
    assert "native, 1 thread" in doubt


def test_the_better_of_two_measurements_of_a_limit_counts(benchmark_result: Benchmark) -> None:
    machine = benchmark_result.machine
    first = machine.limits[0]
    other = dataclasses.replace(first, peak_multiply_adds_hz=3e11, copy_bytes_hz=1e9)
    joined = better_limits(machine, dataclasses.replace(machine, limits=(other, machine.limits[1])))
    assert joined.limits_of(1).peak_multiply_adds_hz == 3e11
    assert joined.limits_of(1).copy_bytes_hz == first.copy_bytes_hz


def test_the_files_hold_everything(benchmark_result: Benchmark, tmp_path: Path) -> None:
    written = write_benchmark(benchmark_result, tmp_path / "new")
    assert [path.name for path in written] == [
        "bench.json",
        "mlp-batches.png",
        "mlp-latency.png",
        "mlp-training.png",
    ]
    assert all(path.read_bytes().startswith(PNG) for path in written[1:])
    content = json.loads(written[0].read_text())
    assert content["discrimen_benchmark"] == 1
    assert set(content["machine"]["limits"][0]) == {
        "threads",
        "peak_multiply_adds_hz",
        "copy_bytes_hz",
        "copy_size_bytes",
    }
    (model,) = content["models"]
    assert len(model["rows"]) == 18
    assert {"best_ns_per_signal", "signals_per_s", "gb_per_s", "share_of_peak", "share_of_copy"} <= set(
        model["rows"][0]
    )
    ratios = {(row["backend"], row["threads"]): row["ratio_of_best_to_native"] for row in model["best"]}
    assert ratios["onnxruntime", 1] == pytest.approx(5)
    assert {"p50_ns", "p99_ns", "p999_ns", "least_call_p50_ns"} <= set(model["latencies"][0])


def test_models_of_one_name_are_refused() -> None:
    with pytest.raises(SettingsError, match="mlp more than once"):
        require_different_names([Path("a/mlp.discrimen"), Path("b/mlp.discrimen")])


@pytest.mark.parametrize(
    "options", [{"batch_sizes": (10, 1)}, {"batch_sizes": ()}, {"batch_sizes": (0,)}, {"seconds": 0}, {"threads": 0}]
)
def test_settings_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        BenchmarkConfig(**options)  # type: ignore[arg-type]


def test_real_pulses_are_taken_as_they_are_digitised(frozen: FrozenModel) -> None:
    samples = frozen.golden.samples
    known = with_scores(frozen, RawPulses(samples=samples, source="here"))
    assert known.samples.dtype == "int16"
    high = with_scores(frozen, RawPulses(samples=samples + 30_000, source="here"))
    assert high.samples.dtype == "uint16"
    assert len(known.samples) <= N_PULSES
    for wrong in (samples + 100_000, samples[:0]):
        with pytest.raises(DataError, match="here"):
            with_scores(frozen, RawPulses(samples=wrong, source="here"))
