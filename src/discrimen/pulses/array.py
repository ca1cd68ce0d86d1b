"""Pulses of an array: what holds for each of its channels, and what a model of all of them can take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.pulses.detector import ChannelSettings, DetectorSettings, GatesNs
from discrimen.pulses.places import Place, board_and_channel, numbered_places
from discrimen.pulses.waveforms import Pulses

SHARED_BY_A_MODEL = ("polarity", "pretrigger_ns", "baseline")
"""What the one preparation of a model must find alike in all channels."""


def listed(settings: DetectorSettings) -> tuple[Place, ...]:
    """Return the channels that a detector file lists, none where it is of a single detector."""
    return tuple(Place(each.board, each.channel) for each in settings.channels or ())


def by_settings(pulses: Pulses, settings: DetectorSettings) -> Iterator[tuple[NDArray[np.int64], DetectorSettings]]:
    """Yield positions of pulses with the settings that hold for them, those that are alike together."""
    if settings.channels is None:
        yield np.arange(len(pulses)), settings
        return
    places, number = numbered_places(*board_and_channel(pulses).values())
    own = sorted((settings.of(*place).model_dump_json(), at) for at, place in enumerate(places))
    for _, group in groupby(own, key=lambda each: each[0]):
        alike = [at for _, at in group]
        yield np.flatnonzero(np.isin(number, alike)), settings.of(*places[alike[0]])


def settings_of_model(settings: DetectorSettings, places: Sequence[Place]) -> DetectorSettings:
    """Return the settings of a model that is trained on some channels of an array, all of which it lists.

    Raises
    ------
    SettingsError
        If the channels differ in what one preparation needs alike.
    """
    own = {place: settings.of(*place) for place in places}
    first = next(iter(own), None)
    if first is None:
        return settings
    shared = {name: getattr(own[first], name) for name in SHARED_BY_A_MODEL}
    for place, each in own.items():
        for name, value in shared.items():
            if (other := getattr(each, name)) != value:
                raise SettingsError(
                    f"{place} has {name} {_told(other)}, {first} has {_told(value)}: one model takes pulses of one "
                    "preparation; choose channels that are alike with --channel, or train each apart (--each-channel)"
                )
    channels = tuple(ChannelSettings(**place._asdict(), gates=_own_gates(settings, place)) for place in sorted(own))
    return settings.model_copy(update={**shared, "channels": channels})


def with_gates(
    settings: DetectorSettings, gates: Mapping[Place, GatesNs], *, of: Sequence[Place]
) -> tuple[DetectorSettings, bool]:
    """Put gates into the settings of a detector: of a single one at the top, of several with each channel.

    Parameters
    ----------
    settings : DetectorSettings
        Of before.
    gates : mapping of Place to GatesNs
        The new ones.
    of : sequence of Place
        The channels of the run.

    Returns
    -------
    settings : DetectorSettings
    stale : bool
        Whether a calibration of charges over the old gates was left out.
    """
    stale = settings.calibration is not None and settings.calibration.quantity == "long_charge_adc_ns"
    known = settings.model_copy(update={"calibration": None}) if stale else settings
    if len(of) == 1 and settings.channels is None:
        return known.model_copy(update={"gates": gates[of[0]]}), stale
    each = {Place(one.board, one.channel): one for one in settings.channels or ()}
    for place in of:
        one = each.get(place, ChannelSettings(**place._asdict()))
        each[place] = one.model_copy(update={"gates": gates[place]} if place in gates else {})
    return known.model_copy(update={"channels": tuple(each[place] for place in sorted(each))}), stale


def merged_channels(parts: Iterable[DetectorSettings]) -> tuple[ChannelSettings, ...] | None:
    """Return the channels of several files together.

    Raises
    ------
    SettingsError
        If two of them say different things of one channel.
    """
    found: dict[Place, ChannelSettings] = {}
    for each in (each for settings in parts for each in settings.channels or ()):
        place = Place(each.board, each.channel)
        if found.setdefault(place, each) != each:
            raise SettingsError(f"the files say different things of {place}: {found[place].own} and {each.own}")
    return tuple(found[place] for place in sorted(found)) or None


def _own_gates(settings: DetectorSettings, place: Place) -> GatesNs | None:
    gates = settings.of(*place).gates
    return None if gates == settings.gates else gates


def _told(value: object) -> str:
    return "unknown" if value is None else str(value)
