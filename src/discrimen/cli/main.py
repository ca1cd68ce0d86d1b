"""Assemble the subcommands and turn errors into one line and an exit status."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import metadata
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from discrimen.cli.stop_signals import tidy_at_sigterm
from discrimen.errors import DiscrimenError, MissingExtraError

_HELP = {"help_option_names": ["-h", "--help"]}


@dataclass(frozen=True, slots=True)
class Subcommand:
    """One row of the table of subcommands: its module is imported when it is called, and not before.

    Parameters
    ----------
    summary : str
        One line for people.
    example : str
        What may follow the name.
    extra : str or None
        The extra of the package that brings what the module imports beyond the core.
    """

    summary: str
    example: str
    extra: str | None = None


SUBCOMMANDS = {
    "run": Subcommand("all steps from run folders to named pulses", "--mixed CF252 --gamma CO60 -o OUT", "all"),
    "rerun": Subcommand("the same way again, only where something changed", "OUT --classify RUN", "all"),
    "simulate": Subcommand("simulate pulses of known kind into a run file", "-o run.lh5 -n 20000", "simulation"),
    "inspect": Subcommand("say what is in a run file", "run.BIN --plot run.png"),
    "convert": Subcommand("copy run files into one of another format", "run.BIN -o run.lh5"),
    "hits": Subcommand("put the traces of segmented crystals together to hits", "run.geb -o hits.h5"),
    "calibrate": Subcommand(
        "calibrate light in keVee by the Compton edges of gamma sources",
        "cs.BIN --source Cs-137 -o detector.yaml",
        "analysis",
    ),
    "gates": Subcommand(
        "search the gates of charge comparison in a mixed run without labels", "cf252.BIN -o detector.yaml", "analysis"
    ),
    "label": Subcommand("give every pulse a label, for training", "run.BIN --method band -o set.lh5"),
    "audit": Subcommand("say what a network could cheat from in labelled pulses", "set.lh5 -o audit", "analysis"),
    "train": Subcommand("train a network on labelled pulses", "set.lh5 -o model", "train"),
    "search": Subcommand("search for the best network, training and preparation", "set.lh5 -o search", "search"),
    "evaluate": Subcommand(
        "judge a model, with charge comparison and the physical bound", "model test.lh5 -o report", "analysis"
    ),
    "compare": Subcommand(
        "put several models, data sets or reports on one page",
        "a.discrimen b.discrimen --dataset test.lh5 -o comparison",
        "analysis",
    ),
    "robustness": Subcommand(
        "say what time, gain, baseline, noise and clock do to models", "model test.lh5 -o curves", "analysis"
    ),
    "freeze": Subcommand("freeze a trained model into one file", "model -o neda.discrimen", "train"),
    "fpga": Subcommand(
        "bring a network into an FPGA with open tools, every step checked", "build chip -o project", "fpga"
    ),
    "adopt": Subcommand(
        "make a model of a network that was trained elsewhere",
        "net.keras --preparation p.yaml -o model",
        "train",
    ),
    "adapt": Subcommand(
        "adapt a model to another channel or detector", "neda.discrimen other.BIN -o other.discrimen", "train"
    ),
    "classify": Subcommand("score every pulse of run files", "neda.discrimen run_*.BIN -o scores/"),
    "locate": Subcommand("give every hit of a segmented crystal its position in mm", "agata.discrimen hits.h5 -o p.h5"),
    "batch": Subcommand(
        "write the jobs that classify many run files at a computing centre",
        "slurm neda.discrimen run_*.BIN -o scores --jobs jobs --time 01:00:00",
    ),
    "denoise": Subcommand(
        "write run files without the noise of the electronics", "denoiser.discrimen run.BIN -o run.lh5"
    ),
    "encode": Subcommand(
        "store the pulses of run files as codes of a few bytes", "coder.discrimen run.BIN -o run.codes", "codes"
    ),
    "decode": Subcommand("make a run file of stored codes", "coder.discrimen run.codes -o run.lh5", "codes"),
    "generate": Subcommand("generate pulses of asked class and light", "generator.discrimen -o run.lh5 -n 100000"),
    "quality": Subcommand(
        "watch the signals of each channel for faults, without labels",
        "autoencoder.discrimen good.BIN today.BIN --report quality",
        "analysis",
    ),
    "separate": Subcommand("find piled-up pulses and take them apart", "separator.discrimen run.BIN -o pulses.lh5"),
    "overlay": Subcommand(
        "lay single pulses of a run over each other, to train a separator",
        "run.BIN -o train.lh5 --components parts.lh5",
    ),
    "drift": Subcommand("say whether runs still are like a good one", "neda.discrimen good.BIN today.BIN", "analysis"),
    "stream": Subcommand(
        "score pulses as they come", "neda.discrimen --input tcp://127.0.0.1:5570 -o scores.h5", "online"
    ),
    "replay": Subcommand(
        "let run files play the part of an acquisition card", "run.BIN -o tcp://127.0.0.1:5570", "online"
    ),
    "monitor": Subcommand("serve a page that shows that a stream is well", "tcp://127.0.0.1:5580", "online"),
    "chain": Subcommand(
        "say whether the processing keeps up with an acquisition card", "neda.discrimen --rate-hz 5000", "online"
    ),
    "bench": Subcommand("time a frozen model on every backend that is present", "neda.discrimen"),
    "datasets": Subcommand(
        "list public data sets, fetch them, make native files of them", "fetch ej299-survey -o data", "datasets"
    ),
    "demo": Subcommand("the whole path on a simulated run", "-o demo-output", "all"),
}
"""Each is the function of its name in the module of its name in this package."""


class _Command(TyperCommand):
    """A command whose help page puts the options that describe input files last, under a heading of their own."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        from discrimen.cli.input_options import INPUT_OPTION_NAMES

        parts: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": [], "Options of input files": []}
        names = {parameter.name for parameter in self.params}
        takes_inputs = names.issuperset(INPUT_OPTION_NAMES)
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            of_inputs = takes_inputs and parameter.name in INPUT_OPTION_NAMES
            heading = "Options of input files" if of_inputs else "Options"
            parts["Arguments" if parameter.param_type_name == "argument" else heading].append(record)
        for heading, records in parts.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


class LazyGroup(TyperGroup):
    """A group that imports a subcommand only to run it, so that each needs no more than its own dependencies."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names, in the order of the table."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import a command; None if there is none of that name."""
        known = SUBCOMMANDS.get(cmd_name)
        return None if known is None else _load(cmd_name, known)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command, or name the ones that are written nearly like it."""
        if args and not args[0].startswith("-") and args[0] not in SUBCOMMANDS:
            near = get_close_matches(args[0], SUBCOMMANDS, n=2)
            meant = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(SUBCOMMANDS)}"
            ctx.fail(f"there is no command '{args[0]}'; {meant}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write name and summary of each, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, known.summary) for name, known in SUBCOMMANDS.items()])


def _load(name: str, known: Subcommand) -> Any:
    try:
        module = importlib.import_module(f"discrimen.cli.{name}")
    except ModuleNotFoundError as error:
        if known.extra is None or error.name is None or error.name.startswith("discrimen"):
            raise
        raise MissingExtraError(error.name, known.extra) from error
    single = typer.Typer(
        add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, context_settings=_HELP
    )
    module.register(single)
    for info in single.registered_commands:
        info.cls, info.context_settings = _Command, _HELP
        info.epilog = f"Example: discrimen {name} {known.example}"
    command = typer.main.get_command(single)
    command.name = name
    return command


app = typer.Typer(
    name="discrimen",
    cls=LazyGroup,
    help="Tell neutrons from gammas by the shape of their pulses, from the digitizer's file to scores.",
    epilog="--debug with any command shows the traceback of an error.",
    no_args_is_help=True,
    context_settings=_HELP,
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
    """Run the command line: exit status 0 done, 1 input or data at fault (one line), 2 usage.

    130 is interrupted (Ctrl-C), 143 ended by SIGTERM.

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
        with tidy_at_sigterm():
            app(args=arguments, prog_name="discrimen")
    finally:
        sys.stdout.flush()


def _complain(problem: str) -> None:
    print(f"discrimen: {problem}", file=sys.stderr)


def _drop_output() -> None:
    """Send what is left of the standard output nowhere, so that Python does not fail to flush it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
