"""Clocks of the front end in hardware, with one sample a clock (``front_end.v``) or several (``front_end_wide.v``)."""

from __future__ import annotations

from dataclasses import dataclass

from discrimen.errors import SettingsError
from discrimen.fpga.front_end import FrontEnd

SAMPLES_PER_CLOCK = (1, 2, 4)
_TOP_MARGIN = 9
_MEAN_CLOCKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEndTiming:
    """When the front end gives what.

    Parameters
    ----------
    samples_per_clock : int
        1, 2 or 4.
    delay : int
        Clocks by which a window is whole later than that of one sample a clock: it must be aligned.
    reset_clocks : int
        How many clocks fill every delay line.
    least_length : int
        The shortest window whose trigger is known in time.
    """

    samples_per_clock: int
    delay: int
    reset_clocks: int
    least_length: int


def timing_of(front_end: FrontEnd, samples_per_clock: int) -> FrontEndTiming:
    """Compute the clocks of a front end.

    Raises
    ------
    SettingsError
        If so many samples a clock are not known.
    """
    if samples_per_clock not in SAMPLES_PER_CLOCK:
        raise SettingsError(f"{samples_per_clock} samples a clock: expected 1, 2 or 4")
    if samples_per_clock == 1:
        return FrontEndTiming(
            samples_per_clock=1,
            delay=0,
            reset_clocks=max(front_end.before + 4, front_end.n_mean) + front_end.gap + 8,
            least_length=2 * front_end.before + front_end.peak_samples + _TOP_MARGIN,
        )
    return _wide(front_end, samples_per_clock)


def _wide(front_end: FrontEnd, n: int) -> FrontEndTiming:
    """Do the sums of the local parameters of ``front_end_wide.v``."""
    armed_at = max(0, _MEAN_CLOCKS + 1 - front_end.gap // n) + 2
    peak_words = (n + front_end.peak_samples - 2) // n + 1
    found_at = armed_at + peak_words + n.bit_length() - 1 + 5
    words_before = -(-front_end.before // n)
    redo = found_at + 1 + words_before
    rest = front_end.length - front_end.before - 1
    unknown = redo + found_at - rest // n
    delay = max(0, -(-unknown // 2), found_at - rest // n, redo + 1 - front_end.length // n)
    return FrontEndTiming(
        samples_per_clock=n,
        delay=delay,
        reset_clocks=redo + (front_end.n_mean + front_end.gap + rest) // n + 16,
        least_length=front_end.before + 1 + n * max(found_at + 1 - armed_at, 2 + words_before),
    )
