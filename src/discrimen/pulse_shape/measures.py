"""What an analysis measures of a pulse: charge, tail fraction, time; of what went into a network and what came out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.network.prepare import constant_fraction_crossing
from discrimen.output.summary import Summarised
from discrimen.pulse_shape.charge import charge_comparison
from discrimen.pulses.detector import GatesNs


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Measures(Summarised):
    """Of each pulse.

    Parameters
    ----------
    charge_adc_ns : ndarray of float64, shape (pulse,)
        Over the long gate, or over all samples where no gates are known.
    tail_fraction : ndarray of float64, shape (pulse,), or None
        By charge comparison, NaN without a crossing; None without gates.
    time_ns : ndarray of float64, shape (pulse,)
        Of the constant-fraction crossing, from the first sample; NaN where there is none.
    """

    charge_adc_ns: NDArray[np.float64]
    tail_fraction: NDArray[np.float64] | None
    time_ns: NDArray[np.float64]


def measures_of(
    waveforms: NDArray[Any], *, sample_period_ns: float, fraction: float, gates: GatesNs | None, before: slice
) -> Measures:
    """Measure pulses.

    Parameters
    ----------
    waveforms : ndarray of float, shape (pulse, sample)
        In ADC counts, pulses upwards.
    sample_period_ns : float
        Time between samples.
    fraction : float
        Of the peak, for the crossing.
    gates : GatesNs or None
        Of charge comparison.
    before : slice
        Samples before the pulse, whose mean is subtracted; none where it is empty.
    """
    upright = np.asarray(waveforms, dtype=np.float32)
    if before.stop > before.start:
        upright = upright - upright[:, before].mean(axis=1, keepdims=True)
    crossing = constant_fraction_crossing(upright, fraction=fraction)
    if gates is None:
        charge, tail = upright.sum(axis=1, dtype=np.float64) * sample_period_ns, None
    else:
        found = charge_comparison(upright, crossing=crossing, sample_period_ns=sample_period_ns, gates=gates)
        charge, tail = found.long_charge_adc_ns.astype(np.float64), found.psd.astype(np.float64)
    return Measures(charge_adc_ns=charge, tail_fraction=tail, time_ns=crossing.astype(np.float64) * sample_period_ns)
