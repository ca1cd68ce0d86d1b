"""Ranges of energy in which only one class occurs."""

from __future__ import annotations

from math import log

import numpy as np
from numpy.typing import NDArray

from discrimen.audit.finding import Finding, Severity
from discrimen.audit.quantities import Quantities

FALSE_ALARMS = 1e-3
_N_BINS = 40


def check_energy_ranges(quantities: Quantities) -> list[Finding]:
    """Check for ranges of charge, the measure of the energy, where one class is missing."""
    kept = ~quantities.constant
    charge, neutron = quantities.charge_adc[kept], quantities.is_neutron[kept]
    if not neutron.any() or neutron.all():
        return []
    edges, counts = _counts(charge, neutron)
    ranges = _one_class_ranges(edges, counts)
    if not ranges:
        return []
    told = [
        f"{low:.4g}..{high:.4g}: {n_gamma + n_neutron} {'gammas' if n_gamma else 'neutrons'}"
        for low, high, n_gamma, n_neutron in ranges
    ]
    n_concerned = sum(n_gamma + n_neutron for *_, n_gamma, n_neutron in ranges)
    return [
        Finding(
            check="energy-range-of-one-class",
            severity=Severity.WARNING,
            what="in some ranges of energy only one class occurs: the network learns the energy there, not the shape",
            how_many=f"{n_concerned} of {len(charge)} pulses in {len(ranges)} ranges",
            where=f"charge of the record in ADC counts x samples: {'; '.join(told)}",
            mend="take pulses of the other class there, or cut both classes to the range they share; "
            "the network's figures hold only where both classes occur",
            numbers={
                "ranges": [
                    {"charge_adc_samples_low": low, "charge_adc_samples_high": high, "n_gamma": a, "n_neutron": b}
                    for low, high, a, b in ranges
                ]
            },
        )
    ]


def _counts(
    charge: NDArray[np.float64], is_neutron: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Count both classes in bins of about equally many pulses: edges, and counts of shape (bin, class)."""
    edges = np.unique(np.quantile(charge, np.linspace(0, 1, _N_BINS + 1)))
    if len(edges) < 2:
        edges = np.array([edges[0], edges[0] + 1])
    of_bin = np.clip(np.searchsorted(edges, charge, side="right") - 1, 0, len(edges) - 2)
    counts = [np.bincount(of_bin[is_neutron == label], minlength=len(edges) - 1) for label in (False, True)]
    return edges, np.stack(counts, axis=1)


def _one_class_ranges(edges: NDArray[np.float64], counts: NDArray[np.int64]) -> list[tuple[float, float, int, int]]:
    """Join neighbouring bins of one class, and keep the ranges that chance does not explain."""
    share = counts.sum(axis=0) / counts.sum()
    found: list[tuple[float, float, int, int]] = []
    for missing in (0, 1):
        first: int | None = None
        for number in range(len(counts) + 1):
            empty = number < len(counts) and counts[number, missing] == 0
            if empty and first is None:
                first = number
            elif not empty and first is not None:
                n_gamma, n_neutron = (int(n) for n in counts[first:number].sum(axis=0))
                chance = (n_gamma + n_neutron) * log(1 - share[missing])
                if chance < log(FALSE_ALARMS / (2 * len(counts) ** 2)):
                    found.append((float(edges[first]), float(edges[number]), n_gamma, n_neutron))
                first = None
    return sorted(found)
