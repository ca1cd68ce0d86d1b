"""Two tests of counts in bins, and one measure of their difference."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module


def shape_p_value(before: NDArray[np.int64], now: NDArray[np.int64]) -> float:
    """Chi-square of two samples, summed over the groups.

    Parameters
    ----------
    before, now : ndarray of int64, shape (group, bin)
        Counts of both samples in the same bins.
    """
    special = require_module("scipy.special", extra="analysis")
    chi2, n_degrees = 0.0, 0
    for old, new in zip(before.astype(np.float64), now.astype(np.float64), strict=True):
        used = (old + new) > 0
        if not (old.sum() and new.sum()) or used.sum() < 2:
            continue
        ratio = math.sqrt(new.sum() / old.sum())
        chi2 += float((((old * ratio - new / ratio) ** 2)[used] / (old + new)[used]).sum())
        n_degrees += int(used.sum()) - 1
    return float(special.chdtrc(n_degrees, chi2)) if n_degrees else 1.0


def shift_p_value(before: NDArray[np.int64], now: NDArray[np.int64]) -> float:
    """Rank-sum test of two samples with ties, summed over the groups (E. L. Lehmann, Nonparametrics (1975)).

    Parameters
    ----------
    before, now : ndarray of int64, shape (group, bin + 1)
        As above; the last column, pulses without a value, has no rank and is left out.
    """
    special = require_module("scipy.special", extra="analysis")
    excess, variance = 0.0, 0.0
    for old, new in zip(before[:, :-1].astype(np.float64), now[:, :-1].astype(np.float64), strict=True):
        both, n_old, n_new = old + new, old.sum(), new.sum()
        n_both = n_old + n_new
        if not (n_old and n_new):
            continue
        rank = np.cumsum(both) - both / 2 + 0.5
        excess += float(rank @ new - n_new * (n_both + 1) / 2)
        ties = float((both**3 - both).sum()) / (n_both * (n_both - 1))
        variance += float(n_old * n_new / 12 * (n_both + 1 - ties))
    return float(2 * special.ndtr(-abs(excess) / math.sqrt(variance))) if variance > 0 else 1.0


def stability_index(before: NDArray[np.int64], now: NDArray[np.int64]) -> float:
    """Return the population stability index, sum of (q - p) ln(q / p) over all bins.

    Parameters
    ----------
    before, now : ndarray of int64, shape (group, bin)
        Counts of both samples in the same bins.
    """
    # Half a pulse more in each bin keeps empty ones finite.
    old, new = before + 0.5, now + 0.5
    p, q = old / old.sum(), new / new.sum()
    return float(((q - p) * np.log(q / p)).sum())
