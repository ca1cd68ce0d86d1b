"""All steps: find the runs, look into them, do what is not done yet, and leave a page."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from discrimen.errors import DiscrimenError, MissingExtraError, OutputError
from discrimen.output.files import write_files
from discrimen.output.progress import StepsBar
from discrimen.workflow.carry_out import Progress, carry_out, only_one
from discrimen.workflow.edit import AddedRole, with_added_runs
from discrimen.workflow.one_detector import require_one_detector, require_settings, require_waveforms
from discrimen.workflow.page import write_page
from discrimen.workflow.plan import inspections, the_rest
from discrimen.workflow.record import Record, read_record
from discrimen.workflow.run_files import FoundRuns, changes, find_runs
from discrimen.workflow.step import SUFFIX, Step
from discrimen.workflow.summaries import summary
from discrimen.workflow.wishes import FILE_NAME, Wishes, differences, read_wishes, wishes_yaml

_NEEDED = ("keras", "jax", "matplotlib", "scipy", "sklearn", "jinja2")


@dataclass(slots=True)
class WholeRun:
    """What came of a run.

    Parameters
    ----------
    folder : Path
        Where everything lies.
    steps : list of Step
        The plan.
    progress : Progress
        What was done of it.
    news : list of str
        Runs that came or changed meanwhile, files passed over, steps that failed.
    what_next : list of str
        Commands that may follow.
    page : Path or None
        The page.
    """

    folder: Path
    steps: list[Step] = field(default_factory=list)
    progress: Progress = field(default_factory=Progress)
    news: list[str] = field(default_factory=list)
    what_next: list[str] = field(default_factory=list)
    page: Path | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        results = self.progress.results
        return {
            "folder": str(self.folder),
            "page": self.page,
            "done": self.progress.done,
            "kept": self.progress.kept,
            "failed": self.progress.failed,
            "news": self.news,
            "next": self.what_next,
            "commands": {step.name: step.command for step in self.steps},
            "results": {
                step.name: summary(step.arguments, results[step.name]) for step in self.steps if step.name in results
            },
        }


def begin(folder: Path, wishes: Wishes, *, command: str, overwrite: bool = False) -> None:
    """Write the file of wishes into the folder of a new run, if its runs are there; the same one may be there already.

    Parameters
    ----------
    folder : Path
        Made if need be.
    wishes : Wishes
        With absolute paths.
    command : str
        The command line, for the file.
    overwrite : bool
        Whether to replace a file that says something else.

    Raises
    ------
    DataError
        If a run is not there.
    OutputError
        If a file is there that says something else.
    """
    find_runs(wishes)
    path = folder / FILE_NAME
    if path.exists() and not overwrite:
        other = differences(read_wishes(path), wishes)
        if other:
            raise OutputError(
                f"{path}: is there and says otherwise ({'; '.join(other)}): change it there and give 'discrimen rerun "
                f"{folder}', choose another folder, or replace it with --overwrite"
            )
        return
    write_files(folder, {FILE_NAME: wishes_yaml(wishes, command=command)})


def add_runs(path: Path, runs: Sequence[Path], *, role: AddedRole = "classify") -> None:
    """Add runs to classify or to test to a file of wishes."""
    read_wishes(path)
    text = path.read_text(encoding="utf-8")
    write_files(path.parent, {path.name: with_added_runs(text, [run.absolute() for run in runs], role=role)})


def whole_run(
    folder: Path, *, command: str, log: Callable[[str], None] = lambda _: None, bar: StepsBar | None = None
) -> WholeRun:
    """Do all that the file of wishes in a folder asks for and is not done yet.

    Parameters
    ----------
    folder : Path
        That holds ``run.yaml``; everything is written into it.
    command : str
        The command line, for the page.
    log : callable
        Called with a line for each step.
    bar : StepsBar, optional
        Where a terminal shows how far it is.

    Raises
    ------
    DiscrimenError
        If the wishes or the runs are at fault, or a step fails on which others depend: what is done stays done.
    """
    for module in _NEEDED:
        if find_spec(module) is None:
            raise MissingExtraError(module, "all")
    wishes = read_wishes(folder / FILE_NAME)
    run = WholeRun(folder)
    with only_one(folder) as held:
        record = read_record(folder)
        found = find_runs(wishes)
        run.news += found.passed_over
        for line in _what_was_found(found):
            log(line)
        try:
            _carry_out(run, found, wishes, record, partial(carry_out, held=held, log=log, bar=bar))
        finally:
            changed = _changes(found, wishes)
            failed = [f"the step {name} failed: steps/{name}.log says why" for name in run.progress.failed]
            run.news += [*changed, *failed]
            complete = not changed and len(run.progress.results) == len(run.steps)
            run.what_next += _what_next(run, wishes, complete=complete)
            run.page = write_page(
                folder,
                run.steps,
                record,
                run.progress,
                command=command,
                news=run.news,
                what_next=run.what_next,
            )
            record.save()
            for line in run.news:
                log(f"NOTE {line}")
    return run


def _carry_out(run: WholeRun, found: FoundRuns, wishes: Wishes, record: Record, do: Callable[..., None]) -> None:
    require_waveforms(each.path for each in found.learnt_from)
    first = inspections(found, wishes)
    run.steps = [*first, *the_rest(found, wishes, gates_known=True, inspected={})]
    do(first, record, run.progress, total=len(run.steps))
    done = [step for step in first if step.name in run.progress.results]
    results = {step.run_files[0].path: run.progress.results[step.name] for step in done}
    require_one_detector(results)
    require_settings({each.path: results[each.path] for each in found.learnt_from})
    gates_known = all(results[each.path]["settings"].get("gates") for each in found.mixed)
    rest = the_rest(found, wishes, gates_known=gates_known, inspected=results)
    run.steps = [*first, *rest]
    do(rest, record, run.progress, total=len(run.steps))


def _what_was_found(found: FoundRuns) -> list[str]:
    roles = {"mixed source": found.mixed, "gamma source": found.gamma}
    roles |= {f"calibration, {source}": files for source, files in found.calibrate.items()}
    roles |= {"to test": found.test, "to classify": found.classify}
    return [f"{role}: {', '.join(str(each.path) for each in files)}" for role, files in roles.items() if files]


def _changes(found: FoundRuns, wishes: Wishes) -> list[str]:
    try:
        return changes(found, find_runs(wishes))
    except DiscrimenError as error:
        return [f"the runs are others now: {error}"]


def _what_next(run: WholeRun, wishes: Wishes, *, complete: bool) -> list[str]:
    folder = shlex.quote(str(run.folder))
    if not complete:
        return [f"discrimen rerun {folder}"]
    more = [f"discrimen rerun {folder} --classify RUN"]
    if not wishes.test:
        more.append(f"discrimen rerun {folder} --test RUN_OF_KNOWN_PULSES")
    if wishes.classify:
        return more
    return [*more, f"discrimen classify {shlex.quote(str(run.folder / f'model{SUFFIX}'))} RUN -o scores.h5"]
