"""Which whole runs judge the network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.runs.dataset import Run

_DRAWS = 200
_AS_GOOD = 0.02


def draw_runs(counts: NDArray[np.int64], *, share: float, rng: np.random.Generator) -> NDArray[np.bool_] | None:
    """Draw runs that together hold about a share of the pulses of each class, both classes left on both sides.

    Runs are put in random order many times; of all beginnings of these orders one that is nearest to the share is
    taken, the first of several that are about as near.

    Parameters
    ----------
    counts : ndarray of int64, shape (run, class)
        Pulses of each run.
    share : float
        Wished.
    rng : numpy.random.Generator
        Draws the orders.

    Returns
    -------
    ndarray of bool, shape (run,), or None
        The runs that judge; None if no order gave a choice.
    """
    total = counts.sum(axis=0)
    best: list[tuple[float, NDArray[np.int64]]] = []
    for _ in range(_DRAWS):
        order = rng.permutation(len(counts))
        judging = np.cumsum(counts[order], axis=0)
        possible = ((judging > 0) & (judging < total)).all(axis=1)
        if possible.any():
            distance = np.where(possible, np.abs(judging / total - share).max(axis=1), np.inf)
            nearest = int(distance.argmin())
            best.append((float(distance[nearest]), order[: nearest + 1]))
    if not best:
        return None
    least = min(distance for distance, _ in best)
    taken = next(runs for distance, runs in best if distance <= least + _AS_GOOD)
    chosen = np.zeros(len(counts), dtype=np.bool_)
    chosen[taken] = True
    return chosen


def named_runs(runs: Sequence[Run], names: Sequence[str]) -> NDArray[np.bool_]:
    """Find runs by their number, the name of their file, or their own name.

    Raises
    ------
    SettingsError
        If a name fits no run.
    """
    chosen = np.zeros(len(runs), dtype=np.bool_)
    for name in names:
        fits = [name in (run.name, run.file, str(run.number)) for run in runs]
        if not any(fits):
            known = "; ".join(f"{run.number} ({run.name})" for run in runs[:10])
            raise SettingsError(f"there is no run '{name}'; the first runs are: {known}")
        chosen |= fits
    return chosen
