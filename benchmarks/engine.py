"""The native engine against other runtimes: the reference networks, all measured in one run.

Freezes MLP 75-10-4-2, CNN (Conv 8x5, pool 2, Conv 8x5, global average, Dense 2), LSTM(16) and GRU(16) with random
weights, times each with ``laboratory``, and prints what was aimed at beside what was measured: the whole chain
from raw int16, preparation in every runtime's graph, each backend at its own best batch size, one thread unless said.

    python benchmarks/engine.py [--seconds 60] [-o bench-output/engine] [--train] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from discrimen.freezing.from_keras import network_of
from discrimen.keras_jax import load_keras
from discrimen.models import build_model
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.made_up import made_up_pulses
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import one_channel
from laboratory import Benchmark, BenchmarkConfig, ModelTimes, run_benchmark, write_benchmark
from laboratory.latency import C_INTERFACE
from laboratory.result import NATIVE, LatencyRow
from laboratory.run import BATCH_SIZES
from laboratory.runtime_backends import ONNXRUNTIME

N_SAMPLES = 75
NETWORKS = ("mlp", "cnn", "lstm", "gru")
OPENVINO = ("openvino (latency)", "openvino (throughput)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One aim and what was measured."""

    what: str
    target: str
    measured: str
    value: float | None
    met: bool | None


def freeze_all(folder: Path) -> list[Path]:
    """Freeze every network with random weights: how good it is does not matter here."""
    session = load_keras("cpu")
    preparation = one_channel(
        sample_period_ns=10.0, polarity=-1, baseline_start=0, baseline_stop=12, window_length=N_SAMPLES
    )
    golden = made_up_pulses(preparation, 64)
    rng = np.random.default_rng(1)
    paths = []
    for name in NETWORKS:
        description = ModelDescription(preparation=preparation, architecture={"name": name, "options": {}})
        with session.on_device():
            model = build_model(session.keras, name, {}, shape=preparation.shape)
            model.set_weights([rng.normal(0, 0.5 if w.ndim > 1 else 0.1, w.shape) for w in model.get_weights()])
            network = network_of(model, description)
        paths.append(folder / f"{name}.discrimen")
        write_frozen(FrozenModel(description, network, golden_vectors(network, description, golden)), paths[-1])
    return paths


def rows(result: Benchmark) -> Iterator[Row]:
    """Give one row for each aim."""
    times = {Path(model.model).stem: model for model in result.models}
    mlp = times["mlp"]
    yield speed_row("MLP in batches, ONNX Runtime / native", mlp, (ONNXRUNTIME,), least=4)
    yield speed_row("MLP in batches, OpenVINO / native", mlp, OPENVINO, least=4)
    yield limit_row(mlp)
    yield from single_pulse_rows(mlp)
    p50 = latency(times["lstm"], NATIVE).p50_ns
    yield Row(what="LSTM(16), one pulse, p50", target="< 6000 ns", measured=f"{p50:.0f} ns", value=p50, met=p50 < 6000)
    yield speed_row("LSTM(16) in batches, ONNX Runtime / native", times["lstm"], (ONNXRUNTIME,), least=3)
    yield speed_row("GRU(16) in batches, ONNX Runtime / native", times["gru"], (ONNXRUNTIME,), least=3)
    yield speed_row("CNN in batches, ONNX Runtime / native", times["cnn"], (ONNXRUNTIME,), least=2)
    for name, model in times.items():
        yield threads_row(name, model, max(limits.threads for limits in result.machine.limits))


def speed_row(what: str, model: ModelTimes, others: tuple[str, ...], *, least: float) -> Row:
    """Compare native with the best of others, each at its own best batch size."""
    native = model.best_of(NATIVE, 1)
    found = [best for name in others if (best := model.best_of(name, 1)) is not None]
    if native is None or not found:
        return Row(what=what, target=f">= {least:g}", measured="absent", value=None, met=None)
    other = min(found, key=lambda row: row.best_ns_per_signal)
    ratio = other.best_ns_per_signal / native.best_ns_per_signal
    at = f"{other.best_ns_per_signal:.1f} / {native.best_ns_per_signal:.1f} ns, batches {other.batch_size} and"
    measured = f"{ratio:.2f} ({at} {native.batch_size})"
    return Row(what=what, target=f">= {least:g}", measured=measured, value=ratio, met=ratio >= least)


def limit_row(model: ModelTimes) -> Row:
    """Give the share of the limit that leaves less room."""
    native = model.best_of(NATIVE, 1)
    assert native is not None
    share = native.share_of_tighter_limit
    measured = (
        f"{share:.2f} ({native.tighter_limit}; peak {native.share_of_peak:.2f}, copy {native.share_of_copy:.2f}, "
        f"from memory {native.share_of_memory_copy:.2f})"
    )
    what = "MLP in batches, share of the tighter limit"
    return Row(what=what, target=">= 0.5", measured=measured, value=share, met=share >= 0.5 if share <= 1 else None)


def single_pulse_rows(model: ModelTimes) -> Iterator[Row]:
    """Give the time of one pulse by the C interface, and that of ONNX Runtime over it."""
    p50 = latency(model, NATIVE).p50_ns
    yield Row(what="MLP, one pulse, C, p50", target="< 250 ns", measured=f"{p50:.0f} ns", value=p50, met=p50 < 250)
    other = next((row for row in model.latencies if row.backend == ONNXRUNTIME), None)
    what = "MLP, one pulse, ONNX Runtime / native"
    if other is None:
        yield Row(what=what, target=">= 30", measured="absent", value=None, met=None)
        return
    ratio = other.p50_ns / p50
    own = other.p50_ns - (other.least_call_p50_ns or 0.0)
    measured = f"{ratio:.1f} ({other.p50_ns:.0f} / {p50:.0f} ns; {own / p50:.1f} without its call from Python)"
    yield Row(what=what, target=">= 30", measured=measured, value=ratio, met=ratio >= 30)


def threads_row(name: str, model: ModelTimes, threads: int) -> Row:
    """Compare all cores with one, each at its best batch size."""
    one, all_cores = model.best_of(NATIVE, 1), model.best_of(NATIVE, threads)
    what, target = f"{name.upper()}, {threads} threads / one", ">= 1.8" if threads == 2 else f">= {0.9 * threads:g}"
    if one is None or all_cores is None or threads == 1:
        return Row(what=what, target=target, measured="one core only", value=None, met=None)
    ratio = one.best_ns_per_signal / all_cores.best_ns_per_signal
    measured = f"{ratio:.2f} ({one.best_ns_per_signal:.1f} / {all_cores.best_ns_per_signal:.1f} ns)"
    return Row(what=what, target=target, measured=measured, value=ratio, met=ratio >= 0.9 * threads)


def latency(model: ModelTimes, backend: str) -> LatencyRow:
    """Return the latency by the C interface."""
    return next(row for row in model.latencies if row.backend == backend and row.via == C_INTERFACE)


def main() -> None:
    """Freeze, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="for the timed calls of each network, about")
    parser.add_argument("--threads", type=int, help="beside one; by default all cores")
    parser.add_argument("--train", action="store_true", help="time training, too")
    parser.add_argument("--batch", default=",".join(map(str, BATCH_SIZES)), help="batch sizes, growing")
    parser.add_argument("-o", "--output", type=Path, help="folder for bench.json and pictures")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    config = BenchmarkConfig(
        threads=arguments.threads,
        seconds=arguments.seconds,
        batch_sizes=tuple(map(int, arguments.batch.split(","))),
        train=arguments.train,
    )
    with tempfile.TemporaryDirectory() as folder:
        paths = freeze_all(Path(folder))
        result = run_benchmark(paths, config, on_step=lambda step: print(step, file=sys.stderr))
    if arguments.output is not None:
        write_benchmark(result, arguments.output)
    table = list(rows(result))
    if arguments.json:
        print(json.dumps({"rows": [asdict(row) for row in table], **result.as_dict()}, indent=1))
        return
    machine = result.machine
    print(f"{machine.cpu}, {machine.n_cores} cores, {machine.instruction_set}, load average {machine.load_average:.1f}")
    for limits in machine.limits:
        peak, copy = limits.peak_multiply_adds_hz / 1e9, limits.copy_bytes_hz / 1e9
        print(f"limits of {limits.threads} thread(s): {peak:.1f} G multiply-adds/s, copy {copy:.1f} GB/s")
    for row in table:
        verdict = {True: "met", False: "NOT MET", None: "-"}[row.met]
        print(f"{row.what:<44}{row.target:>10}  {verdict:<8}{row.measured}")
    for model in result.models:
        for doubt in model.doubts():
            print(f"doubtful: {Path(model.model).stem}, {doubt}")


if __name__ == "__main__":
    main()
