from __future__ import annotations

import numpy as np
from tests.detector_fit.made_up import BASELINE_ADC, records, traced

from discrimen.detector_fit.second_pulses import second_pulses


def test_records_with_a_second_pulse_are_marked_and_no_others() -> None:
    samples = records(300, height_adc=np.random.default_rng(2).uniform(150, 800, 300), tail=0.1)
    seconds = records(20, onset=np.linspace(75, 120, 20), height_adc=120.0, seed=3) - int(BASELINE_ADC)
    samples[:20] += seconds
    found = second_pulses(traced(samples))
    assert found[:20].all()
    assert not found[20:].any()


def test_a_second_pulse_in_the_noise_is_not_seen() -> None:
    samples = records(300, noise_adc=3.0)
    samples[:20] += records(20, onset=90.0, height_adc=5.0, noise_adc=0.0, seed=3) - int(BASELINE_ADC)
    assert not second_pulses(traced(samples)).any()
