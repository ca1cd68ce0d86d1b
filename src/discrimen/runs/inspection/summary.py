"""What is known of one channel of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.output.summary import Summarised


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class ChannelSummary(Summarised):
    """One channel of a run, or one length of record of it where lengths differ.

    Parameters
    ----------
    board, channel : int or None
        None where the file does not say.
    n_pulses, n_samples : int
        Pulses, and samples of each.
    sample_period_ns : float or None
        None if unknown.
    rate_hz : float or None
        Pulses over the time from the first to the last one; None without time stamps.
    first_ps, last_ps : int or None
        Lowest and highest time stamp.
    digitised : bool
        Whether samples are whole ADC counts; floating-point ones have the unit that the file gives them.
    baseline_adc, baseline_spread_adc : float
        Over the baseline window: mean, and standard deviation from pulse to pulse of its mean.
    noise_adc : float or None
        Rms inside the baseline window; None of a single sample.
    baseline_start, baseline_samples : int
        First sample and length of that window.
    largest_excursion : {"positive", "negative"}
        Where the mean pulse goes furthest from the baseline: an observation, not a setting.
    n_saturated : int or None
        Pulses that touch a rail of the ADC or carry a saturation flag. Where the number of bits is unknown the rails
        are 0 and, if nothing lies above it, the highest code of 8 to 16 bits. None where nothing tells.
    flags : mapping of str to int
        How many pulses carry each flag.
    labels : mapping of str to int
        How many pulses carry each label.
    mean_pulse_adc : ndarray, shape (sample,)
        Mean of the raw waveforms.
    amplitude_edges_adc, amplitude_counts : ndarray
        Spectrum of the largest excursion from the baseline.
    """

    board: int | None
    channel: int | None
    n_pulses: int
    n_samples: int
    sample_period_ns: float | None
    rate_hz: float | None
    first_ps: int | None
    last_ps: int | None
    digitised: bool
    baseline_adc: float
    baseline_spread_adc: float
    noise_adc: float | None
    baseline_start: int
    baseline_samples: int
    largest_excursion: str
    n_saturated: int | None
    flags: Mapping[str, int]
    labels: Mapping[str, int]
    mean_pulse_adc: NDArray[np.float64]
    amplitude_edges_adc: NDArray[np.float64]
    amplitude_counts: NDArray[np.int64]
