"""Frozen models on every backend, beside what the machine can do at most: batches, single pulses, training.

More than ``discrimen bench`` tells: limits of the machine and each backend's share of them, percentiles of single calls
and what the call alone costs, one thread and all cores, Keras, the lesser instruction sets.

    python benchmarks/frozen_models.py X.discrimen ... -o FOLDER [--keras FOLDER] [--train] [--seconds 60] [--json]
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from discrimen.errors import DiscrimenError
from laboratory import BenchmarkConfig, ModelTimes, require_different_names, run_benchmark, write_benchmark
from laboratory.result import NATIVE, BatchRow, Benchmark, LeftOut
from laboratory.run import BATCH_SIZES


def batch_sizes(text: str) -> tuple[int, ...]:
    """Read numbers with commas between them."""
    return tuple(map(int, text.split(",")))


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("models", type=Path, nargs="+", help="frozen models (.discrimen)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for bench.json and pictures")
    parser.add_argument("--keras", type=Path, help="folder that the one model was frozen from: Keras is timed, too")
    parser.add_argument("--train", action="store_true", help="time training against batch size, too")
    parser.add_argument("--threads", type=int, help="beside one; by default all cores")
    parser.add_argument("--seconds", type=float, default=60, help="for the timed calls of a model, about")
    parser.add_argument("--batch", type=batch_sizes, default=BATCH_SIZES, help="batch sizes, growing: 1,100,10000")
    parser.add_argument("--all-instruction-sets", action="store_true", help="the engine with the lesser ones, too")
    parser.add_argument("--seed", type=int, default=0, help="for made-up pulses")
    parser.add_argument("--json", action="store_true")
    found = parser.parse_args(arguments)
    if found.keras is not None and len(found.models) > 1:
        parser.error("expected one model with --keras, for its folder belongs to one")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write, print."""
    wished = parsed(arguments)
    try:
        require_different_names(wished.models)
        config = BenchmarkConfig(
            threads=wished.threads,
            seconds=wished.seconds,
            batch_sizes=wished.batch,
            keras=wished.keras,
            train=wished.train,
            all_instruction_sets=wished.all_instruction_sets,
            seed=wished.seed,
        )
        result = run_benchmark(wished.models, config, on_step=lambda step: print(step, file=sys.stderr))
        written = write_benchmark(result, wished.output)
    except DiscrimenError as error:
        raise SystemExit(str(error)) from error
    if wished.json:
        print(json.dumps({**result.as_dict(), "files": [str(path) for path in written]}, indent=1))
    else:
        print_tables(result, written)


def print_tables(result: Benchmark, written: tuple[Path, ...]) -> None:
    """Print what was found, for people."""
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    machine = result.machine
    console.print(f"{machine.cpu}, {machine.n_cores} cores, {machine.instruction_set}", markup=False)
    for limits in machine.limits:
        console.print(
            f"limits of {_threads(limits.threads)}: {limits.peak_multiply_adds_hz / 1e9:.1f} G multiply-adds/s, "
            f"copy {limits.copy_bytes_hz / 1e9:.1f} GB/s",
            markup=False,
        )
    for times in result.models:
        console.print(
            f"\n{times.model}: {times.n_samples} samples, {times.multiply_adds} multiply-adds, pulses {times.pulses}",
            markup=False,
        )
        console.print(_best_table(times))
        console.print(_latency_table(times))
        if times.training:
            console.print(_training_table(times))
        for line in (*_left_out_lines(times.left_out), *(f"doubtful: {doubt}" for doubt in times.doubts())):
            console.print(line, markup=False)
    console.print(f"\nall times and pictures in {written[0].parent}", markup=False)


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", no_wrap=True)
    return table


def _best_table(times: ModelTimes) -> Table:
    table = _table("best batch of", "threads", "batch", "ns/signal", "Msig/s", "GB/s", "peak", "copy", "x native")
    for row in times.best():
        table.add_row(
            row.backend,
            str(row.threads),
            str(row.batch_size),
            f"{row.best_ns_per_signal:.1f}",
            f"{row.signals_per_s / 1e6:.2f}",
            f"{row.gb_per_s:.2f}",
            f"{row.share_of_peak:.0%}",
            f"{row.share_of_copy:.0%}",
            _ratio(row, times.best_of(NATIVE, row.threads)),
        )
    return table


def _latency_table(times: ModelTimes) -> Table:
    table = _table("one pulse by", "from", "p50/ns", "p99/ns", "p99.9/ns", "empty call/ns")
    for row in times.latencies:
        least = row.least_call_p50_ns
        table.add_row(
            row.backend,
            "C++" if row.via.startswith("C ") else "Python",
            f"{row.p50_ns:.0f}",
            f"{row.p99_ns:.0f}",
            f"{row.p999_ns:.0f}",
            "-" if least is None else f"{least:.0f}",
        )
    return table


def _training_table(times: ModelTimes) -> Table:
    table = _table("training by", "batch", "ns/signal", "signals/s")
    for row in times.training:
        speed = f"{1e9 / row.best_ns_per_signal:,.0f}"
        table.add_row(row.backend, str(row.batch_size), f"{row.best_ns_per_signal:.0f}", speed)
    return table


def _left_out_lines(entries: tuple[LeftOut, ...]) -> list[str]:
    """Say once for each backend what was left out, from which batch size on."""
    lines = []
    for (name, threads), group in itertools.groupby(
        sorted(entries, key=lambda entry: (entry.backend, entry.threads or 0, entry.batch_size or 0)),
        key=lambda entry: (entry.backend, entry.threads),
    ):
        first = next(group)
        where = "" if threads is None else f", {_threads(threads)}"
        since = "" if first.batch_size is None else f" from batch {first.batch_size} on"
        lines.append(f"not timed: {name}{where}{since}: {first.reason}")
    return lines


def _ratio(row: BatchRow, native: BatchRow | None) -> str:
    return "-" if native is None else f"{row.best_ns_per_signal / native.best_ns_per_signal:.2f}"


def _threads(number: int) -> str:
    return "one thread" if number == 1 else f"{number} threads"


if __name__ == "__main__":
    main()
