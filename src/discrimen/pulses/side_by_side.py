"""A gamma and a neutron of equal size, to be shown side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.pulses.waveforms import Label


@dataclass(frozen=True, slots=True)
class Shown:
    """A pulse to show: its place, and its class (``gamma``, ``neutron``, or empty where it is not known)."""

    index: int
    class_name: str


def side_by_side(
    size: NDArray[Any], label: NDArray[Any] | None = None, *, quantile: float = 0.5, n_unlabelled: int = 2
) -> tuple[Shown, ...]:
    """Choose a gamma and a neutron of about equal size; without labels, pulses spread over all sizes.

    Parameters
    ----------
    size : ndarray of float, shape (pulse,)
        Light or height; pulses with NaN are never chosen.
    label : ndarray of int8, shape (pulse,), optional
        Values of :class:`~discrimen.pulses.Label`.
    quantile : float
        Which size among all of them, for those with a label.
    n_unlabelled : int
        How many are shown where no class is known.

    Returns
    -------
    tuple of Shown
        Gamma first; fewer where a class is missing, none without a single pulse.
    """
    values = np.asarray(size, dtype=np.float64)
    known = np.isfinite(values)
    if not known.any():
        return ()
    chosen = []
    for kind in (Label.GAMMA, Label.NEUTRON):
        inside = np.flatnonzero(known & (label == kind)) if label is not None else np.empty(0, np.intp)
        if len(inside):
            wanted = np.quantile(values[known], quantile)
            chosen.append(Shown(int(inside[np.argmin(np.abs(values[inside] - wanted))]), kind.name.lower()))
    if chosen:
        return tuple(chosen)
    places = np.flatnonzero(known)[np.argsort(values[known], kind="stable")]
    shares = (np.arange(n_unlabelled) + 0.5) / n_unlabelled
    return tuple(Shown(int(at), "") for at in dict.fromkeys(places[(shares * len(places)).astype(int)].tolist()))
