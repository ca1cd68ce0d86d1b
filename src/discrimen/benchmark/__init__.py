"""Time per signal of one model on every backend that is present, beside what the machine can do at most."""

from discrimen.benchmark.result import Benchmark, LeftOut, ModelTimes
from discrimen.benchmark.run import BenchmarkConfig, RawPulses, run_benchmark
from discrimen.benchmark.work import multiply_adds
from discrimen.benchmark.writing import require_different_names, write_benchmark

__all__ = [
    "Benchmark",
    "BenchmarkConfig",
    "LeftOut",
    "ModelTimes",
    "RawPulses",
    "multiply_adds",
    "require_different_names",
    "run_benchmark",
    "write_benchmark",
]
