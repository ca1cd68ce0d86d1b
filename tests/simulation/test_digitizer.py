from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discrimen.simulation.digitizer import DIGITIZERS, FrontEnd
from discrimen.simulation.response import Response


def test_samples_are_multiples_of_the_step_and_stay_between_the_rails() -> None:
    digitizer = replace(DIGITIZERS["DT5751"], adc_step=4, noise_adc=30.0)
    waves = np.random.default_rng(3).uniform(-400, 1500, (50, 192)).astype(np.float32)
    samples, saturated, _ = digitizer.digitise(
        waves,
        baseline_shift_adc=np.zeros(50),
        relative_noise=np.ones(50, np.float32),
        rng=np.random.default_rng(4),
    )
    assert set(np.unique(samples % 4)) == {0}
    assert samples.max() == 1020
    assert saturated.all()


def test_two_poles_are_one_after_the_other() -> None:
    time = np.linspace(-5, 60, 200)
    front_end = FrontEnd(time_constant_ns=5.0, sigma_ns=1.0, second_time_constant_ns=2.0)
    expected = Response.low_pass(5.0, sigma_ns=1.0).then_low_pass(2.0).at(time)
    np.testing.assert_allclose(front_end.response().at(time), expected)


def test_a_wide_gaussian_before_a_fast_pole_does_not_overflow() -> None:
    assert np.isfinite(Response.low_pass(0.3, sigma_ns=12.0).at(np.linspace(-60, 60, 50))).all()


def test_the_mean_of_two_samples_of_5_ns_has_the_noise_and_the_height_of_one_of_10_ns() -> None:
    whole, half = DIGITIZERS["NUMEXO2"], DIGITIZERS["NUMEXO2-5ns"]
    assert (half.n_samples, half.record_ns) == (232, 1160.0)
    assert half.noise_adc / np.sqrt(2) == pytest.approx(whole.noise_adc, rel=1e-3)
    assert half.gain_adc_per_kevee == whole.gain_adc_per_kevee
    assert half.charge_divisor * half.sample_period_ns == whole.charge_divisor * whole.sample_period_ns
