"""The settings.xml that CoMPASS leaves beside a run: sampling period, polarity, pre-trigger and gates, per channel.

Values of the board stand in ``board/parameters/entry``, those of one channel that differ from them in
``board/channel/values/entry``. The number of a board in the events is its place among the ``board`` elements of the
file (so do daq2lh5, the reader of the LEGEND collaboration, and other public readers understand it).
Times in the file are in ns, except ``sampleTime``, which is in ps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from discrimen.errors import SettingsError
from discrimen.formats.compass.files import channel_and_serial, run_name
from discrimen.formats.compass.settings_xml import parse_plain_xml
from discrimen.pulses.detector import DetectorSettings, validate_settings

RAW_FOLDERS = ("raw", "unfiltered", "filtered")
"""Where CoMPASS puts run files; settings.xml lies one folder above."""

_POLARITIES = {"POLARITY_POSITIVE": "positive", "POLARITY_NEGATIVE": "negative"}
_POLARITY_KEYS = ("SRV_PARAM_CH_POLARITY", "SRV_PARAM_GR_POLARITY")
_PRETRIGGER_KEYS = ("SRV_PARAM_CH_PRETRG", "SRV_PARAM_GR_PRETRG", "SRV_PARAM_PRETRG")
_FULL_RATE = ("", "OFF", "NONE", "DISABLED")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSettings:
    """One board of a settings.xml.

    Parameters
    ----------
    serial : str
        Serial number.
    record_length_ns : float or None
        Length of a waveform.
    default : DetectorSettings
        What holds for every channel that says nothing else.
    channels : mapping of int to DetectorSettings
        Each channel listed, complete: the board's values with its own on top.
    enabled : tuple of int
        The channels that take data.
    """

    serial: str
    record_length_ns: float | None
    default: DetectorSettings
    channels: Mapping[int, DetectorSettings]
    enabled: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CompassSettings:
    """A settings.xml: its boards, in the order of their numbers in the events."""

    path: Path
    boards: tuple[BoardSettings, ...]

    def of(self, board: int, channel: int) -> DetectorSettings:
        """Return the settings of one channel; all values None where the file does not know the board."""
        if not 0 <= board < len(self.boards):
            return DetectorSettings()
        return self.boards[board].channels.get(channel, self.boards[board].default)

    def sample_periods_ns(self) -> tuple[float | None, ...]:
        """Return the sampling period of each board, in the order of board numbers."""
        return tuple(board.default.sample_period_ns for board in self.boards)

    def common(self, run_file: Path) -> DetectorSettings:
        """Return the values on which all channels of a run file agree; None where they differ.

        The file's name tells its channel where CoMPASS wrote one file a channel; otherwise all enabled channels count.
        """
        return _agreed(self._channels_of(run_file))

    def _channels_of(self, run_file: Path) -> list[DetectorSettings]:
        named = channel_and_serial(run_file)
        if named is not None:
            channel, serial = named
            boards = [board for board in self.boards if board.serial == serial]
            if len(boards) == 1:
                return [boards[0].channels.get(channel, boards[0].default)]
        return [
            board.channels.get(channel, board.default) for board in self.boards for channel in board.enabled or (-1,)
        ]


def read_compass_settings(path: Path) -> CompassSettings:
    """Read a settings.xml.

    Raises
    ------
    SettingsError
        If it cannot be read, is no plain well-formed XML, is far too large, or holds no board.
    """
    root = parse_plain_xml(path)
    boards = tuple(_board(element, path) for element in root.findall("board"))
    if root.tag != "configuration" or not boards:
        raise SettingsError(f"{path}: expected the settings.xml of CoMPASS (configuration/board), got <{root.tag}>")
    return CompassSettings(path, boards)


def find_compass_settings(run_file: Path, *, given: Path | None, known: DetectorSettings) -> CompassSettings | None:
    """Find and read the settings of a run file.

    Searched in this order: the file `given`; ``<run>_settings.xml`` beside the run file; then ``settings.xml`` beside
    it, ``settings.xml`` one folder up, and, where neither is there, a single ``*settings*.xml`` beside it (or one
    folder up, if the run file lies in RAW, UNFILTERED or FILTERED), but never a ``NAME_settings.xml`` beside it,
    which speaks for the run NAME only. Where there is none, a link is followed, and the
    search is repeated beside the file that it leads to.

    Parameters
    ----------
    run_file : Path
        The run file.
    given : Path or None
        The file that the user named.
    known : DetectorSettings
        What the user gave otherwise: a contradiction in these values does not matter.

    Raises
    ------
    SettingsError
        If a file cannot be read, or several contradict each other.
    """
    if given is not None:
        return read_compass_settings(given)
    found = _beside(run_file, known)
    if found is None and run_file.is_symlink():
        found = _beside(run_file.resolve(), known)
    return found


def _beside(run_file: Path, known: DetectorSettings) -> CompassSettings | None:
    for stem in dict.fromkeys((run_file.stem, run_name(run_file))):
        own = run_file.with_name(f"{stem}_settings.xml")
        if own.is_file():
            return read_compass_settings(own)
    found = [read_compass_settings(path) for path in _candidates(run_file) if _is_compass(path)]
    _refuse_contradiction(found, run_file, known)
    return found[0] if found else None


def with_companion(
    run_file: Path, settings: DetectorSettings, companion: CompassSettings | None
) -> tuple[DetectorSettings, dict[str, str]]:
    """Return the settings of a run, the user's first, then the companion's, and where each value comes from."""
    from_file = companion.common(run_file) if companion is not None else DetectorSettings()
    merged = settings.filled_from(from_file)
    source = {}
    for name in merged.model_dump(exclude_none=True):
        given = getattr(settings, name) is not None
        source[name] = "command line" if given or companion is None else companion.path.name
    return merged, source


def _candidates(run_file: Path) -> list[Path]:
    folder = run_file.absolute().parent
    plain = [path for path in (folder / "settings.xml", folder.parent / "settings.xml") if path.is_file()]
    if plain:
        return plain
    in_run_folder = folder.name.lower() in RAW_FOLDERS
    for place in (folder, folder.parent) if in_run_folder else (folder,):
        try:
            found = sorted(path for path in place.iterdir() if _named_settings(path))
        except OSError as error:
            raise SettingsError(f"{place}: cannot look for settings.xml: {error.strerror or error}") from error
        if place == folder:
            # Those of the run itself were looked for before.
            found = [path for path in found if not path.name.lower().endswith("_settings.xml")]
        if found:
            return found
    return []


def _named_settings(path: Path) -> bool:
    name = path.name.lower()
    return name.endswith(".xml") and "settings" in name and not name.startswith(".")


def _is_compass(path: Path) -> bool:
    # Other programs call their files settings.xml too; a broken file is an error, a foreign one is not ours.
    root = parse_plain_xml(path)
    return root.tag == "configuration" and root.find("board") is not None


def _refuse_contradiction(found: Sequence[CompassSettings], run_file: Path, known: DetectorSettings) -> None:
    views = [settings.common(run_file).model_dump() for settings in found]
    names = [name for name in views[0] if getattr(known, name) is None] if views else []
    for name in names:
        values = [view[name] for view in views]
        if any(value != values[0] for value in values):
            listed = ", ".join(f"{settings.path} says {value}" for settings, value in zip(found, values, strict=True))
            raise SettingsError(
                f"{run_file}: which settings.xml belongs to this file? They differ in {name}: {listed}; "
                "name the right one with --companion"
            )


def _board(element: Element, path: Path) -> BoardSettings:
    parameters = _entries(element.find("parameters"))
    facts: dict[str, Any] = {
        "adc_bits": _integer(element.findtext("adcBitCount")),
        "sample_period_ns": _sample_period_ns(element, parameters),
    }
    channels = {}
    enabled = []
    for channel in element.findall("channel"):
        index = _integer(channel.findtext("index"))
        if index is None:
            continue
        own = parameters | _entries(channel.find("values"))
        channels[index] = _detector_settings(facts, own, f"{path}, channel {index}")
        if own.get("SRV_PARAM_CH_ENABLED", "true").lower() == "true":
            enabled.append(index)
    return BoardSettings(
        serial=(element.findtext("serialNumber") or "").strip(),
        record_length_ns=_number(parameters.get("SRV_PARAM_RECLEN")),
        default=_detector_settings(facts, parameters, str(path)),
        channels=channels,
        enabled=tuple(enabled),
    )


def _entries(element: Element | None) -> dict[str, str]:
    """Return key and value of each entry; the value of a board's parameter is wrapped once more than a channel's."""
    values = {}
    for entry in element.findall("entry") if element is not None else ():
        key, value = entry.findtext("key"), entry.find("value")
        if key is not None and value is not None:
            values[key.strip()] = (value.findtext("value") or value.text or "").strip()
    return values


def _detector_settings(facts: Mapping[str, Any], values: Mapping[str, str], source: str) -> DetectorSettings:
    pretrigger_ns = _number(_first(values, _PRETRIGGER_KEYS))
    found = dict(facts) | {
        "polarity": _POLARITIES.get(_first(values, _POLARITY_KEYS) or ""),
        "pretrigger_ns": pretrigger_ns if pretrigger_ns is not None and pretrigger_ns >= 0 else None,
        "gates": _gates(values),
    }
    return validate_settings({name: value for name, value in found.items() if value is not None}, source=source)


def _gates(values: Mapping[str, str]) -> dict[str, float] | None:
    """Return the gates of the DPP-PSD firmware, counted from the trigger, which its own time pick-off sets."""
    before = _number(values.get("SRV_PARAM_CH_GATEPRE"))
    short, long = _number(values.get("SRV_PARAM_CH_GATESHORT")), _number(values.get("SRV_PARAM_CH_GATE"))
    if before is None or short is None or long is None or not 0 < short < long:
        return None
    return {"gate_start_ns": -before, "short_gate_end_ns": short - before, "long_gate_end_ns": long - before}


def _sample_period_ns(element: Element, parameters: Mapping[str, str]) -> float | None:
    """Return sampleTime times the down-sampling of the waveforms; None if either is not understood."""
    time_ps = _number(element.findtext("sampleTime"))
    if time_ps is None or time_ps <= 0:
        return None
    wanted = parameters.get("SRV_PARAM_WAVEFORM_DOWNSAMPLING", "").upper()
    if wanted.rpartition("_")[2] in _FULL_RATE:
        return time_ps / 1000
    factor = re.search(r"(\d+)$", wanted)
    return time_ps / 1000 * int(factor[1]) if factor is not None and int(factor[1]) > 0 else None


def _first(values: Mapping[str, str], keys: Iterable[str]) -> str | None:
    return next((values[key] for key in keys if values.get(key)), None)


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else float("nan")
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def _integer(text: str | None) -> int | None:
    value = _number(text)
    return int(value) if value is not None and value.is_integer() else None


def _agreed(channels: Sequence[DetectorSettings]) -> DetectorSettings:
    first, *others = channels
    same = {
        name: value
        for name, value in first.model_dump(exclude_none=True).items()
        if all(getattr(other, name) == getattr(first, name) for other in others)
    }
    return validate_settings(same, source="settings.xml")
