"""How ``discrimen evaluate`` ends, whatever it judged: warnings, the files of the report, and its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from discrimen.cli import common
from discrimen.output.plain import plain


class _JudgedReport(Protocol):
    def as_dict(self) -> dict[str, Any]: ...


Judged = TypeVar("Judged", bound=_JudgedReport)


def write_and_tell(
    report: Judged,
    folder: Path,
    *,
    write: Callable[[Judged, Path], tuple[Path, ...]],
    text: Callable[..., str],
    warnings: Sequence[str],
    json: bool,
    besides: Mapping[str, Any] | None = None,
) -> None:
    """Write a report and print its figures.

    Parameters
    ----------
    report : Judged
        The result of an evaluation.
    folder : Path
        For its files.
    write : callable
        Writes them, and returns JSON and page first.
    text : callable
        ``text(report, width=80)``: the figures for a terminal.
    warnings : sequence of str
        What makes the figures other than they look.
    json : bool
        Whether one JSON object is printed instead.
    besides : mapping, optional
        Further entries of that object.
    """
    for warning in warnings:
        common.log(f"WARNING: {warning}")
    with common.progress("drawing", total=None):
        written = write(report, folder)
    if json:
        common.emit_json(plain(report.as_dict()) | dict(besides or {}))
        return
    console = common.stdout_console()
    console.print(text(report, width=min(console.width, 100)), markup=False, end="")
    console.print(f"report: {written[1]}; data in report.json, plots as PNG and PDF next to it", markup=False)
