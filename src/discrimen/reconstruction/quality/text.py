"""What a watch found, in words and tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from discrimen.reconstruction.quality.look import Mark
from discrimen.reconstruction.quality.reference import ChannelReference, QualityReference
from discrimen.reconstruction.quality.result import RunQuality
from discrimen.reconstruction.quality.signatures import OTHER_MIXTURE, OTHER_SPECTRUM, UNKNOWN, Named
from discrimen.reconstruction.quality.watch import NAMED_BY_MARK, Alarm
from discrimen.reconstruction.quality.windows import REFERENCE_TO_WINDOW, SCALES, block_of
from discrimen.simulation.faults import FAULTS

NAMES: Mapping[str, str] = MappingProxyType(
    {
        **{name: fault.summary for name, fault in FAULTS.items()},
        OTHER_SPECTRUM: "other heights (source, threshold)",
        OTHER_MIXTURE: "other kinds of pulses (source)",
        NAMED_BY_MARK[Mark.MISSING]: "missing samples",
        NAMED_BY_MARK[Mark.NO_PULSE]: "records without a pulse",
        NAMED_BY_MARK[Mark.SATURATED]: "saturated pulses",
        NAMED_BY_MARK[Mark.ODD]: "pulses of odd shape",
        UNKNOWN: "unknown",
    }
)
"""Faults and other changes, for people."""

HEADING = ("from pulse", "to", "score", "window", "most likely", "by", "or")


def alarm_row(alarm: Alarm) -> tuple[str, ...]:
    """Return one alarm as text."""
    return (
        str(alarm.begins_at),
        str(alarm.ends_at),
        f"{alarm.score:.3g}",
        str(alarm.window),
        named(alarm.fault),
        alarm.statistic.replace("_", " "),
        others(alarm.fault),
    )


def named(fault: Named) -> str:
    """Return what most likely happened, with its size."""
    text = NAMES[fault.fault]
    if fault.size is not None and fault.fault in FAULTS:
        unit = FAULTS[fault.fault].unit
        text += f" {fault.size:+.3g} {unit}" if unit else f" {fault.size:+.2g}"
    return text


def others(fault: Named) -> str:
    """Return what explains nearly as much."""
    return ", ".join(NAMES[name] for name in fault.also)


def told(run: RunQuality) -> list[str]:
    """Return what of a run was not judged, or not by windows of all lengths, one line each."""
    lines = [f"{run.path}: no pulses of {place}, which the reference knows" for place in run.absent]
    for channel in run.channels:
        where = f"{run.path}, {channel.place}"
        if channel.windows_left_out:
            left_out = ", ".join(map(str, channel.windows_left_out))
            lines.append(f"{where}: too few pulses, here or in the reference, for windows of {left_out} pulses")
        if channel.n_unjudged:
            lines.append(f"{where}: the last {channel.n_unjudged} pulses are too few for a verdict")
        marked = ", ".join(f"{count} {_MARKED[Mark[name]]}" for name, count in channel.n_marked.items() if count)
        if marked:
            lines.append(f"{where}: of {channel.n_pulses} pulses {marked}")
    return lines


_MARKED: Mapping[Mark, str] = MappingProxyType(
    {
        Mark.NO_PULSE: "without a pulse",
        Mark.REVERSED: "of the other polarity",
        Mark.MISSING: "with missing samples",
        Mark.SATURATED: "saturated",
        Mark.ODD: "of odd shape",
    }
)


def told_left_out(reference: QualityReference) -> list[str]:
    """Return what a new reference is too short for, and where its channels were restless, one line each."""
    lines = []
    for place, channel in reference.channels.items():
        n_read = reference.origin["n_read"][place.file_name]
        if n_read > channel.n_pulses:
            lines.append(f"{place}: the first {channel.n_pulses} of {n_read} pulses are the reference")
        lines += [f"{place}: {line}" for line in _of_channel(channel, block_of(reference.window))]
    return lines


def _of_channel(channel: ChannelReference, block: int) -> list[str]:
    lines = []
    windows = [scale * block for scale in SCALES]
    short = [window for window in windows if window * REFERENCE_TO_WINDOW > channel.n_usable]
    if short:
        lines.append(
            f"{channel.n_usable} usable pulses are too few for windows of {', '.join(map(str, short))} pulses: "
            f"{REFERENCE_TO_WINDOW} times as many are needed"
        )
    still = [name for name, each in zip(channel.tested, channel.values, strict=True) if not each.spread > 0]
    if still:
        lines.append(f"never changes in the reference, so it is not watched: {', '.join(still)}")
    restless = [
        f"{name} ({max(factors):.3g} times)"
        for name, factors in zip(channel.tested, zip(*channel.restless.values(), strict=True), strict=True)
        if max(factors) > 1
    ]
    if restless:
        lines.append(f"restless when all was well, so its limits are wider: {', '.join(restless)}")
    return lines
