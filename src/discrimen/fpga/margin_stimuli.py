"""Pulses whose decision hangs on the last bit: the logits' difference is MARGIN exactly, or one step less.

A comparison written as ``>`` instead of ``>=``, or a margin that is one off, decides all other pulses rightly.
Such pulses are too rare to come by themselves, so they are sought: pulses near the margin are changed by a few counts
until the emulator gives the wished difference.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.verification import logit_steps
from discrimen.fpga.verilog import Design

ON_MARGIN = "on the margin"
_WISHED = 8
_STARTS, _VARIANTS, _ROUNDS = 24, 24, 60
_CHANGES = 2 ** np.arange(6)
_PEDESTAL_SHARE = 8


def margin_stream(logic: Any, design: Design, windows: NDArray[np.int32], *, seed: int) -> NDArray[np.int32]:
    """Make a stream of pulses with a difference of logits of MARGIN and of MARGIN - 1 steps.

    Parameters
    ----------
    logic : alkaid.types.CombLogic
        Of :func:`~discrimen.fpga.emulator.combinational`.
    design : Design
        Front end and margin.
    windows : ndarray of int, shape (window, sample)
        Pulses from which the search begins.
    seed : int
        Of the search.

    Returns
    -------
    ndarray of int32, shape (sample,)
        As digitised, up to eight pulses of each difference, with baseline between them. A difference that the search
        does not reach is left out: no network need have every one.
    """
    rng = np.random.default_rng(seed)
    starts = windows[gives_itself(windows[: 50 * _STARTS], design.front_end)]
    kept = [
        _with_difference(logic, design, starts, wished=wished, rng=rng)
        for wished in (design.margin, design.margin - 1)
        if len(starts)
    ]
    chosen = np.concatenate([*kept, np.zeros((0, design.front_end.length), np.int32)])
    return stream_of_windows(chosen, design.front_end)


def stream_of_windows(windows: NDArray[np.int32], front_end: FrontEnd) -> NDArray[np.int32]:
    """Lay windows one after the other on a constant pedestal, far enough apart that none minds the others.

    Parameters
    ----------
    windows : ndarray of int, shape (window, sample)
        Counts above the baseline.
    front_end : FrontEnd
        Tells polarity, width, and how much baseline is needed.

    Returns
    -------
    ndarray of int32, shape (sample,)
        As digitised; what lies beyond the ADC's range is cut off.
    """
    lead = _lead(front_end)
    heights = np.pad(windows, ((0, 0), (lead, 0))).reshape(-1)
    heights = np.concatenate([heights, np.zeros(2 * lead, heights.dtype)])
    high = front_end.highest_adc
    upright: NDArray[np.int32] = np.clip(heights + high // _PEDESTAL_SHARE, 0, high).astype(np.int32)
    return np.subtract(high, upright, dtype=np.int32) if front_end.polarity == "negative" else upright


def gives_itself(windows: NDArray[np.int32], front_end: FrontEnd) -> NDArray[np.intp]:
    """Return which windows the front end finds again, count for count, in their stream, shape (window,)."""
    found = front_end.windows(stream_of_windows(windows, front_end))
    period = _lead(front_end) + front_end.length
    number, place = np.divmod(found.trigger, period)
    right = (place == _lead(front_end) + front_end.before) & (number < len(windows))
    right[right] = (found.values[right] == windows[number[right]]).all(axis=1)
    again: NDArray[np.intp] = number[right].astype(np.intp)
    return again


def _lead(front_end: FrontEnd) -> int:
    return front_end.settling + front_end.length + front_end.peak_samples


def _with_difference(
    logic: Any, design: Design, starts: NDArray[np.int32], *, wished: int, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Climb from the nearest pulses to the wished difference by changes of one to three samples."""
    off = np.abs(_differences(logic, design, starts) - wished)
    nearest = np.argsort(off, kind="stable")[:_STARTS]
    here, off = starts[nearest], off[nearest]
    kept = np.zeros((0, starts.shape[1]), np.int32)
    for _ in range(_ROUNDS):
        hits = here[off == 0]
        kept = np.unique(np.concatenate([kept, hits[gives_itself(hits, design.front_end)]]), axis=0)
        if len(kept) >= _WISHED:
            break
        variants = _changed(np.repeat(here, _VARIANTS, axis=0), rng=rng)
        off_then = np.abs(_differences(logic, design, variants) - wished).reshape(len(here), _VARIANTS)
        best = off_then.argmin(axis=1)
        rows = np.arange(len(here))
        # One that is there already moves on, to another window of the same difference if there is one.
        better = (off_then[rows, best] <= off) | (off == 0)
        here = np.where(better[:, None], variants.reshape(len(here), _VARIANTS, -1)[rows, best], here)
        off = np.where(better, off_then[rows, best], off)
    chosen: NDArray[np.int32] = kept[:_WISHED]
    return chosen


def _differences(logic: Any, design: Design, windows: NDArray[np.int32]) -> NDArray[np.int64]:
    steps = logit_steps(logic, design, windows)
    difference: NDArray[np.int64] = steps[:, 1] - steps[:, 0]
    return difference


def _changed(windows: NDArray[np.int32], *, rng: np.random.Generator) -> NDArray[np.int32]:
    changed = windows.copy()
    rows = np.arange(len(windows))
    for _ in range(int(rng.integers(1, 4))):
        by = rng.choice(_CHANGES, len(windows)) * rng.choice((-1, 1), len(windows))
        changed[rows, rng.integers(0, windows.shape[1], len(windows))] += by.astype(np.int32)
    return changed
