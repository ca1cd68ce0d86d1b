"""A small frozen network, and a benchmark result that no machine had to measure."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from discrimen.inference.reference_predictor import run_exactly
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import Network, chain
from discrimen.network.layers import Dense, Flatten
from discrimen.network.made_up import made_up_pulses
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import one_channel
from laboratory.result import BatchTime, Benchmark, LatencyRow, Limits, Machine, ModelTimes, TrainingRow
from laboratory.shares import rows_of
from laboratory.timing import Pulses

MACHINE = Machine(
    cpu="a CPU",
    n_cores=2,
    last_cache_bytes=2**25,
    memory_bytes=2**34,
    instruction_set="avx2",
    load_average=0.0,
    limits=(
        Limits(threads=1, peak_multiply_adds_hz=1e11, copy_bytes_hz=1e10, copy_size_bytes=2**30),
        Limits(threads=2, peak_multiply_adds_hz=2e11, copy_bytes_hz=1.5e10, copy_size_bytes=2**30),
    ),
)


@pytest.fixture(scope="module", autouse=True)
def _leave_what_others_made() -> Iterator[None]:
    """Keep what earlier tests made out of the collections of garbage before each timing: each would take a second."""
    gc.freeze()
    yield
    gc.unfreeze()


def dense(rng: np.random.Generator, n_in: int, n_out: int, activation: str = "relu") -> Dense:
    kernel = (rng.standard_normal((n_in, n_out)) / np.sqrt(n_in)).astype(np.float32)
    return Dense(kernel=kernel, bias=np.zeros(n_out, np.float32), activation=activation)  # type: ignore[arg-type]


def reference_network() -> Network:
    rng = np.random.default_rng(1)
    return chain([Flatten(), dense(rng, 75, 10), dense(rng, 10, 4), dense(rng, 4, 2, "linear")])


@pytest.fixture(scope="session")
def frozen() -> FrozenModel:
    preparation = one_channel(sample_period_ns=10, polarity=-1, baseline_start=0, baseline_stop=12, window_length=75)
    description = ModelDescription(preparation=preparation)
    network = reference_network()
    return FrozenModel(
        description, network, golden_vectors(network, description, made_up_pulses(preparation, 64, seed=2))
    )


@pytest.fixture(scope="session")
def frozen_path(frozen: FrozenModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("frozen") / "mlp.discrimen"
    write_frozen(frozen, path)
    return path


@pytest.fixture(scope="session")
def pulses(frozen: FrozenModel) -> Pulses:
    samples = made_up_pulses(frozen.description.preparation, 50, seed=3)[:, 0].astype(np.int16)
    return Pulses(samples, run_exactly(frozen, samples)[0])


@pytest.fixture
def benchmark_result() -> Benchmark:
    times = [
        BatchTime(
            backend=name,
            threads=threads,
            batch_size=size,
            best_ns_per_signal=slowness * (20 / threads + 1000 / size),
            median_ns_per_signal=slowness * (25 / threads + 1100 / size),
            n_rounds=5,
        )
        for name, slowness in (("native", 1.0), ("onnxruntime", 5.0), ("openvino (latency)", 6.0))
        for threads in (1, 2)
        for size in (1, 100, 10_000)
    ]
    rates = {(threads, size): 2e10 * threads for threads in (1, 2) for size in (1, 100, 10_000)}
    rows = rows_of(times, MACHINE, rates, multiply_adds=798, bytes_in=150, bytes_out=8)
    latencies = (
        LatencyRow(backend="native", via="C interface", n_calls=9, p50_ns=200, p99_ns=300, p999_ns=900),
        LatencyRow(
            backend="onnxruntime",
            via="Python",
            n_calls=9,
            p50_ns=9000,
            p99_ns=11000,
            p999_ns=90000,
            least_call_p50_ns=3500,
        ),
    )
    training = tuple(
        TrainingRow(
            backend="keras on jax",
            batch_size=size,
            n_signals=25600,
            best_ns_per_signal=1e5 / size,
            median_ns_per_signal=2e5 / size,
            n_epochs=3,
        )
        for size in (1, 100)
    )
    model = ModelTimes(
        model="somewhere/mlp.discrimen",
        sha256="0" * 64,
        pulses="made up",
        n_samples=75,
        multiply_adds=798,
        bytes_in=150,
        bytes_out=8,
        rows=rows,
        latencies=latencies,
        training=training,
    )
    return Benchmark(machine=MACHINE, models=(model,), config={}, versions={}, date="2026-01-01T00:00:00+00:00")
