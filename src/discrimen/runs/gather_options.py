"""How channels become hits: which are a crystal's, which is the core, what is together, and which hits are left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from discrimen.errors import SettingsError
from discrimen.pulses.hit_flags import HitFlag
from discrimen.pulses.hits import SEGMENT_NAMES

N_SEGMENTS = len(SEGMENT_NAMES)
CORE_CHANNEL = N_SEGMENTS
CHANNELS = tuple(range(N_SEGMENTS + 1))
"""Channels of a crystal in the order of its segments, and the core."""

FAULTY = HitFlag.NO_CORE | HitFlag.REPEATED_CHANNEL | HitFlag.UNEQUAL_LENGTH | HitFlag.BELOW_THRESHOLD
"""Hits that cannot be trusted, by default; of hits that lack a segment the mask of channels says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherOptions:
    """How channels become hits.

    Parameters
    ----------
    channels : tuple of int
        Channels of a crystal, in the order in which the hits will have them.
    core : int or None
        Which of them is the core.
    window_ns : float
        Largest distance of a trace's time from the first one of its hit; 0 for the same time.
    threshold : float or None
        Least energy of the core, in the unit of the file.
    dead : tuple of int
        Channels that are known to be dead: their traces are not used.
    flat_is_dead : bool
        Whether a trace whose samples are all the same is of a dead channel; noiseless calculated traces are not.
    leave_out : HitFlag
        Hits with one of these faults are counted, and not handed out.

    Raises
    ------
    SettingsError
        If a channel comes twice, or what is said does not fit together.
    """

    channels: tuple[int, ...] = CHANNELS
    core: int | None = CORE_CHANNEL
    window_ns: float = 0.0
    threshold: float | None = None
    dead: tuple[int, ...] = ()
    flat_is_dead: bool = True
    leave_out: HitFlag = FAULTY

    def __post_init__(self) -> None:
        twice = [channel for channel, count in Counter(self.channels).items() if count > 1]
        if twice:
            raise SettingsError(f"channel {twice[0]} comes twice among the channels of a crystal: name each once")
        if not self.channels or min(self.channels) < 0:
            raise SettingsError(f"expected channels of a crystal from 0 on, got {self.channels}")
        for what, named in (("core", [] if self.core is None else [self.core]), ("dead", self.dead)):
            strange = [channel for channel in named if channel not in self.channels]
            if strange:
                raise SettingsError(f"{what}: channel {strange[0]} is not among the {len(self.channels)} of a crystal")
        if not 0 <= self.window_ns < 1e6:
            raise SettingsError(f"expected a window of 0 ns up to 1 ms, got {self.window_ns:g} ns")

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each channel of a hit: of a whole crystal those of its segments, else the numbers of the channels."""
        n_others = len(self.channels) - (self.core is not None)
        others = iter(SEGMENT_NAMES if n_others == N_SEGMENTS else [str(c) for c in self.channels if c != self.core])
        return tuple("core" if channel == self.core else next(others) for channel in self.channels)
