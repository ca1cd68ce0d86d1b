"""The energies that a digitizer computes itself: sums over its long and its short gate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discrimen.simulation.digitizer import Digitizer
from discrimen.simulation.settings import gates_ns

HIGHEST_ENERGY = 65535
"""A sum that does not fit stays at this."""


def gate_energies(samples: NDArray[np.uint16], digitizer: Digitizer) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a digitizer's own long and short gates give.

    Gates lie at fixed samples relative to the nominal trigger; the baseline is the mean of what comes before them, or
    the first sample where nothing does. Whole numbers of ADC counts x samples / `charge_divisor`, in 0 .. 65535.

    Returns
    -------
    energy, energy_short : ndarray of float64, shape (pulse,)
    """
    gates, period = gates_ns(digitizer), digitizer.sample_period_ns
    ends = (gates.gate_start_ns, gates.long_gate_end_ns, gates.short_gate_end_ns)
    start, long_end, short_end = (max(round((digitizer.pretrigger_ns + end) / period), 0) for end in ends)
    pulses = digitizer.sign * samples.astype(np.float32)
    baseline = pulses[:, : max(start, 1)].mean(axis=1, dtype=np.float64)
    energies = []
    for end in (long_end, short_end):
        charge = pulses[:, start:end].sum(axis=1, dtype=np.float64) - (end - start) * baseline
        energies.append(np.clip(np.floor(charge / digitizer.charge_divisor), 0, HIGHEST_ENERGY))
    return energies[0], energies[1]
