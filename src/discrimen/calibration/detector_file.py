"""The detector file that a calibration ends in: the settings that were known, with the lines of the channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from discrimen.calibration.calibrate import Calibrated, CalibratedChannel
from discrimen.errors import SettingsError
from discrimen.output.provenance import command_line
from discrimen.pulses.detector import (
    SIMULATION_SECTION,
    ChannelCalibration,
    DetectorSettings,
    LightCalibration,
    read_yaml,
)
from discrimen.pulses.places import Place

_DIGITS = 6


def calibrated_settings(found: Calibrated, known: DetectorSettings) -> tuple[DetectorSettings, tuple[Place, ...]]:
    """Put a calibration into the settings of a detector.

    One channel that the settings do not tell from others gives one line for all pulses. Channels that the settings
    calibrate and the runs do not have keep their line.

    Returns
    -------
    settings : DetectorSettings
    kept : tuple of Place
        The channels whose line was kept.

    Raises
    ------
    SettingsError
        If lines would have to be kept that are in another quantity.
    """
    before = known.calibration
    seen = {*found.channels, *found.problems}
    others = [] if before is None else [each for each in before.channels or () if _place(each) not in seen]
    if before is not None and others and before.quantity != found.quantity:
        raise SettingsError(
            f"the settings calibrate {_names([_place(each) for each in others])} in {before.quantity}; the runs have "
            f"no such channel, and this calibration is in {found.quantity}: calibrate all channels at once, or give "
            f"--quantity {before.quantity}"
        )
    single = len(seen) == 1 and not others and (before is None or not before.channels)
    if single:
        calibration = LightCalibration(quantity=found.quantity, **_line(next(iter(found.channels.values()))))
    else:
        lines = [ChannelCalibration(**place._asdict(), **_line(one)) for place, one in found.channels.items()]
        lines = sorted([*lines, *others], key=_place)
        calibration = LightCalibration(quantity=found.quantity, channels=tuple(lines))
    return known.model_copy(update={"calibration": calibration}), tuple(_place(each) for each in others)


def settings_yaml(settings: DetectorSettings, *, remarks: Sequence[str], before: Path | None = None) -> str:
    """Return a detector file: the settings as YAML, with remarks and the command line above.

    What only the simulator reads of the file that the settings come from, `before`, is kept.
    """
    values = settings.model_dump(mode="json", exclude_none=True)
    known = {} if before is None else read_yaml(before)
    if isinstance(known, Mapping) and SIMULATION_SECTION in known:
        values[SIMULATION_SECTION] = known[SIMULATION_SECTION]
    head = "".join(f"# {' '.join(line.split())}\n" for line in (*remarks, f"Made by: {command_line()}"))
    return head + yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def _line(one: CalibratedChannel) -> dict[str, Any]:
    return {
        "gain_kevee_per_unit": float(f"{one.line.gain_kevee_per_unit:.{_DIGITS}g}"),
        "offset_kevee": float(f"{one.line.offset_kevee:.{_DIGITS}g}"),
        "resolution": one.resolution,
    }


def _place(each: ChannelCalibration) -> Place:
    return Place(each.board, each.channel)


def _names(places: Sequence[Place]) -> str:
    return ", ".join(map(str, places))
