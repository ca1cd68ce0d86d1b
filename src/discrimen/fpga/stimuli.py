"""Windows that try a network on chip: pulses as they come, and what nobody wishes for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.fpga.front_end import FrontEnd

_RANDOM_WINDOWS = 2000


def stress_windows(values: NDArray[np.int32], front_end: FrontEnd, *, seed: int = 0) -> dict[str, NDArray[np.int32]]:
    """Make windows of hard kinds from those of pulses.

    Parameters
    ----------
    values : ndarray of int, shape (window, sample)
        Windows of pulses, at least one.
    front_end : FrontEnd
        Tells the range of a value.
    seed : int
        Of what is drawn.

    Returns
    -------
    dict of str to ndarray of int32, shape (window, sample)
        All zero, all at the upper and at the lower end of the range, random, piled up, saturated.
    """
    rng = np.random.default_rng(seed)
    low, high = front_end.value_range
    length = values.shape[1]
    drawn = values[rng.integers(0, len(values), _RANDOM_WINDOWS)]
    return {
        "all zero": np.zeros((1, length), np.int32),
        "all maximum": np.full((1, length), high, np.int32),
        "all minimum": np.full((1, length), low, np.int32),
        "random": rng.integers(low, high + 1, (_RANDOM_WINDOWS, length), dtype=np.int32),
        "piled up": _piled_up(drawn, rng=rng, high=high),
        "saturated": saturated(drawn, high=high),
    }


def saturated(values: NDArray[np.int32], *, high: int) -> NDArray[np.int32]:
    """Return windows of pulses eight times as high as the rail, cut off there, shape (window, sample)."""
    factor = 8 * high / np.maximum(values.max(axis=1, keepdims=True), 1)
    return _clipped(np.rint(values * factor), high=high)


def at_the_rail(values: NDArray[np.int32], *, high: int, share: float = 0.01) -> NDArray[np.int32]:
    """Return the highest windows, made higher until their peaks just reach the rail, shape (window, sample).

    These are the largest values that a single pulse within the range of the ADC puts at each place of the window.
    """
    peak = values.max(axis=1)
    chosen = np.argsort(-peak, kind="stable")[: max(1, round(share * len(values)))]
    factor = np.maximum(high / np.maximum(peak[chosen, None], 1), 1.0)
    return _clipped(np.rint(values[chosen] * factor), high=high)


def _piled_up(values: NDArray[np.int32], *, rng: np.random.Generator, high: int) -> NDArray[np.int32]:
    """Add to each window another one, later by 1 to all of its samples."""
    later = np.zeros_like(values)
    for row, (other, shift) in enumerate(
        zip(rng.permutation(len(values)), rng.integers(1, values.shape[1], len(values)), strict=True)
    ):
        later[row, shift:] = values[other, :-shift]
    return _clipped(values + later, high=high)


def _clipped(values: NDArray[Any], *, high: int) -> NDArray[np.int32]:
    clipped: NDArray[np.int32] = np.clip(values, -high, high).astype(np.int32)
    return clipped
