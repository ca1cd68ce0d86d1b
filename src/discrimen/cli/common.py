"""What the subcommands share: options, progress on standard error, results on standard output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from discrimen.formats.base import Reader, ReadReport

ModelArgument = Annotated[
    Path,
    typer.Argument(help="Folder of a trained model, a .keras in it, or a frozen .discrimen.", show_default=False),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the result as one JSON object on standard output, and nothing else there.")
]


class Device(StrEnum):
    """What computes."""

    CPU = "cpu"
    GPU = "gpu"


def stderr_console() -> Console:
    """Return the console for progress and log lines."""
    return Console(stderr=True, soft_wrap=True, highlight=False)


def log(line: str) -> None:
    """Print one plain line to standard error."""
    stderr_console().print(line, markup=False)


def emit_json(result: Mapping[str, Any]) -> None:
    """Print a result as one JSON object; numbers that are not finite become null."""
    print(json.dumps(_finite(result), indent=2, allow_nan=False))


def stdout_console() -> Console:
    """Return the console for results; lines are not cut where the output is a file or a pipe."""
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def log_left_out(path: Path, report: ReadReport) -> None:
    """Say on standard error what of a file was left out, one line for each reason."""
    for line in report.left_out():
        log(f"{path}: {line}")


def total_entries(readers: Iterable[Reader]) -> int | None:
    """Return the number of events of several files, None if one of them does not know."""
    counts = [reader.info.n_entries for reader in readers]
    return None if None in counts else sum(count for count in counts if count is not None)


class Tick(Protocol):
    """Tell a progress display how far the work is."""

    def __call__(self, advance: int = 1, /, *, note: str = "") -> None:
        """Go forward by `advance`; `note` stands behind the bar."""


@contextmanager
def progress(title: str, *, total: int | None) -> Iterator[Tick]:
    """Show progress on standard error: a bar on a terminal, a plain line every ten seconds elsewhere."""
    console = stderr_console()
    if not console.is_terminal:
        yield _plain_progress(title, total)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, transient=True) as display:
        task = display.add_task(title, total=total, note="")

        def tick(advance: int = 1, /, *, note: str = "") -> None:
            display.update(task, advance=advance, note=note)

        yield tick


def _plain_progress(title: str, total: int | None) -> Tick:
    done = 0
    next_line_s = time.monotonic() + 10

    def tick(advance: int = 1, /, *, note: str = "") -> None:
        nonlocal done, next_line_s
        done += advance
        if time.monotonic() >= next_line_s:
            next_line_s = time.monotonic() + 10
            of_total = f" of {total}" if total else ""
            log(f"{title}: {done}{of_total} {note}".rstrip())

    return tick


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
