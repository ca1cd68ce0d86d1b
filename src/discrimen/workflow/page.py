"""The page of a whole run: what came of it, what comes next, and each step with its command and its own pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from discrimen.output.files import write_files
from discrimen.output.page import render_page
from discrimen.output.provenance import software_versions, utc_now
from discrimen.workflow.carry_out import Progress
from discrimen.workflow.record import Record
from discrimen.workflow.results import judgements, named_rows
from discrimen.workflow.step import Step
from discrimen.workflow.summaries import summary

PAGE = "index.html"
_SHOWN = ("classify", "label")


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step on the page."""

    title: str
    state: str
    told: str
    command: str
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of a step, which lies beside the page."""

    name: str
    caption: str
    source: str


def write_page(
    folder: Path,
    steps: Sequence[Step],
    record: Record,
    progress: Progress,
    *,
    command: str,
    news: Sequence[str],
    what_next: Sequence[str],
) -> Path:
    """Write the page.

    Parameters
    ----------
    folder : Path
        Of the run.
    steps : sequence of Step
        The plan, as far as it is known.
    record : Record
        What is done.
    progress : Progress
        What came of this time.
    command : str
        The command line.
    news : sequence of str
        What a reader must know: runs that were not taken, steps that failed.
    what_next : sequence of str
        Commands that may follow, with their words.

    Raises
    ------
    MissingExtraError
        If Jinja is not installed.
    """
    lines = [_line(step, record, progress) for step in steps]
    pictures = list(_pictures(folder, steps, progress))
    versions = ", ".join(f"{name} {version}" for name, version in software_versions("numpy").items())
    page = render_page(
        "run.html",
        title=f"Results of discrimen run in {folder.resolve().name}",
        done=f"{sum(step.name in progress.results for step in steps)} of {len(steps)} steps are done.",
        steps=lines,
        news=news,
        what_next=what_next,
        named=named_rows(steps, progress.results),
        judged=judgements(steps, progress.results),
        pictures=pictures,
        command=command,
        made=f"Made {utc_now()} with {versions}.",
    )
    return write_files(folder, {PAGE: page})[0]


def _line(step: Step, record: Record, progress: Progress) -> StepLine:
    result = progress.results.get(step.name)
    if result is None:
        state = "failed" if step.name in progress.failed else "not done"
        log = f"steps/{step.name}.log"
        return StepLine(step.title, state, "", step.command, (log,) if (record.folder / log).is_file() else ())
    seconds = record.done[step.name]["seconds"]
    state = f"done before ({seconds:.0f} s)" if step.name in progress.kept else f"{seconds:.0f} s"
    beside = (*step.shown, *step.outputs, step.result, f"steps/{step.name}.log")
    links = tuple(dict.fromkeys(name for name in beside if (record.folder / name).is_file()))
    return StepLine(step.title, state, summary(step.arguments, result), step.command, links)


def _pictures(folder: Path, steps: Sequence[Step], progress: Progress) -> Iterator[Shown]:
    for step in reversed(steps):
        for name in step.shown:
            drawn = name.endswith(".png") and step.arguments[0] in _SHOWN
            if drawn and step.name in progress.results and (folder / name).is_file():
                told = summary(step.arguments, progress.results[step.name])
                yield Shown(step.name, f"{step.title[:1].upper()}{step.title[1:]}: {told}", name)
