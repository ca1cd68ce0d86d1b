"""Windows of pulses: how long they are, how often they are judged, and how far each mean may go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.reconstruction.quality.look import Mark
from discrimen.reconstruction.quality.reference import ChannelReference
from discrimen.reconstruction.quality.tails import most_marked

WINDOW = 1000
FALSE_ALARM_RATE = 1e-5
BLOCKS_A_WINDOW = 10
SCALES = (1, 10, 50, 200)
"""Lengths of the windows in blocks: with blocks of 100 pulses 100, 1000, 5000 and 20,000."""
REFERENCE_TO_WINDOW = 4
"""A reference must hold so many times the pulses of a window to be compared with it."""

_MOST_KEPT = 256
"""Limits that are kept: a reference is compared with many files."""

MARKS: tuple[Mark, ...] = tuple(Mark)


def block_of(window: int) -> int:
    """Return the pulses of a block.

    Raises
    ------
    SettingsError
        If a window is no multiple of its blocks.
    """
    if window < BLOCKS_A_WINDOW or window % BLOCKS_A_WINDOW:
        raise SettingsError(f"a window is a multiple of {BLOCKS_A_WINDOW} pulses, got {window}")
    return window // BLOCKS_A_WINDOW


def step_of(scale: int) -> int:
    """Return after how many blocks a window of so many blocks is judged again: it moves on by a tenth."""
    return max(1, scale // BLOCKS_A_WINDOW)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Limits:
    """How far windows of one length may go.

    Parameters
    ----------
    lower, upper : ndarray of float64, shape (tested,)
        Of the means, in units of their standard deviation, both positive.
    marked : ndarray of int64, shape (mark,)
        Most marked pulses.
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    marked: NDArray[np.int64]


@lru_cache(maxsize=_MOST_KEPT)
def limits_of(reference: ChannelReference, *, window: int, false_alarm_rate: float) -> Mapping[int, Limits]:
    """Return the limits of each length of window that the reference is long enough for, by its blocks.

    The rate is shared evenly among the lengths, the places at which each is judged, and all that is tested
    (Bonferroni), so that the alarms of good pulses are at most so many.

    Parameters
    ----------
    reference : ChannelReference
        Of the channel.
    window : int
        Pulses.
    false_alarm_rate : float
        False alarms of a channel in so many pulses as a window has.

    Raises
    ------
    SettingsError
        If the rate is no small positive number.
    """
    if not 0 < false_alarm_rate <= 0.1:
        raise SettingsError(f"a rate of false alarms lies between 0 and 0.1, got {false_alarm_rate:g}")
    block = block_of(window)
    scales = [scale for scale in SCALES if scale * block * REFERENCE_TO_WINDOW <= reference.n_usable]
    n_tests = 2 * len(reference.tested) + len(MARKS)
    found = {}
    for scale in scales:
        p_value = false_alarm_rate / len(SCALES) / (BLOCKS_A_WINDOW / step_of(scale)) / n_tests
        n_pulses = scale * block
        # What the reference itself does not know of its means, and how restless the channel is when all is well.
        wider = np.sqrt(np.asarray(reference.restless[n_pulses]) + n_pulses / reference.n_usable)
        lower, upper = np.array([each.limits(n_pulses, p_value) for each in reference.values]).T
        counts = [
            most_marked(reference.n_pulses, reference.n_marked[str(mark.name)], n_pulses, p_value) for mark in MARKS
        ]
        found[scale] = Limits(lower=lower * wider, upper=upper * wider, marked=np.array(counts))
    return found
