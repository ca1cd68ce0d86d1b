"""Whether a stream is well, in a few words: the worst first."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import localtime, strftime
from typing import Literal

from discrimen.online.monitor.watch import Watch

Level = Literal["well", "waiting", "warning", "alarm"]

RECENT_S = 60.0
"""So long a gap is spoken of; its mark stays."""

_BUSY = 0.9
_NO_PULSES_S = 10.0


@dataclass(frozen=True, slots=True)
class State:
    """How it is with a stream.

    Parameters
    ----------
    level : str
        From well to alarm.
    title : str
        In one or two words.
    lines : list of str
        What is wrong, and what is good to know.
    """

    level: Level
    title: str
    lines: list[str] = field(default_factory=list)


def state_of(watch: Watch, now_s: float, address: str) -> State:
    """Return how it is with a stream that tells at an address."""
    feed = watch.feed
    told, heard_s = feed.last, feed.heard_s
    if told is None or heard_s is None:
        lines = [f"Nothing has been heard at {address}. Start: discrimen stream ... --monitor {address}"]
        if watch.n_unread:
            lines.append(f"{watch.n_unread} messages there could not be read: {watch.unread}")
        return State("waiting", "no stream", lines)
    if feed.are_two(now_s):
        return State("alarm", "two streams", [f"Two streams tell at {address}: stop one, or give it another address"])
    if feed.is_silent(now_s):
        return State("alarm", "no stream", [f"Nothing has been heard of the stream since {_clock(heard_s)}"])
    alarms, warnings = _alarms(watch), _warnings(watch, now_s)
    notes = _notes(watch)
    if alarms:
        return State("alarm", alarms[0][0], [each[1] for each in (*alarms, *warnings)] + notes)
    if told.is_ended:
        return State("waiting", "ended", [f"The stream ended at {_clock(heard_s)}", *(w[1] for w in warnings), *notes])
    if warnings:
        return State("warning", warnings[0][0], [each[1] for each in warnings] + notes)
    return State("well", "running", notes)


def _alarms(watch: Watch) -> list[tuple[str, str]]:
    told, found = watch.feed.last, []
    for channel in watch.channels:
        if channel.drift.drifted:
            board, number = channel.place
            what = ", ".join(_PLAIN.get(name, name) for name in channel.drift.drifted)
            found.append(("drift", f"Board {board} channel {number} is not what it was: {what}"))
    if watch.together is not None and watch.together.drifted:
        what = ", ".join(_PLAIN.get(name, name) for name in watch.together.drifted)
        found.insert(0, ("drift", f"All channels together are unlike the reference: {what}"))
    if len(found) > _MOST_LINES:
        found = [*found[:_MOST_LINES], ("drift", f"and {len(found) - _MOST_LINES} more channels")]
    for reason, count in (told.refused if told else {}).items():
        found.append(("wrong pulses", f"{count} pulses do not fit the model: {reason}"))
    return found


_MOST_LINES = 4
_PLAIN = {
    "logit": "score",
    "peak_adc": "height",
    "baseline_adc": "baseline",
    "noise_adc": "noise",
    "logit at peak_adc": "score at given height",
}


def _warnings(watch: Watch, now_s: float) -> list[tuple[str, str]]:
    feed, found = watch.feed, []
    told = feed.last
    recent = [gap for gap in feed.gaps if gap.end_s > now_s - RECENT_S]
    found += [("data missing", f"{_clock(gap.end_s)}: {gap.why}") for gap in recent[-3:]]
    if told is not None and told.busy > _BUSY:
        found.append(("at its limit", f"The stream computes {told.busy:.0%} of the time: it may not keep up"))
    if told is not None and not told.is_ended and watch.idle_s(now_s) > _NO_PULSES_S:
        found.append(("no pulses", f"No pulses have come for {watch.idle_s(now_s):.0f} s"))
    if len(watch.channels) and watch.n_channels_unseen:
        found.append(("too many channels", f"{watch.n_channels_unseen} more channels are not shown"))
    return found


def _notes(watch: Watch) -> list[str]:
    notes, told, feed = [], watch.feed.last, watch.feed
    if told is not None and told.n_pulses > 1.02 * told.n_counted and told.n_counted:
        share = told.n_counted / told.n_pulses
        notes.append(f"{share:.0%} of the pulses are counted by channel, the rates are scaled up")
    if feed.n_bulletins_missed:
        notes.append(f"{feed.n_bulletins_missed} bulletins of the stream were dropped; no counts are lost by that")
    if watch.measurer is not None and watch.measurer.missing:
        notes.append(f"No PSD: {watch.measurer.missing}")
    if watch.n_unread:
        notes.append(f"{watch.n_unread} messages to this page could not be read: {watch.unread}")
    learning = [each for each in watch.channels if each.drift.learned_share < 1]
    if learning:
        least = min(each.drift.learned_share for each in learning)
        notes.append(f"Drift: {len(learning)} of {len(watch.channels)} channels are still being learnt ({least:.0%})")
    return notes


def _clock(time_s: float) -> str:
    return strftime("%H:%M:%S", localtime(time_s))
