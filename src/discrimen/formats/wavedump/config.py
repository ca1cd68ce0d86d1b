"""What goes with a WaveDump file: WaveDumpConfig.txt beside it, and the clock of its trigger time tags.

The configuration file has one ``KEY value`` a line, ``#`` comments, sections ``[COMMON]`` and ``[channel]``, and
stretches between ``@OFF`` and ``@ON`` that WaveDump skips (CAEN UM2091). It holds no sampling period.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.formats.settings_merge import merge_settings
from discrimen.pulses.detector import DetectorSettings, PolarityName

CONFIG_NAMES = ("WaveDumpConfig.txt", "WaveDumpConfig_X742.txt", "WaveDumpConfig_X740.txt")

_COMMON = "COMMON"
_LARGEST_CONFIG_BYTES = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveDumpConfig:
    """The settings of one WaveDump run.

    Parameters
    ----------
    path : Path
        The file they come from.
    sections : mapping
        For each section ("COMMON" or the channel's number as text), the values by keyword.
    skipped : tuple of str
        What stands between ``@OFF`` and ``@ON``: a remark for people, never used as data.
    """

    path: Path
    sections: Mapping[str, Mapping[str, str]]
    skipped: tuple[str, ...] = ()

    def value(self, key: str, channel: int | None = None) -> str | None:
        """Return the value of a keyword, that of the channel's own section first."""
        own = self.sections.get(str(channel), {})
        return own.get(key, self.sections.get(_COMMON, {}).get(key))

    @property
    def record_length(self) -> int | None:
        """Samples a record as asked for; some boards round it up (x751: 6000 gives 6006).

        Raises
        ------
        SettingsError
            If it is no positive whole number.
        """
        text = self.value("RECORD_LENGTH")
        if text is None:
            return None
        if not text.isdecimal() or int(text) == 0:
            raise SettingsError(f"{self.path}: RECORD_LENGTH must be a positive whole number, got '{text}'")
        return int(text)

    @property
    def headers_off(self) -> bool:
        """Whether the file asks for events without headers."""
        return (self.value("OUTPUT_FILE_HEADER") or "").upper() == "NO"

    def polarity(self, channel: int | None) -> PolarityName | None:
        """Return the polarity of the pulses of a channel, if the file tells it."""
        text = (self.value("PULSE_POLARITY", channel) or "").upper()
        if text == "POSITIVE":
            return "positive"
        return "negative" if text == "NEGATIVE" else None


def parse_config(text: str, path: Path) -> WaveDumpConfig:
    """Parse the text of a WaveDumpConfig.txt; of a keyword given twice in a section the last one holds."""
    sections: dict[str, dict[str, str]] = {}
    skipped: list[str] = []
    section, active = _COMMON, True
    for raw in text.splitlines():
        line = raw.split("#")[0].strip()
        if line.upper() in ("@OFF", "@ON"):
            active = line.upper() == "@ON"
        elif not line:
            continue
        elif not active:
            skipped.append(line)
        elif heading := re.fullmatch(r"\[\s*(\w+)\s*\]", line):
            section = heading[1].upper()
        else:
            key, _, value = line.partition(" ") if " " in line else line.partition("\t")
            sections.setdefault(section, {})[key.upper()] = value.strip()
    return WaveDumpConfig(path=path, sections=sections, skipped=tuple(skipped))


def find_config(path: Path, companion: Path | None) -> WaveDumpConfig | None:
    """Read the configuration named by the user, else the one beside the run file (or where it links to), if any.

    Raises
    ------
    SettingsError
        If it cannot be read, or the one that the user named holds no WaveDump keyword.
    """
    places = (path, path.resolve()) if path.is_symlink() else (path,)
    beside = [place.with_name(name) for place in places for name in CONFIG_NAMES]
    found = companion or next((candidate for candidate in beside if candidate.is_file()), None)
    if found is None:
        return None
    try:
        with found.open("rb") as stream:
            config = parse_config(stream.read(_LARGEST_CONFIG_BYTES).decode("utf-8", errors="replace"), found)
    except OSError as error:
        raise SettingsError(f"{found}: cannot read the WaveDump configuration: {error.strerror}") from error
    known = {"OPEN", "RECORD_LENGTH", "OUTPUT_FILE_FORMAT", "OUTPUT_FILE_HEADER", "POST_TRIGGER", "PULSE_POLARITY"}
    if companion is not None and not known & set(config.sections.get(_COMMON, {})):
        raise SettingsError(
            f"{found}: expected a WaveDumpConfig.txt with RECORD_LENGTH and the like, found none of them"
        )
    return config


def run_settings(
    options: ReadOptions, config: WaveDumpConfig | None, *, channel: int | None, adc_bits: int | None
) -> tuple[DetectorSettings, dict[str, str]]:
    """Return the settings of a WaveDump run and where each comes from.

    POST_TRIGGER gives no pre-trigger: the latency of the trigger is not in it, so that pulses begin well before the
    place it names (by a tenth to two fifths of it in real runs), and a baseline up to there would lie in the pulse.
    """
    polarity = config.polarity(channel) if config else None
    found = DetectorSettings(polarity=polarity, adc_bits=adc_bits)
    name = config.path.name if config else ""
    return merge_settings(options.settings, found, found_in={"polarity": name, "adc_bits": "file"})


@dataclass(frozen=True, slots=True)
class TagClock:
    """The clock that WaveDump's trigger time tags count.

    Parameters
    ----------
    step_ps : tuple of (int, int)
        One step in ps, as numerator and denominator.
    bits : int
        Width of the counter; the bits above it are a roll-over flag.
    """

    step_ps: tuple[int, int]
    bits: int

    @property
    def range_ps(self) -> int:
        """Time after which the counter starts again, in ps."""
        return (1 << self.bits) * self.step_ps[0] // self.step_ps[1]

    def time_ps(self, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return unwrapped tags in ps."""
        return ticks * self.step_ps[0] // self.step_ps[1]

    def ticks(self, time_ps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return times in ps as tags, to the nearest step, not yet wrapped."""
        return (time_ps * self.step_ps[1] + self.step_ps[0] // 2) // self.step_ps[0]

    def __str__(self) -> str:
        return f"{self.step_ps[0] / self.step_ps[1] / 1000:.4g} ns"


_CLOCK_125_MHZ = TagClock((8000, 1), 31)
_CLOCK_100_MHZ = TagClock((10000, 1), 31)
_CLOCK_X742 = TagClock((25600, 3), 30)


def tag_clock(sample_period_ns: float | None, *, sample_bytes: int) -> TagClock | None:
    """Return the clock of the trigger tags of the boards that sample at this period, or None where that is open.

    Floating-point samples mean an x742: 117.1875 MHz, 30 bits. Of the integer boards those of 0.5, 1, 2 and 4 ns (x720,
    x721, x725, x730, x731, x751) count 125 MHz, that of 10 ns and its decimations by powers of two (x724) 100 MHz;
    31 bits and a roll-over flag (CAEN UM3148 and UM3247, event structure). Without a sampling period the family is
    unknown.
    """
    if sample_bytes == 4:
        return _CLOCK_X742
    if sample_period_ns is None:
        return None
    if any(math.isclose(sample_period_ns, period_ns) for period_ns in (0.5, 1, 2, 4)):
        return _CLOCK_125_MHZ
    if any(math.isclose(sample_period_ns, 10 * 2**power) for power in range(8)):
        return _CLOCK_100_MHZ
    return None


@dataclass(slots=True)
class TagUnwrapper:
    """Make trigger tags run on where their counter starts again, each channel by itself.

    A pause longer than the counter's range cannot be seen in the file: it shortens the time axis by whole ranges.
    """

    clock: TagClock
    _last: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    def time_ps(
        self, board: NDArray[np.int64], channel: NDArray[np.int64], tag: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the trigger times in ps of events in file order.

        Parameters
        ----------
        board, channel, tag : ndarray of int64, shape (event,)

        Returns
        -------
        ndarray of int64, shape (event,)
        """
        tag = tag & ((1 << self.clock.bits) - 1)
        ticks = np.empty(len(tag), dtype=np.int64)
        key = (board << 32) | channel
        for value in np.unique(key).tolist():
            chosen = np.flatnonzero(key == value)
            origin = (value >> 32, value & 0xFFFFFFFF)
            last, turns = self._last.get(origin, (0, 0))
            own = tag[chosen]
            turn = turns + np.cumsum(np.diff(own, prepend=last) < 0)
            ticks[chosen] = own + (turn << self.clock.bits)
            self._last[origin] = (int(own[-1]), int(turn[-1]))
        return self.clock.time_ps(ticks)
