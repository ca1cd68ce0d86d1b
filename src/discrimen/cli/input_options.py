"""The options of every command that reads run files, defined once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from discrimen.cli.common import BoardOption, ChannelOption
from discrimen.errors import SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.formats.channel_selection import ChannelSelection
from discrimen.formats.inputs import InputOptions
from discrimen.formats.table import FORMATS
from discrimen.pulses.detector import DetectorSettings, GatesNs, WindowNs, read_settings

_FORMAT_NAMES = ", ".join(known.name for known in FORMATS)


def _options(
    *,
    settings: Annotated[Path | None, typer.Option(help="YAML file of detector settings.")] = None,
    sample_period_ns: Annotated[float | None, typer.Option(help="Time between samples in ns.")] = None,
    polarity: Annotated[str | None, typer.Option(help="Of the pulses: positive or negative.")] = None,
    pretrigger_ns: Annotated[float | None, typer.Option(help="Time before the pulse in each record.")] = None,
    baseline_ns: Annotated[
        str | None, typer.Option(metavar="START:STOP", help="Stretch of the record before the pulse, in ns.")
    ] = None,
    format_name: Annotated[
        str | None, typer.Option("--format", help=f"Found out if not given; one of {_FORMAT_NAMES}, or of a plug-in.")
    ] = None,
    branch: Annotated[
        list[str] | None,
        typer.Option(
            "--branch",
            "--column",
            metavar="FIELD=NAME",
            help="ROOT branch, .npz array or column of text of a field: samples=wave, psd=PSD, tof_ns=3; repeatable.",
        ),
    ] = None,
    tree: Annotated[str | None, typer.Option(help="Which tree of a ROOT file.")] = None,
    sample_bytes: Annotated[int | None, typer.Option(help="WaveDump: bytes a sample (1, 2 or 4).")] = None,
    companion: Annotated[
        Path | None, typer.Option(help="The digitizer's settings file (CoMPASS settings.xml).")
    ] = None,
    tick_ps: Annotated[
        float | None,
        typer.Option("--tick-ps", help="ABCD: unit of its time stamps.", show_default="2/1024 ns", min=0.01, max=1e9),
    ] = None,
    board_bit: Annotated[
        int | None,
        typer.Option(help="MFM: bit of NEDA's location where the board begins.", show_default="5", min=4, max=5),
    ] = None,
    record_samples: Annotated[
        int | None,
        typer.Option(help="Cut longer records to so many samples, and leave shorter ones out.", min=1),
    ] = None,
    gates: Annotated[
        str | None,
        typer.Option(
            metavar="START:SHORT:LONG",
            help="Gates of the charge comparison: where both begin and each ends, in ns from the leading edge.",
        ),
    ] = None,
    channel: ChannelOption = None,
    board: BoardOption = None,
) -> InputOptions:
    known = read_settings(settings) if settings is not None else DetectorSettings()
    try:
        merged = known.merged(
            sample_period_ns=sample_period_ns,
            polarity=polarity,
            pretrigger_ns=pretrigger_ns,
            baseline=parse_window(baseline_ns),
            gates=parse_gates(gates),
        )
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error
    return InputOptions(
        read=ReadOptions(
            settings=merged,
            branches=parse_pairs(branch or [], example="samples=wave"),
            tree=tree,
            sample_bytes=sample_bytes,
            companion=companion,
            tick_ps=tick_ps,
            board_bit=board_bit,
        ),
        format_name=format_name,
        record_samples=record_samples,
        selection=ChannelSelection(boards=tuple(board or ()), channels=tuple(channel or ())),
        settings_file=settings,
        refused=_compared(settings, sample_period_ns=sample_period_ns, polarity=polarity, adc_bits=None),
    )


def _compared(settings: Path | None, **given: object) -> tuple[str, ...]:
    """Return what a detector file must not contradict a run in: what no option says outright."""
    return () if settings is None else tuple(name for name, value in given.items() if value is None)


INPUT_OPTION_NAMES: tuple[str, ...] = tuple(inspect.signature(_options).parameters)
"""Parameters of the options that describe inputs."""


def with_input_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that describe its inputs; it gets them as one argument, `inputs`.

    An option that the command has of its own stays the command's.
    """
    own = inspect.signature(command, eval_str=True)
    shared = inspect.signature(_options, eval_str=True)
    added = [name for name in shared.parameters if name not in own.parameters]

    @functools.wraps(command)
    def with_inputs(**arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in added}
        command(**arguments, inputs=_options(**given))

    kept = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in own.parameters.items()
        if name != "inputs"
    ]
    parameters = [*kept, *(shared.parameters[name] for name in added)]
    with_inputs.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    with_inputs.__annotations__ = {each.name: each.annotation for each in parameters}
    return with_inputs


def parse_window(text: str | None) -> WindowNs | None:
    """Parse ``START:STOP`` in ns.

    Raises
    ------
    SettingsError
        If it is not two numbers in order.
    """
    if text is None:
        return None
    try:
        start, stop = (float(part) for part in text.split(":"))
        return WindowNs(start_ns=start, stop_ns=stop)
    except ValueError as error:
        raise SettingsError(f"expected START:STOP in ns with 0 <= START < STOP, got '{text}'") from error


def parse_gates(text: str | None) -> GatesNs | None:
    """Parse ``START:SHORT:LONG`` in ns.

    Raises
    ------
    SettingsError
        If it is not three numbers in order.
    """
    if text is None:
        return None
    try:
        start, short, long = (float(part) for part in text.split(":"))
        return GatesNs(gate_start_ns=start, short_gate_end_ns=short, long_gate_end_ns=long)
    except ValueError as error:
        raise SettingsError(
            f"expected --gates START:SHORT:LONG in ns with START < SHORT < LONG, for example -20:30:250; got '{text}'"
        ) from error


def parse_numbers(text: str, option: str) -> list[float]:
    """Parse numbers with commas between.

    Raises
    ------
    SettingsError
        If the text is none.
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise SettingsError(f"{option} expects numbers with commas between, got '{text}'") from error


def parse_pairs(pairs: Sequence[str], *, example: str) -> dict[str, str]:
    """Parse ``NAME=VALUE`` pairs.

    Raises
    ------
    typer.BadParameter
        If one of them is no pair, or a name comes twice.
    """
    parsed: dict[str, str] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if not (name and value):
            raise typer.BadParameter(f"expected NAME=VALUE, for example {example}; got '{pair}'")
        if name in parsed:
            raise typer.BadParameter(f"{name} is given twice: {name}={parsed[name]} and {pair}")
        parsed[name] = value
    return parsed
