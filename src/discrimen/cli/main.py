"""Assemble the subcommands and turn errors into one line and an exit status."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from discrimen.errors import DiscrimenError, MissingExtraError


@dataclass(frozen=True, slots=True)
class Subcommand:
    """One row of the table of subcommands: its module is imported when it is called, and not before.

    Parameters
    ----------
    summary : str
        One line for people.
    extra : str or None
        The extra of the package that brings what the module imports beyond the core.
    """

    summary: str
    extra: str | None = None


SUBCOMMANDS = {
    "simulate": Subcommand("simulate pulses of known kind into a run file", "simulation"),
    "inspect": Subcommand("say what is in a run file"),
    "convert": Subcommand("copy run files into one of another format"),
    "label": Subcommand("give every pulse a label, for training"),
    "audit": Subcommand("say what a network could cheat from in labelled pulses", "analysis"),
    "train": Subcommand("train a network on labelled pulses", "train"),
    "search": Subcommand("search for the best network, training and preparation", "search"),
    "evaluate": Subcommand("judge a model beside charge comparison and the physical bound", "analysis"),
    "compare": Subcommand("put several models, data sets or reports on one page", "analysis"),
    "robustness": Subcommand("say what time, gain, baseline, noise and clock do to models", "analysis"),
    "freeze": Subcommand("freeze a trained model into one file", "train"),
    "adopt": Subcommand("make a model of a network that was trained elsewhere", "train"),
    "adapt": Subcommand("adapt a model to another channel or detector", "train"),
    "classify": Subcommand("score every pulse of run files"),
    "drift": Subcommand("say whether runs still are like a good one", "analysis"),
    "bench": Subcommand("time a frozen model on every backend that is present"),
    "datasets": Subcommand("list public data sets, fetch them, make native files of them", "datasets"),
    "demo": Subcommand("the whole path on a simulated run", "all"),
}
"""Each is the function of its name in the module of its name in this package."""


class _LazyGroup(TyperGroup):
    """A group that imports a subcommand only to run it, so that each needs no more than its own dependencies."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        known = SUBCOMMANDS.get(cmd_name)
        return None if known is None else _load(cmd_name, known)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, known.summary) for name, known in SUBCOMMANDS.items()])


def _load(name: str, known: Subcommand) -> Any:
    try:
        module = importlib.import_module(f"discrimen.cli.{name}")
    except ModuleNotFoundError as error:
        if known.extra is None or error.name is None or error.name.startswith("discrimen"):
            raise
        raise MissingExtraError(error.name, known.extra) from error
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    module.register(single)
    command = typer.main.get_command(single)
    command.name = name
    return command


app = typer.Typer(
    name="discrimen",
    cls=_LazyGroup,
    help="Tell neutrons from gammas by the shape of their pulses, from the digitizer's file to scores.",
    epilog="--debug with any command shows the traceback of an error.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"discrimen {metadata.version('discrimen')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line: exit status 0 done, 1 input or data at fault (one line), 2 usage, 130 interrupted.

    ``--debug`` anywhere shows the traceback of an error instead of one line.
    """
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        _run(arguments)
    except DiscrimenError as error:
        if debug:
            raise
        _complain(str(error))
        raise SystemExit(1) from None
    except BrokenPipeError:
        # The reader of a pipe (head, less) went away: nothing is at fault, and nobody is left to tell.
        _drop_output()
        raise SystemExit(0) from None
    except OSError as error:
        if debug:
            raise
        _drop_output()
        _complain(f"{error.filename or 'standard output'}: {error.strerror or error}")
        raise SystemExit(1) from None


def _run(arguments: list[str]) -> None:
    """Run one command; what it printed leaves the process while errors can still be told."""
    try:
        app(args=arguments, prog_name="discrimen")
    finally:
        sys.stdout.flush()


def _complain(problem: str) -> None:
    print(f"discrimen: {problem}", file=sys.stderr)


def _drop_output() -> None:
    """Send what is left of the standard output nowhere, so that Python does not fail to flush it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
