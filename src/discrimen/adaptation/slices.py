"""Logits of unlabelled pulses in slices of pulse height, and whether two classes can be distinguished in them."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.labelling.band_fit import SliceFit, fit_slices, slice_edges

N_BINS = 100
"""Of the logit; the first and the last one are open."""

FEWEST_SLICES = 4
FEWEST_APART = 2
"""Slices that must show two bands: from one alone nobody knows how they go on with the height of the pulse."""

FEWEST_PULSES = 2000

LEAST_SEPARATION = 2.0
"""Of two Gaussians in units of their mean-square width: closer ones have no valley between them (Ashman, Bird and Zepf,
Astron. J. 108 (1994) 2348)."""

LEAST_VALLEY_SIGMAS = 3.0
"""By how much the valley between the bands must lie below the lower of them: a single band with a long tail is fitted
by two Gaussians as well, but has no valley."""

_PEAK_RANGE = (0.005, 0.995)
_LOGIT_RANGE = (0.0005, 0.9995)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LogitSlices:
    """Histograms of the logit in slices of pulse height.

    Parameters
    ----------
    counts : ndarray of float64, shape (slice, bin)
        Pulses; those beyond the bins are counted in the outermost.
    log_peak : ndarray of float64, shape (slice,)
        Mean logarithm of the pulse height in ADC counts.
    logit_edges : ndarray of float64, shape (bin + 1,)
        Edges of the bins.
    peak_edges_adc : ndarray of float64, shape (slice + 1,)
        Edges of the slices; pulses beyond are counted in the outermost.
    bands : tuple of SliceFit
        Two Gaussians in each slice, or why not.
    apart : ndarray of bool, shape (slice,)
        Whether the two stand apart.
    """

    counts: NDArray[np.float64]
    log_peak: NDArray[np.float64]
    logit_edges: NDArray[np.float64]
    peak_edges_adc: NDArray[np.float64]
    bands: tuple[SliceFit, ...]
    apart: NDArray[np.bool_]

    @property
    def n_pulses(self) -> NDArray[np.float64]:
        """Pulses of each slice, shape (slice,)."""
        total: NDArray[np.float64] = self.counts.sum(axis=1)
        return total


def slice_logits(logit: NDArray[Any], peak_adc: NDArray[Any]) -> LogitSlices:
    """Count logits in slices of pulse height, about equally wide in its logarithm.

    Parameters
    ----------
    logit, peak_adc : ndarray of float, shape (pulse,)
        All finite, heights positive.

    Raises
    ------
    DataError
        If there are too few pulses, or two classes cannot be distinguished.
    """
    if len(logit) < FEWEST_PULSES:
        raise DataError(
            f"{len(logit)} pulses with a score, at least {FEWEST_PULSES} are needed to find two classes without "
            "labels; give more files, or label some pulses and give them with --labelled"
        )
    low, high = np.quantile(peak_adc, _PEAK_RANGE)
    if not high > low:
        raise DataError(
            f"nearly all of {len(peak_adc)} pulses are {low:g} ADC counts high: these are no detector pulses"
        )
    edges = slice_edges(peak_adc, low=float(low), high=float(high))
    edges[0], edges[-1] = peak_adc.min(), np.nextafter(peak_adc.max(), np.inf)
    bands = fit_slices(peak_adc, logit, edges=edges)
    apart = np.array([stands_apart(part) for part in bands])
    _require_two_classes(apart)
    lowest, highest = (float(edge) for edge in np.quantile(logit, _LOGIT_RANGE))
    logit_edges = np.linspace(lowest, highest, N_BINS + 1)
    return LogitSlices(
        counts=_counts(logit, peak_adc, logit_edges=logit_edges, peak_edges_adc=edges),
        log_peak=np.log([part.centre for part in bands]),
        logit_edges=logit_edges,
        peak_edges_adc=edges,
        bands=bands,
        apart=apart,
    )


def stands_apart(band: SliceFit) -> bool:
    """Tell whether two bands of a slice stand apart: far enough for their widths, and with a valley between them."""
    merit = band.merit
    if merit is None:
        return False
    widths = sqrt((merit.gamma.sigma**2 + merit.neutron.sigma**2) / 2)
    if (merit.neutron.mean - merit.gamma.mean) / widths < LEAST_SEPARATION:
        return False
    centres = (merit.edges[:-1] + merit.edges[1:]) / 2
    smooth = np.convolve(merit.counts, np.ones(3) / 3, mode="same")
    first, last = np.searchsorted(centres, [merit.gamma.mean, merit.neutron.mean])
    between = smooth[first : last + 1]
    if len(between) < 3:
        return False
    bottom = int(np.argmin(between))
    valley, summit = between[bottom], min(between[: bottom + 1].max(), between[bottom:].max())
    # Each smoothed count is the mean of three: a third of the variance.
    return bool(summit - valley >= LEAST_VALLEY_SIGMAS * sqrt(max(summit + valley, 1e-9) / 3))


def _require_two_classes(apart: NDArray[np.bool_]) -> None:
    n_slices, n_apart = len(apart), int(apart.sum())
    if n_slices < FEWEST_SLICES:
        raise DataError(
            f"the pulses fill {n_slices} slices of pulse height, at least {FEWEST_SLICES} are needed: "
            "give more pulses, or a wider range of heights"
        )
    if n_apart < FEWEST_APART:
        raise DataError(
            f"two classes stand apart in {n_apart} of {n_slices} slices of pulse height, at least {FEWEST_APART} are "
            "needed: the run holds one class, the classes have merged, or the pulses are too few; "
            "give a run of a mixed source, more pulses, a range of higher pulses, or labelled pulses (--labelled)"
        )


def _counts(
    logit: NDArray[Any],
    peak_adc: NDArray[Any],
    *,
    logit_edges: NDArray[np.float64],
    peak_edges_adc: NDArray[np.float64],
) -> NDArray[np.float64]:
    n_slices = len(peak_edges_adc) - 1
    number = np.searchsorted(peak_edges_adc[1:-1], peak_adc, side="right")
    place = np.clip(np.searchsorted(logit_edges, logit, side="right") - 1, 0, N_BINS - 1)
    counts = np.bincount(number * N_BINS + place, minlength=n_slices * N_BINS)
    return counts.reshape(n_slices, N_BINS).astype(np.float64)
