"""Time per signal of a frozen model on every backend that is present; ``benchmarks/laboratory`` measures far more."""

from discrimen.benchmark.made_up import made_up_pulses
from discrimen.benchmark.run import BATCH_SIZES, BatchTime, Bench, LeftOut, bench
from discrimen.benchmark.timing import time_in_turns

__all__ = ["BATCH_SIZES", "BatchTime", "Bench", "LeftOut", "bench", "made_up_pulses", "time_in_turns"]
