"""One command of the plan of a whole run, and the words that the commands have in common."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from discrimen.workflow.run_files import FoundRuns, RunFile, companions_of
from discrimen.workflow.wishes import Wishes

SUFFIX = ".discrimen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command of the plan, given in the folder of the run.

    Parameters
    ----------
    name : str
        Of this step alone; its result lies in ``steps/NAME.json``.
    title : str
        What it does, for people.
    arguments : tuple of str
        Of ``discrimen``; outputs relative to the folder, inputs absolute.
    run_files : tuple of RunFile
        That it reads, as they were found.
    inputs : tuple of str
        Files of the folder that it reads, made by steps before it; a detector file may lie elsewhere.
    outputs : tuple of str
        Files that it makes.
    shown : tuple of str
        Pages and pictures among these, and beside them, to look at.
    unfinished : str
        File that it leaves when it is broken off, "" if none.
    going_on : tuple of str
        Arguments that go on from there.
    alone : bool
        Whether nothing else depends on it, so that the others go on where it fails.
    """

    name: str
    title: str
    arguments: tuple[str, ...]
    run_files: tuple[RunFile, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    unfinished: str = ""
    going_on: tuple[str, ...] = ()
    alone: bool = False

    @property
    def command(self) -> str:
        """The command line."""
        return shlex.join(("discrimen", *self.arguments))

    @property
    def result(self) -> str:
        """File of what it says of itself."""
        return f"steps/{self.name}.json"

    @property
    def companions(self) -> tuple[Path, ...]:
        """Files that speak for the run files."""
        return tuple(each for file in self.run_files for each in companions_of(file.path))


@dataclass(frozen=True, slots=True)
class Reading:
    """How every step reads pulses: the wishes, and the detector file as it is by then."""

    wishes: Wishes
    settings: str | None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The detector file, if there is one."""
        return () if self.settings is None else (self.settings,)

    @property
    def of_runs(self) -> tuple[str, ...]:
        """Options of everything that reads runs."""
        settings = () if self.settings is None else ("--settings", self.settings)
        given = {
            "--sample-period-ns": self.wishes.sample_period_ns,
            "--polarity": self.wishes.polarity,
            "--pretrigger-ns": self.wishes.pretrigger_ns,
            "--record-samples": self.wishes.record_samples,
        }
        words = [(option, _word(value)) for option, value in given.items() if value is not None]
        return (*place_options(self.wishes), *settings, *(word for pair in words for word in pair))


def _word(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def place_options(wishes: Wishes) -> tuple[str, ...]:
    """Return the options that choose the detector."""
    channel = () if wishes.channel is None else ("--channel", str(wishes.channel))
    return channel if wishes.board is None else (*channel, "--board", str(wishes.board))


def paths_of(files: Sequence[RunFile]) -> tuple[str, ...]:
    """Return the paths as words of a command."""
    return tuple(str(each.path) for each in files)


def gamma_run_options(found: FoundRuns) -> tuple[str, ...]:
    """Return the options that name the gamma runs."""
    return tuple(word for path in paths_of(found.gamma) for word in ("--gamma-run", path))
