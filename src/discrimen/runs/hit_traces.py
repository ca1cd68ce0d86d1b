"""Traces of hits as arrays: laid side by side, and whether they hold a signal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def scattered(place: NDArray[np.int64], values: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return values of traces at their places in an array of hits and channels; False elsewhere."""
    spread = np.zeros(shape, np.bool_)
    spread.reshape(-1)[place] = values
    return spread


def side_by_side(
    samples: NDArray[Any], kept: NDArray[np.int64], place: NDArray[np.int64], shape: tuple[int, int]
) -> NDArray[Any]:
    """Return the samples of hits, of shape (hit, channel, sample)."""
    n_places = shape[0] * shape[1]
    if len(place) == len(samples) == n_places and bool((place == np.arange(n_places)).all()):
        return np.array(samples).reshape(*shape, -1) if not samples.flags.writeable else samples.reshape(*shape, -1)
    spread = np.zeros((n_places, samples.shape[1]), samples.dtype)
    spread[place] = samples[kept]
    return spread.reshape(*shape, -1)


def is_flat(samples: NDArray[Any]) -> NDArray[np.bool_]:
    """Return of which traces all samples are the same."""
    few = samples[:, :: max(1, samples.shape[1] // 8)]
    is_flat = (few == few[:, :1]).all(axis=1)
    maybe = np.flatnonzero(is_flat)
    is_flat[maybe] = (samples[maybe] == samples[maybe, :1]).all(axis=1)
    return np.asarray(is_flat)
