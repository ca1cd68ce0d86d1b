"""Live time and rates of a run with their errors, and the pile-up that the rate lets expect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import exp, floor, hypot, log10, sqrt
from typing import Any

from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.places import Place
from discrimen.scoring.counts import ChannelTally, Counted, RunTally
from discrimen.scoring.pile_up import Learned


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Pulses per second of live time, with the standard deviation of their number."""

    value_hz: float
    error_hz: float

    def __add__(self, other: Rate) -> Rate:
        return Rate(value_hz=self.value_hz + other.value_hz, error_hz=hypot(self.error_hz, other.error_hz))

    def __str__(self) -> str:
        decimals = max(0, 1 - floor(log10(self.error_hz))) if self.error_hz > 0 else 3
        return f"{self.value_hz:.{decimals}f} +- {self.error_hz:.{decimals}f} Hz"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRates:
    """One channel in the time of its run.

    Parameters
    ----------
    live_time_s : float
        Real time less the dead time of each pulse, whatever it counts as; with a veto, of the share that is left.
    dead_share : float
        Of the real time.
    pulses, neutrons, gammas : Rate
        All pulses by the live time without the veto; the classes as they are counted.
    """

    live_time_s: float
    dead_share: float
    pulses: Rate
    neutrons: Rate
    gammas: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTime:
    """The time of a run.

    Parameters
    ----------
    real_time_s : float
        From the first to the last time stamp, of all channels together.
    dead_time_from : str
        "settings", or "record length", which is an assumption.
    dead_time_ns : float or None
        A pulse; None where records differ in length.
    channels : mapping of Place to ChannelRates
        By board and channel.
    """

    real_time_s: float
    dead_time_from: str
    dead_time_ns: float | None
    channels: Mapping[Place, ChannelRates]

    def total(self, name: str) -> Rate:
        """Return a rate of all channels together."""
        rates = [getattr(each, name) for each in self.channels.values()]
        return sum(rates, Rate(value_hz=0.0, error_hz=0.0))

    @property
    def dead_shares(self) -> tuple[float, float]:
        """Least and largest dead share of a channel."""
        shares = [each.dead_share for each in self.channels.values()]
        return min(shares), max(shares)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "real_time_s": self.real_time_s,
            "dead_time_ns": self.dead_time_ns,
            "dead_time_from": self.dead_time_from,
            **{f"{name}_rate": asdict(self.total(name)) for name in ("pulses", "neutrons", "gammas")},
        }


def run_time(tally: RunTally, settings: DetectorSettings) -> RunTime | str:
    """Return live times and rates, or why they cannot be known.

    The digitizer is taken to be blind for a fixed time after each trigger (non-extending dead time; Knoll, Radiation
    Detection and Measurement, chapter 4): rate = N / (T - N tau), of which the standard deviation is sqrt(N) / (T - N
    tau), since a dead time makes counts less scattered by just what it makes them fewer. The first pulse of a run
    starts the clock and is not counted.

    Parameters
    ----------
    tally : RunTally
        The counts of a run.
    settings : DetectorSettings
        Its `dead_time_ns` is tau; by default each record's own length.
    """
    if not tally.has_time or tally.first_ps is None or tally.last_ps is None:
        return "the file has no time stamps"
    if not tally.has_one_clock:
        return "the file holds several runs (bunches of n_TOF), and each counts its time again"
    if tally.n_back:
        return f"the clock was set back: {tally.n_back} pulses come more than 1 s before earlier ones of the file"
    real_s = (tally.last_ps - tally.first_ps) * 1e-12
    if real_s <= 0:
        return "all pulses have the same time stamp"
    told = settings.dead_time_ns
    channels = {}
    for place, each in tally.channels.items():
        dead_s = (each.recorded_ns if told is None else told * len(each)) * 1e-9
        if dead_s >= real_s:
            return (
                f"the dead time of the {len(each)} pulses of {place} is {dead_s:.4g} s of {real_s:.4g} s: put what the "
                "digitizer really is dead for as dead_time_ns into --settings"
            )
        channels[place] = _rates(each, real_s=real_s, dead_s=dead_s, counted=1 - 1 / len(tally))
    lengths = {round(each.recorded_ns / len(each), 6) for each in tally.channels.values()}
    return RunTime(
        real_time_s=real_s,
        dead_time_from="record length" if told is None else "settings",
        dead_time_ns=told if told is not None else lengths.pop() if len(lengths) == 1 else None,
        channels=channels,
    )


def _rates(each: ChannelTally, *, real_s: float, dead_s: float, counted: float) -> ChannelRates:
    live_s = real_s - dead_s
    # A veto takes pulses of both kinds alike: it shortens the time.
    left_s = live_s * (1 - int(each.counted[Counted.VETOED]) / len(each))

    def rate(number: int, seconds: float) -> Rate:
        return Rate(
            value_hz=number * counted / seconds if seconds else 0.0, error_hz=sqrt(number) / seconds if seconds else 0.0
        )

    return ChannelRates(
        live_time_s=left_s,
        dead_share=dead_s / real_s,
        pulses=rate(len(each), live_s),
        neutrons=rate(int(each.counted[Counted.NEUTRON]), left_s),
        gammas=rate(int(each.counted[Counted.GAMMA]), left_s),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PileUpShares:
    """Pile-up that was found in a run, beside what its rate lets expect.

    Parameters
    ----------
    found, found_error : float or None
        Share of records in which a second pulse was found; None where it was not looked for.
    told : float or None
        Share that the digitizer flags; None where it flags nothing.
    expected : float or None
        Share of records with a second pulse behind the first, by the rate of each channel; None without a rate.
    expected_found : float or None
        Of which so many are found: clean records of the run were laid over each other to know it.
    """

    found: float | None
    found_error: float | None
    told: float | None
    expected: float | None
    expected_found: float | None


def pile_up_shares(
    tally: RunTally,
    time: RunTime | str,
    learned_of: Callable[[Place], Learned | None] | None,
    settings: DetectorSettings,
) -> PileUpShares:
    """Compare what was found with 1 - exp(-rate * rest of the record) of each channel.

    `learned_of` gives what tells second pulses of a channel; None where they were not looked for.
    """
    n_pulses = max(1, len(tally))
    looked = learned_of is not None and all(learned_of(place) is not None for place in tally.channels)
    found = sum(each.n_in_record for each in tally.channels.values()) / n_pulses if looked else None
    expected, expected_found = 0.0, 0.0
    for place, each in tally.channels.items():
        if isinstance(time, str):
            break
        learned = None if learned_of is None else learned_of(place)
        rest_ns = each.recorded_ns / len(each) - (settings.pretrigger_ns or 0.0)
        rest_ns = rest_ns if learned is None else learned.rest_ns
        share = len(each) / n_pulses * (1 - exp(-time.channels[place].pulses.value_hz * rest_ns * 1e-9))
        expected += share
        expected_found += share * (0.0 if learned is None else learned.seen_share)
    known = not isinstance(time, str)
    told = sum(each.n_told for each in tally.channels.values()) / n_pulses
    return PileUpShares(
        found=found,
        found_error=None if found is None else sqrt(max(found * (1 - found), 1 / n_pulses) / n_pulses),
        told=told if tally.has_flags else None,
        expected=expected if known else None,
        expected_found=expected_found if known and looked else None,
    )


def channel_table(tally: RunTally, time: RunTime | str) -> list[dict[str, Any]]:
    """Return one row a channel, in order, ready for JSON."""
    rows = []
    for place, each in sorted(tally.channels.items()):
        rates = None if isinstance(time, str) else asdict(time.channels[place])
        rows.append(
            {
                **place._asdict(),
                "n_pulses": len(each),
                **{f"n_{what.name.lower()}": int(each.counted[what]) for what in Counted},
                "n_outside": each.n_outside,
                "n_pile_up_in_record": each.n_in_record,
                "n_pile_up_told": each.n_told,
                **({} if rates is None else rates),
            }
        )
    return rows
