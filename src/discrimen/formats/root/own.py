"""How a tree that this package wrote is known again: its title, and the settings beside it."""

from __future__ import annotations

import json
from typing import Any

from discrimen.errors import FormatError, SettingsError
from discrimen.formats.root.file import RootTree, reading
from discrimen.pulses import COLUMNS
from discrimen.pulses.detector import DetectorSettings, validate_settings

TREE = "pulses"
TITLE = "pulses of discrimen"
SETTINGS_KEY = "detector_settings"
COMMAND_LINE_KEY = "command_line"


def own_branches(tree: RootTree) -> dict[str, str]:
    """Return which branch holds each field of pulses where the tree is our own, else nothing."""
    if tree.title != TITLE:
        return {}
    return {name: name for name in ("samples", *COLUMNS) if name in tree.branches}


def own_settings(file: Any, tree: RootTree) -> DetectorSettings:
    """Return the detector settings beside a tree of our own.

    Raises
    ------
    FormatError
        If they cannot be read.
    """
    if tree.title != TITLE:
        return DetectorSettings()
    with reading(tree.path):
        text = str(file[SETTINGS_KEY])
    try:
        return validate_settings(json.loads(text), source=SETTINGS_KEY)
    except (json.JSONDecodeError, SettingsError) as error:
        raise FormatError(f"the detector settings in the file cannot be read: {error}", tree.path) from error
