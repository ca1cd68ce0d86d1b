"""``discrimen bench``: time per signal of a frozen model on every backend that is present."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discrimen.benchmark import BATCH_SIZES, Bench
from discrimen.benchmark import bench as bench_model
from discrimen.cli import common
from discrimen.errors import require_module
from discrimen.output.files import complete_or_absent, refuse_inputs
from discrimen.output.numbers import plain_digits


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(bench)


def bench(
    model: Annotated[Path, typer.Argument(help="Frozen model (.discrimen).", show_default=False)],
    batch: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,...",
            help=f"Batch sizes, growing; by default those of {','.join(map(str, BATCH_SIZES))} that fit 256 MB.",
            show_default=False,
        ),
    ] = None,
    threads: Annotated[int, typer.Option(help="How many compute at once.", min=1)] = 1,
    device: common.BenchDeviceOption = "cpu",
    seconds: Annotated[float, typer.Option(help="For the timed calls, about; more means less noise.")] = 20.0,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="PNG", callback=common.png_only, help="Draw time against batch size.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the made-up pulses.", min=0)] = 0,
    json: common.JsonOption = False,
) -> None:
    """Time a model from raw samples to scores against batch size, on every backend that is present.

    Models of many channels are given in hits.
    """
    sizes = None if batch is None else _batch_sizes(batch)
    if plot is not None:
        refuse_inputs(plot, [model])
        require_module("matplotlib", extra="analysis")  # before anything is measured
    with common.progress("measuring", total=None if sizes is None else len(sizes)) as tick:
        result = bench_model(
            model,
            batch_sizes=sizes,
            threads=threads,
            device=device,
            seconds=seconds,
            seed=seed,
            on_step=lambda step: tick(1, note=step),
        )
    if plot is not None:
        _draw(result, plot)
    if json:
        common.emit_json({**result.as_dict(), "plot": None if plot is None else str(plot)})
    else:
        _print(result)


def _batch_sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"expected batch sizes such as 1,100,10000, got '{text[:80]}'") from error


def _draw(result: Bench, path: Path) -> None:
    from discrimen.benchmark.picture import draw_bench

    with complete_or_absent(path) as part:
        draw_bench(result, part)


def time_table(result: Bench) -> list[str]:
    """Return one line a batch size and backend, and what computes behind each name."""
    ns, unit = (1000.0, "us/hit") if result.of_hits else (1.0, "ns/signal")
    head = ("batch", "backend", unit, "quartiles", "x native")
    rows: list[tuple[str, ...]] = [(*head, "hits/s") if result.of_hits else head]
    for row in result.times:
        low, median, high = (
            plain_digits(value / ns, 3)
            for value in (row.low_ns_per_signal, row.median_ns_per_signal, row.high_ns_per_signal)
        )
        told = (str(row.batch_size), row.backend, median, f"{low}-{high}", f"{row.ratio_to_native:.2f}")
        rows.append((*told, plain_digits(row.signals_per_s, 3)) if result.of_hits else told)
    lines = common.aligned(rows)
    return [*lines, *(f"{name}: {computed_by}" for name, computed_by in result.backends.items() if name != computed_by)]


def _print(result: Bench) -> None:
    console = common.stdout_console()
    for line in (f"{result.n_cores} cores, load average {result.load_average:.1f} before", *time_table(result)):
        console.print(line, markup=False, soft_wrap=True)
    for entry in result.left_out:
        where = "" if entry.batch_size is None else f" at batch {entry.batch_size}"
        console.print(f"not timed: {entry.backend}{where}: {entry.reason}", markup=False, soft_wrap=True)
