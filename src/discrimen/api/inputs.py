"""Run files as the functions of this package take them: one or several, what they do not say given by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from discrimen.errors import SettingsError
from discrimen.formats.base import Reader, ReadOptions
from discrimen.formats.channel_selection import ChannelSelection
from discrimen.formats.inputs import InputOptions
from discrimen.pulses.detector import DetectorSettings, GatesNs, WindowNs, read_settings

if TYPE_CHECKING:
    from discrimen.api.options import ReaderOptions

Paths = Path | str | Sequence[Path | str]

_SETTINGS = ("sample_period_ns", "polarity", "pretrigger_ns", "adc_bits")
_READING = ("branches", "tree", "sample_bytes", "tick_ps", "board_bit", "chunk_bytes")
_OTHERS = ("settings", "baseline", "gates", "format_name", "record_samples", "board", "channel", "companion")


def paths_of(paths: Paths) -> list[Path]:
    """Return one or several paths as a list.

    Raises
    ------
    SettingsError
        If there is none.
    """
    several = [Path(paths)] if isinstance(paths, Path | str) else [Path(each) for each in paths]
    if not several:
        raise SettingsError("no file is given: expected a path, or a list of them")
    return several


def open_all(paths: Paths, options: ReadOptions | None = None, **given: Unpack[ReaderOptions]) -> list[Reader]:
    """Open one or several run files, with what they do not say.

    Raises
    ------
    FormatError
        If a file cannot be opened, or is of no known format.
    SettingsError
        If an option is unknown or does not fit.
    """
    inputs = inputs_of(options, **given)
    return [inputs.open(path) for path in paths_of(paths)]


def inputs_of(options: ReadOptions | None = None, **given: Unpack[ReaderOptions]) -> InputOptions:
    """Return how files are read, options by name winning over those that come together.

    Parameters
    ----------
    options : ReadOptions, optional
        As the readers take them.
    **given
        ``settings`` (a detector file or its content), ``sample_period_ns``, ``polarity``, ``pretrigger_ns``,
        ``adc_bits``; ``baseline=(start, stop)`` and ``gates=(start, short, long)`` in ns; ``format_name``,
        ``record_samples``, ``board`` and ``channel`` (one or several), and fields of
        :class:`~discrimen.formats.base.ReadOptions`.

    Raises
    ------
    SettingsError
        If a name is unknown, or a value does not fit.
    """
    known: dict[str, Any] = dict(given)
    _refuse_strange(known)
    read = options or ReadOptions()
    changes = {name: known[name] for name in _READING if name in known}
    if "companion" in known:
        changes["companion"] = Path(known["companion"])
    return InputOptions(
        read=replace(read, settings=_settings(read.settings, known), **changes),
        format_name=known.get("format_name"),
        record_samples=known.get("record_samples"),
        selection=ChannelSelection(boards=_numbers(known.get("board")), channels=_numbers(known.get("channel"))),
    )


def parted(given: Mapping[str, Any], own: type) -> tuple[dict[str, Any], ReaderOptions]:
    """Part what a function is given by name into its own wishes and the options of readers.

    Parameters
    ----------
    given : mapping
        By name.
    own : type
        The TypedDict of the function's own wishes.

    Raises
    ------
    SettingsError
        If a name is of neither.
    """
    names = set(own.__annotations__)
    _refuse_strange(given, names)
    options: Any = {name: value for name, value in given.items() if name not in names}
    return {name: value for name, value in given.items() if name in names}, options


def _refuse_strange(given: Mapping[str, Any], own: AbstractSet[str] = frozenset()) -> None:
    known = {*_SETTINGS, *_READING, *_OTHERS, *own}
    strange = sorted(set(given) - known)
    if strange:
        raise SettingsError(f"there is no option {', '.join(strange)}; expected: {', '.join(sorted(known))}")


def _settings(before: DetectorSettings, known: dict[str, Any]) -> DetectorSettings:
    told = known.get("settings", before)
    settings = told if isinstance(told, DetectorSettings) else read_settings(told)
    return settings.merged(
        **{name: known.get(name) for name in _SETTINGS},
        baseline=window_of(known.get("baseline")),
        gates=gates_of(known.get("gates")),
    )


def window_of(value: WindowNs | tuple[float, float] | None) -> WindowNs | None:
    """Return a stretch of the record that is given as (start, stop) in ns.

    Raises
    ------
    SettingsError
        If it is not two numbers in order.
    """
    if value is None or isinstance(value, WindowNs):
        return value
    try:
        start, stop = value
        return WindowNs(start_ns=start, stop_ns=stop)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"expected baseline=(start, stop) in ns with 0 <= start < stop, got {value!r}") from error


def gates_of(value: GatesNs | tuple[float, float, float] | None) -> GatesNs | None:
    """Return gates that are given as (start, short end, long end) in ns from the leading edge.

    Raises
    ------
    SettingsError
        If it is not three numbers in order.
    """
    if value is None or isinstance(value, GatesNs):
        return value
    try:
        start, short, long = value
        return GatesNs(gate_start_ns=start, short_gate_end_ns=short, long_gate_end_ns=long)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"expected gates=(start, short end, long end) in ns that ascend, got {value!r}") from error


def _numbers(value: int | Sequence[int] | None) -> tuple[int, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, int) else tuple(value)
