"""The records of a run that hold one pulse: what is left where the search for second pulses finds nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discrimen.network.preparation import Preparation
from discrimen.pulse_shape.second_pulses import SinglePulses, clean_pulses, learn_single_pulses
from discrimen.pulse_shape.upright import Upright


def learn_singles(turned: Upright, preparation: Preparation) -> tuple[SinglePulses, NDArray[np.bool_]] | None:
    """Learn how single pulses rise, and mark clean ones.

    Parameters
    ----------
    turned : Upright
        Records of one channel.
    preparation : Preparation
        Whose baseline window tells the noise.

    Returns
    -------
    single : SinglePulses
        What second pulses are told from.
    clean : ndarray of bool, shape (pulse,)
        Pulses at the usual place of the record, well above the noise, without a second one.
    None
        In their place, where too few pulses are clean, or nothing is left of the records behind their edge.
    """
    waves, crossing = turned.waveforms, turned.crossing
    height = waves.max(axis=1)
    before = slice(preparation.only.baseline_start, preparation.only.baseline_stop)
    noise_adc = float(np.sqrt(np.median(waves[:, before].var(axis=1))))
    clean = clean_pulses(waves, crossing=crossing, height_adc=height, noise_adc=noise_adc)
    single = learn_single_pulses(
        waves, crossing=crossing, height_adc=height, clean=clean, baseline_samples=before, noise_adc=noise_adc
    )
    if single is None:
        return None
    return single, clean & ~single.found(waves, crossing=crossing, height_adc=height)


def piled_up(turned: Upright, preparation: Preparation) -> NDArray[np.bool_] | None:
    """Mark records that hold a second pulse, shape (pulse,); None where single pulses cannot be learned."""
    learned = learn_singles(turned, preparation)
    if learned is None:
        return None
    return learned[0].found(turned.waveforms, crossing=turned.crossing, height_adc=turned.waveforms.max(axis=1))
