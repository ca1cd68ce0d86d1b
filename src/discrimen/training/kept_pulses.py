"""Validation pulses that stay with a model: what a frozen file takes its golden vectors from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError
from discrimen.output.files import complete_or_absent

MOST_PULSES = 1024
MOST_BYTES = 4 * 2**20


def choose_kept(
    n_pulses: int, *, bytes_each: int, margin: NDArray[np.float64] | None, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Choose which validation pulses stay.

    Parameters
    ----------
    n_pulses : int
        That there are.
    bytes_each : int
        Size of one.
    margin : ndarray of float64, shape (pulse,), or None
        By how much the likeliest class leads; half of the pulses are those where it is smallest.
    rng : numpy.random.Generator
        Draws the others.

    Returns
    -------
    ndarray of int64
        Ascending positions.
    """
    n_kept = min(n_pulses, MOST_PULSES, max(1, MOST_BYTES // bytes_each))
    hardest = np.empty(0, dtype=np.int64)
    if margin is not None:
        hardest = np.argsort(margin, kind="stable")[: n_kept // 2]
    others = np.setdiff1d(np.arange(n_pulses), hardest)
    return np.sort(np.concatenate([hardest, rng.permutation(others)[: n_kept - len(hardest)]]))


def margins(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return by how much the likeliest class leads the next one, shape (pulse,); of two: twice the way to 0.5."""
    ordered = np.sort(scores.astype(np.float64), axis=1)
    lead: NDArray[np.float64] = ordered[:, -1] - ordered[:, -2]
    return lead


def write_kept(path: Path, samples: NDArray[Any], present: NDArray[np.bool_] | None) -> None:
    """Write raw samples, shape (pulse, channel, sample), and which channels are there."""
    arrays: dict[str, Any] = {"samples": samples} if present is None else {"samples": samples, "present": present}
    with complete_or_absent(path) as part, part.open("wb") as stream:
        np.savez_compressed(stream, **arrays)


def read_kept(path: Path) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Read what :func:`write_kept` wrote.

    Raises
    ------
    FormatError
        If the file does not hold that.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            samples = arrays["samples"]
            present = arrays["present"] if "present" in arrays.files else None
    except (OSError, ValueError, KeyError) as error:
        raise FormatError(f"these are no validation pulses of a training: {error}", path) from error
    if samples.ndim != 3 or not (present is None or present.shape == samples.shape[:2]):
        raise FormatError(f"expected samples of shape (pulse, channel, sample), got {samples.shape}", path)
    return samples, present
