"""How far a long work is: a bar on a terminal, one in a notebook, a plain line every ten seconds elsewhere.

Of a command that another process has started, and that shows its progress, marked lines.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

MARKED = "DISCRIMEN_MARKED_PROGRESS"
"""Set in the environment of a command whose progress another process shows: it prints marked lines."""

_MARK = "\x01progress "
_NOTEBOOK_STEP_S, _MARKED_STEP_S = 0.2, 0.2


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
    if MARKED in os.environ:
        yield _marked_progress(title, total)
        return
    if not sys.stderr.isatty():
        yield _plain_progress(title, total)
        return
    with _bar() as display:
        task = display.add_task(title, total=total, note="")

        def tick(advance: int = 1, /, *, note: str = "") -> None:
            display.update(task, advance=advance, note=note)

        yield tick


@dataclass(frozen=True, slots=True)
class Inside:
    """How far the work inside a step is, as the command that does it says."""

    title: str
    done: int
    total: int | None
    note: str = ""


def read_marked(line: str) -> Inside | None:
    """Return what a line of a command's standard error says of its progress; None of any other line."""
    if not line.startswith(_MARK):
        return None
    return Inside(**json.loads(line.removeprefix(_MARK)))


@dataclass(slots=True)
class StepsBar:
    """A bar for steps one after the other on a terminal, and one below for the work inside the step."""

    display: Progress
    steps: TaskID
    inner: TaskID

    def begin(self, title: str, *, number: int, total: int) -> None:
        """Show which step begins, counted from 1."""
        self.display.update(self.steps, description=title, completed=number - 1, total=total)
        self.display.update(self.inner, visible=False)

    def inside(self, told: Inside) -> None:
        """Show how far it is."""
        self.display.update(
            self.inner,
            description=f"  {told.title}",
            completed=told.done,
            total=told.total,
            note=told.note,
            visible=True,
        )


@contextmanager
def steps_progress() -> Iterator[StepsBar | None]:
    """Give a bar for steps where a terminal shows it; what is printed meanwhile stands above it."""
    if not sys.stderr.isatty():
        yield None
        return
    with _bar() as display:
        tasks = [display.add_task("", total=None, note="", visible=visible) for visible in (True, False)]
        yield StepsBar(display, *tasks)


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


def _marked_progress(title: str, total: int | None) -> Tick:
    done, next_s = 0, 0.0

    def tick(advance: int = 1, /, *, note: str = "") -> None:
        nonlocal done, next_s
        done += advance
        if time.monotonic() >= next_s or done == total:
            next_s = time.monotonic() + _MARKED_STEP_S
            told = {"title": title, "done": done, "total": total, "note": note}
            print(f"{_MARK}{json.dumps(told)}", file=sys.stderr, flush=True)

    return tick


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
