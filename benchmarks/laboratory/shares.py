"""From times to signals a second, shares of the machine's limits and ratios."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from laboratory.result import NATIVE, BatchRow, BatchTime, Machine

CopyRates = Mapping[tuple[int, int], float]
"""Bytes a second that so many threads copy with buffers as large as a batch of so many signals."""


def rows_of(
    times: Iterable[BatchTime],
    machine: Machine,
    copy_rates: CopyRates,
    *,
    multiply_adds: int,
    bytes_in: int,
    bytes_out: int,
) -> tuple[BatchRow, ...]:
    """Add to each time what follows from it.

    Parameters
    ----------
    times : iterable of BatchTime
        Measured.
    machine : Machine
        With the limits of every number of threads that occurs.
    copy_rates : mapping of (threads, batch size) to float
        Measured in the same run, for every pair that occurs.
    multiply_adds, bytes_in, bytes_out : int
        Of one signal.
    """
    times = tuple(times)
    native = {(time.threads, time.batch_size): time.best_ns_per_signal for time in times if time.backend == NATIVE}
    rows = []
    for time in times:
        limits = machine.limits_of(time.threads)
        here = (time.threads, time.batch_size)
        signals_per_s = 1e9 / time.best_ns_per_signal
        bytes_hz = signals_per_s * (bytes_in + bytes_out)
        share_of_peak = signals_per_s * multiply_adds / limits.peak_multiply_adds_hz
        share_of_copy = bytes_hz / copy_rates[here]
        rows.append(
            BatchRow(
                **asdict(time),
                signals_per_s=signals_per_s,
                gb_per_s=signals_per_s * bytes_in / 1e9,
                share_of_peak=share_of_peak,
                copy_bytes_hz=copy_rates[here],
                share_of_copy=share_of_copy,
                share_of_memory_copy=bytes_hz / limits.copy_bytes_hz,
                tighter_limit="peak" if share_of_peak >= share_of_copy else "copy",
                ratio_to_native=time.best_ns_per_signal / native[here] if here in native else None,
            )
        )
    return tuple(rows)
