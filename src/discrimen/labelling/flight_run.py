"""Time-of-flight labels of whole runs: every channel has a flash of its own, for cables differ in length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.labelling.gamma_flash import GammaFlash, find_gamma_flash
from discrimen.labelling.places import Place, board_and_channel, by_place, no_place, reasons
from discrimen.labelling.time_of_flight import FlightLabels, FlightOptions, find_flight_labels
from discrimen.output.summary import Summarised
from discrimen.pulses import Pulses
from discrimen.pulses.list_mode import ListModeEvents


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FlightTimes:
    """Raw times of pulses, and where they were digitised.

    Parameters
    ----------
    tof_ns : ndarray of float64, shape (pulse,)
        Raw; NaN where there is none.
    board, channel : ndarray of int32, shape (pulse,)
        Zero where the file does not say.
    energy, psd, score : ndarray of float64, shape (pulse,), optional
        Charge, pulse shape parameter and somebody's figure, where a list has them.
    """

    tof_ns: NDArray[np.float64]
    board: NDArray[np.int32]
    channel: NDArray[np.int32]
    energy: NDArray[np.float64] | None = None
    psd: NDArray[np.float64] | None = None
    score: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class RunFlight(Summarised):
    """The flash of each channel, and the windows that all have in common.

    Parameters
    ----------
    flashes : mapping of Place to GammaFlash
        In raw time.
    problems : mapping of Place to str
        Channels whose pulses all stay unknown, and why.
    found : FlightLabels
        In time of flight: every flash arrives at the speed of light.
    """

    flashes: Mapping[Place, GammaFlash]
    problems: Mapping[Place, str]
    found: FlightLabels

    def flight_time_ns(self, times: FlightTimes) -> NDArray[np.float64]:
        """Return the time of flight of each pulse; NaN in a channel without a flash."""
        return _aligned(times, self.flashes, self.found.options.light_ns)

    def labels(self, times: FlightTimes) -> NDArray[np.int8]:
        """Label pulses; a channel without a flash, and NaN, stays unknown."""
        return self.found.labels(self.flight_time_ns(times))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON; times in ns of flight, those of `channels` as measured."""
        return {
            **asdict(self.found),
            "channels": [{**place._asdict(), **asdict(flash)} for place, flash in self.flashes.items()],
            "channels_without_flash": reasons(self.problems),
        }


def times_of_pulses(pulses: Pulses, *, where: Path | str = "the pulses") -> FlightTimes:
    """Take the times of pulses.

    Raises
    ------
    DataError
        If they have no time of flight.
    """
    if pulses.tof_ns is None:
        raise DataError(f"{where}: the pulses have no time of flight; name the branch with --branch tof_ns=NAME")
    where_digitised = board_and_channel(pulses)
    return FlightTimes(tof_ns=pulses.tof_ns, board=where_digitised["board"], channel=where_digitised["channel"])


def times_of_events(events: ListModeEvents, *, where: Path | str) -> FlightTimes:
    """Take the times of a list, and what else it says of each event.

    Raises
    ------
    DataError
        If it has no time of flight.
    """
    if events.tof_ns is None:
        raise DataError(
            f"{where}: the list has no time of flight, only {', '.join(events.columns())}; name its column with "
            "--branch tof_ns=NAME, or the start detector with --start-channel"
        )
    where_digitised = board_and_channel(events)
    return FlightTimes(
        tof_ns=events.tof_ns,
        board=where_digitised["board"],
        channel=where_digitised["channel"],
        energy=events.long_charge,
        psd=events.psd,
        score=events.score,
    )


def find_run_flight(times: FlightTimes, *, options: FlightOptions, rng: np.random.Generator) -> RunFlight:
    """Find the flash of each channel, lay them on each other and choose common windows.

    Parameters
    ----------
    times : FlightTimes
        Of all files.
    options : FlightOptions
        Flight path and windows.
    rng : numpy.random.Generator
        For the intervals.

    Raises
    ------
    DataError
        If no channel shows a flash, with the reasons of the first three, or as
        :func:`~discrimen.labelling.time_of_flight.find_flight_labels` does.
    """
    light_ns = options.light_ns
    flashes: dict[Place, GammaFlash] = {}
    problems: dict[Place, str] = {}
    lows, highs = [], []
    for place, chosen in by_place(times).items():
        raw = times.tof_ns[chosen]
        raw = np.sort(raw[np.isfinite(raw)])
        try:
            flash = find_gamma_flash(raw)
        except DataError as error:
            problems[place] = str(error)
            continue
        flashes[place] = flash
        lows.append(float(raw[0]) - flash.time_ns + light_ns)
        highs.append(float(raw[-1]) - flash.time_ns + light_ns)
    if not flashes:
        raise no_place(problems)
    aligned = _aligned(times, flashes, light_ns)
    # Only where all channels measure: elsewhere the accidentals of some are missing.
    aligned = aligned[(aligned >= max(lows)) & (aligned <= min(highs))]
    return RunFlight(
        flashes=flashes,
        problems=problems,
        found=find_flight_labels(aligned, options=options, rng=rng),
    )


def _aligned(times: FlightTimes, flashes: Mapping[Place, GammaFlash], light_ns: float) -> NDArray[np.float64]:
    aligned = np.full(len(times.tof_ns), np.nan)
    for place, chosen in by_place(times).items():
        if place in flashes:
            aligned[chosen] = times.tof_ns[chosen] - flashes[place].time_ns + light_ns
    return aligned
