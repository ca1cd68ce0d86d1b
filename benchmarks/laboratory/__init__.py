"""Time per signal of one model on every backend that is present, beside what the machine can do at most."""

from laboratory.result import Benchmark, LeftOut, ModelTimes
from laboratory.run import BenchmarkConfig, RawPulses, run_benchmark
from laboratory.work import multiply_adds
from laboratory.writing import require_different_names, write_benchmark

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
