"""``discrimen bench``: time per signal of frozen models on every backend."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from discrimen.benchmark import BenchmarkConfig, ModelTimes, RawPulses, require_different_names, run_benchmark
from discrimen.benchmark.result import BatchRow, Benchmark, LeftOut
from discrimen.benchmark.run import BATCH_SIZES, N_PULSES
from discrimen.benchmark.writing import write_benchmark
from discrimen.cli import common
from discrimen.cli.input_options import InputOptions, with_input_options
from discrimen.errors import DataError, SettingsError
from discrimen.inference.compatible import require_compatible
from discrimen.network.frozen_file import read_frozen
from discrimen.pulses import concatenate


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(bench))


def bench(
    models: Annotated[list[Path], typer.Argument(help="Frozen models (.discrimen).", show_default=False)],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for bench.json and pictures.", show_default=False)
    ],
    keras: Annotated[
        Path | None, typer.Option(help="Folder that the one model was frozen from: Keras is timed, too.")
    ] = None,
    train: Annotated[bool, typer.Option("--train", help="Time training against batch size, too.")] = False,
    threads: Annotated[
        int | None, typer.Option(help="Beside one thread; by default all cores of this process.", min=1)
    ] = None,
    seconds: Annotated[float, typer.Option(help="For the timed calls of a model, about; more means less noise.")] = 60,
    batch: Annotated[str, typer.Option(metavar="N,N,...", help="Batch sizes, growing.")] = ",".join(
        map(str, BATCH_SIZES)
    ),
    all_instruction_sets: Annotated[
        bool, typer.Option("--all-instruction-sets", help="Time the native engine with the lesser ones, too.")
    ] = False,
    input_file: Annotated[
        Path | None, typer.Option("--input", help="Run file with real pulses; by default they are made up.")
    ] = None,
    seed: Annotated[int, typer.Option(help="For made-up pulses.", min=0)] = 0,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Time models on every backend, from raw samples to scores, beside what the machine can do at most."""
    require_different_names(models)
    if keras is not None and len(models) > 1:
        raise typer.BadParameter("expected one model with --keras, for its folder belongs to one")
    config = _config(
        threads=threads,
        seconds=seconds,
        batch_sizes=_batch_sizes(batch),
        keras=keras,
        train=train,
        all_instruction_sets=all_instruction_sets,
        seed=seed,
    )
    pulses = None if input_file is None else _pulses_of(input_file, inputs, models)
    with common.progress("measuring", total=None) as tick:
        result = run_benchmark(models, config, pulses=pulses, on_step=lambda step: tick(1, note=step))
    written = write_benchmark(result, output)
    if json:
        common.emit_json({**result.as_dict(), "files": [str(path) for path in written]})
    else:
        _print(result, written)


def _config(**values: Any) -> BenchmarkConfig:
    try:
        return BenchmarkConfig(**values)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error


def _batch_sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"expected batch sizes such as 1,100,10000, got '{text}'") from error


def _pulses_of(path: Path, inputs: InputOptions, models: list[Path]) -> RawPulses:
    """Read the first pulses of a file, and refuse them where a model was not trained for such."""
    reader = inputs.open(path)
    parts, n_pulses = [], 0
    for chunk in reader.chunks():
        parts.append(chunk)
        n_pulses += len(chunk)
        if n_pulses >= N_PULSES:
            break
    if not parts:
        raise DataError(f"{path}: no pulses to score")
    pulses = concatenate(parts)[:N_PULSES]
    for model in models:
        require_compatible(read_frozen(model).spec, pulses, reader.info.settings, where=f"{path}, for {model}")
    return RawPulses(samples=pulses.samples, source=str(path))


def _print(result: Benchmark, written: tuple[Path, ...]) -> None:
    console = common.stdout_console()
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
            _ratio(row, times.best_of("native", row.threads)),
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
