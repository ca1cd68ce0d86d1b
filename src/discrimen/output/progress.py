"""How far a long work is: a bar on a terminal, one in a notebook, a plain line every ten seconds elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress

_NOTEBOOK_STEP_S = 0.2


class Tick(Protocol):
    """Tell a progress display how far the work is."""

    def __call__(self, advance: int = 1, /, *, note: str = "") -> None:
        """Go forward by `advance`; `note` stands behind the bar."""


@contextmanager
def progress(title: str, *, total: int | None) -> Iterator[Tick]:
    """Show progress on standard error: a bar on a terminal, a plain line every ten seconds elsewhere.

    In a notebook it is a bar below the cell, which goes when the work is done.
    """
    shell = notebook()
    if shell is not None:
        with _notebook_bar(shell, title, total) as tick:
            yield tick
        return
    if not sys.stderr.isatty():
        yield _plain_progress(title, total)
        return
    with _bar() as display:
        task = display.add_task(title, total=total, note="")

        def tick(advance: int = 1, /, *, note: str = "") -> None:
            display.update(task, advance=advance, note=note)

        yield tick


@contextmanager
def seen_progress(title: str, *, total: int | None) -> Iterator[Tick]:
    """Show progress where a person looks on, in a notebook or at a terminal, and nothing where a script runs."""
    if notebook() is None and not sys.stderr.isatty():
        yield lambda *_, **__: None
        return
    with progress(title, total=total) as tick:
        yield tick


def notebook() -> Any:
    """Return the module that displays in a notebook, None where this is none: nothing is imported to find out."""
    shell = sys.modules.get("IPython")
    running = None if shell is None else shell.get_ipython()
    if running is None or not hasattr(running, "kernel"):
        return None
    from importlib import import_module

    return import_module("IPython.display")


@contextmanager
def _notebook_bar(shell: Any, title: str, total: int | None) -> Iterator[Tick]:
    done, next_s, started_s = 0, 0.0, time.monotonic()
    handle = shell.display(shell.HTML(bar_html(title, 0, total)), display_id=True)

    def tick(advance: int = 1, /, *, note: str = "") -> None:
        nonlocal done, next_s
        done += advance
        now_s = time.monotonic()
        if now_s >= next_s or done == total:
            next_s = now_s + _NOTEBOOK_STEP_S
            handle.update(shell.HTML(bar_html(title, done, total, note=note, seconds=now_s - started_s)))

    try:
        yield tick
    finally:
        handle.update(shell.HTML(""))


def bar_html(title: str, done: int, total: int | None, *, note: str = "", seconds: float = 0.0) -> str:
    """Return a bar for a notebook; all text is escaped."""
    value = f'value="{done}" max="{total}"' if total else ""
    of_total = f" of {total}" if total else ""
    return f"<div>{escape(title)} <progress {value}></progress> {done}{of_total}, {seconds:.0f} s {escape(note)}</div>"


def _bar() -> Progress:
    # Imported where there is a terminal to draw on, and not before: it takes as long as a million pulses.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True, soft_wrap=True, highlight=False),
        transient=True,
    )


def _plain_progress(title: str, total: int | None) -> Tick:
    done = 0
    next_line_s = time.monotonic() + 10

    def tick(advance: int = 1, /, *, note: str = "") -> None:
        nonlocal done, next_line_s
        done += advance
        if time.monotonic() >= next_line_s:
            next_line_s = time.monotonic() + 10
            of_total = f" of {total}" if total else ""
            print(f"{title}: {done}{of_total} {note}".rstrip(), file=sys.stderr)

    return tick
