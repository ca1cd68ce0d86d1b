"""What the pictures of an audit show, as data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.audit.class_order import N_PARTS, part_counts
from discrimen.audit.quantities import Quantities
from discrimen.pulses import Label
from discrimen.runs.dataset import Dataset

_ORDER_BINS = 200
_SPECTRUM_BINS = 60


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Plotted:
    """What the pictures of an audit show.

    Parameters
    ----------
    order_edges : ndarray of int64, shape (bin + 1,)
        Positions in the data set.
    order_counts : ndarray of int64, shape (bin, class)
        Gammas and neutrons between them.
    file_starts : tuple of (int, str)
        Where each file begins, and its name.
    part_counts : ndarray of int64, shape (part, class)
        Gammas and neutrons in ten equal parts.
    charge_edges : ndarray, shape (bin + 1,)
        Of the charge spectra, in ADC counts times samples.
    charge_counts : ndarray of int64, shape (bin, class)
        Gammas and neutrons in each bin.
    before_mean_adc, before_error_adc : ndarray, shape (class, pre-trigger sample)
        Mean pre-trigger of each class, and its standard error; NaN for a class without pulses.
    """

    order_edges: NDArray[np.int64]
    order_counts: NDArray[np.int64]
    file_starts: tuple[tuple[int, str], ...]
    part_counts: NDArray[np.int64]
    charge_edges: NDArray[np.float64]
    charge_counts: NDArray[np.int64]
    before_mean_adc: NDArray[np.float64]
    before_error_adc: NDArray[np.float64]


def plotted_of(dataset: Dataset, quantities: Quantities) -> Plotted:
    """Count and average what the pictures show."""
    is_neutron = dataset.pulses.column("label") == Label.NEUTRON
    n_bins = max(1, min(_ORDER_BINS, len(is_neutron) // 5))
    lengths = [len(part) for part in np.array_split(is_neutron, n_bins)]
    starts = np.cumsum([0, *(int(file["n_pulses"]) for file in dataset.files)])[:-1]
    mean, error = _mean_before(quantities)
    charge_edges, charge_counts = _spectra(quantities)
    return Plotted(
        order_edges=np.cumsum([0, *lengths]),
        order_counts=part_counts(is_neutron, n_bins),
        file_starts=tuple((int(start), str(f["name"])) for start, f in zip(starts, dataset.files, strict=True)),
        part_counts=part_counts(is_neutron, min(N_PARTS, len(is_neutron))),
        charge_edges=charge_edges,
        charge_counts=charge_counts,
        before_mean_adc=mean,
        before_error_adc=error,
    )


def _mean_before(quantities: Quantities) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean = np.full((2, quantities.before_adc.shape[1]), np.nan)
    error = mean.copy()
    for row, label in enumerate((False, True)):
        before = quantities.before_adc[(quantities.is_neutron == label) & ~quantities.constant]
        if len(before):
            mean[row] = before.mean(axis=0, dtype=np.float64)
            error[row] = before.std(axis=0, dtype=np.float64) / np.sqrt(len(before))
    return mean, error


def _spectra(quantities: Quantities) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    charge = quantities.charge_adc
    positive = charge[charge > 0]
    edges = np.array([1.0, 2.0])
    if len(positive):
        low, high = np.quantile(positive, [0.001, 1.0])
        edges = np.geomspace(low, max(high, 1.001 * low) * (1 + 1e-9), _SPECTRUM_BINS + 1)
    counts = [np.histogram(charge[quantities.is_neutron == label], edges)[0] for label in (False, True)]
    return edges, np.stack(counts, axis=1).astype(np.int64)
