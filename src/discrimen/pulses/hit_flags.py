"""What may be wrong with a hit of a segmented detector, as bits of the column `flags`."""

from __future__ import annotations

from enum import IntFlag


class HitFlag(IntFlag):
    """Faults of a hit; the bits below are those of :class:`~discrimen.pulses.PulseFlag`, of any of its traces."""

    NO_CORE = 0x1000000
    MISSING_SEGMENT = 0x2000000
    DEAD_CHANNEL = 0x4000000
    REPEATED_CHANNEL = 0x8000000
    UNEQUAL_LENGTH = 0x10000000
    BELOW_THRESHOLD = 0x20000000
    NOT_DENOISED = 0x40000000


HIT_FAULTS = {
    HitFlag.NO_CORE: "without the core's trace",
    HitFlag.MISSING_SEGMENT: "without the trace of a segment",
    HitFlag.DEAD_CHANNEL: "with a dead channel",
    HitFlag.REPEATED_CHANNEL: "with a channel that came twice, of which the first is kept",
    HitFlag.UNEQUAL_LENGTH: "with a trace of another length, which is left out",
    HitFlag.BELOW_THRESHOLD: "below the energy threshold",
}
"""What each fault is, for people."""
