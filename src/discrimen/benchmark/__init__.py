"""Time per signal of a frozen model on every backend that is present; ``benchmarks/laboratory`` measures far more."""

from discrimen.benchmark.run import BATCH_SIZES, BatchTime, Bench, LeftOut, bench
from discrimen.benchmark.timing import time_in_turns

__all__ = ["BATCH_SIZES", "BatchTime", "Bench", "LeftOut", "bench", "time_in_turns"]
