"""Bring together what the user said of a detector and what the run file says, and remember who said what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from discrimen.errors import SettingsError
from discrimen.formats.base import Reader
from discrimen.pulses.array import merged_channels
from discrimen.pulses.detector import DetectorSettings

COMMAND_LINE = "command line"


def merge_settings(
    given: DetectorSettings, found: DetectorSettings, *, found_in: str | Mapping[str, str]
) -> tuple[DetectorSettings, dict[str, str]]:
    """Fill what the user left open from what was found, and name the source of each known value.

    Parameters
    ----------
    given : DetectorSettings
        From the user; wins.
    found : DetectorSettings
        From the run file or a companion of it.
    found_in : str or mapping of str to str
        Name of the source of `found`, for all values or for each.

    Returns
    -------
    settings : DetectorSettings
    source : dict of str to str
        For each value that is known.
    """
    settings = given.filled_from(found)
    source = {}
    for name in settings.model_dump(exclude_none=True):
        if getattr(given, name) is not None:
            source[name] = COMMAND_LINE
        else:
            source[name] = found_in if isinstance(found_in, str) else found_in[name]
    return settings, source


def common_settings(readers: Sequence[Reader]) -> DetectorSettings:
    """Return what the settings of several files say together.

    Raises
    ------
    SettingsError
        If two of them contradict each other.
    """
    merged = DetectorSettings()
    channels = merged_channels(reader.info.settings for reader in readers)
    for reader in readers:
        settings = reader.info.settings.model_copy(update={"channels": None})
        known = settings.model_dump(exclude_none=True)
        for name, value in merged.model_dump(exclude_none=True).items():
            if name != "name" and name in known and known[name] != value:
                raise SettingsError(
                    f"{reader.info.path}: {name} is {known[name]}, but {value} in the files before it; "
                    "take them apart, or say what holds with an option or --settings"
                )
        merged = merged.filled_from(settings)
    return merged.model_copy(update={"channels": channels})
