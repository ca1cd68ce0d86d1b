"""What was met while hits were put together from channels, and how it is told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from discrimen.pulses.hit_flags import HIT_FAULTS, HitFlag

_OTHERS_TOLD = 8


@dataclass(slots=True)
class GatherReport:
    """What was met while hits were put together.

    Attributes
    ----------
    n_traces, n_hits : int
        Traces that came, and hits made of them, those that were left out included.
    n_left_out : int
        Hits with a fault for which they were not handed out.
    n_whole : int
        Hits with all channels and no fault.
    faults : Counter of HitFlag
        Hits with each fault.
    n_same_time : int
        Hits with the crystal and the time of the one before.
    n_repeated : int
        Traces of channels that came twice, dropped.
    other_channels : Counter of int
        Traces of channels that are not in the table, by channel.
    missing, dead : Counter of int
        Hits in which each channel is missing, or dead.
    """

    n_traces: int = 0
    n_hits: int = 0
    n_left_out: int = 0
    n_whole: int = 0
    faults: Counter[HitFlag] = field(default_factory=Counter)
    n_same_time: int = 0
    n_repeated: int = 0
    other_channels: Counter[int] = field(default_factory=Counter)
    missing: Counter[int] = field(default_factory=Counter)
    dead: Counter[int] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "n_traces": self.n_traces,
            "n_hits": self.n_hits - self.n_left_out,
            "n_hits_left_out": self.n_left_out,
            "n_hits_whole": self.n_whole,
            "faults": {str(fault.name).lower(): self.faults[fault] for fault in HIT_FAULTS},
            "n_hits_at_the_same_time": self.n_same_time,
            "n_repeated_traces": self.n_repeated,
            "traces_of_other_channels": {str(each): self.other_channels[each] for each in sorted(self.other_channels)},
            "hits_missing_channel": {str(each): self.missing[each] for each in sorted(self.missing)},
            "hits_with_dead_channel": {str(each): self.dead[each] for each in sorted(self.dead)},
        }

    def lines(self) -> list[str]:
        """Return one line for people for each kind of fault."""
        lines = [f"{self.faults[fault]} hit(s) {told}" for fault, told in HIT_FAULTS.items() if self.faults[fault]]
        for what, counts in (("missing", self.missing), ("dead", self.dead)):
            if counts:
                lines.append(f"{what}, channel: hits: {_most_common(counts)}")
        if self.n_repeated:
            lines.append(f"{self.n_repeated} trace(s) of channels that came twice dropped")
        if self.n_same_time:
            lines.append(f"{self.n_same_time} hit(s) of the crystal and the time of the one before")
        if self.other_channels:
            n_others = sum(self.other_channels.values())
            lines.append(
                f"{n_others} trace(s) of channels that are not in the table: {_most_common(self.other_channels)}"
            )
        return lines


def _most_common(counts: Counter[int]) -> str:
    told = ", ".join(f"{channel}: {count}" for channel, count in counts.most_common(_OTHERS_TOLD))
    return told + (f" and {len(counts) - _OTHERS_TOLD} channel(s) more" if len(counts) > _OTHERS_TOLD else "")
