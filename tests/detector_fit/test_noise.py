from __future__ import annotations

import numpy as np
import pytest
from tests.detector_fit.made_up import records, traced

from discrimen.detector_fit.noise import adc_step, least_usual_bits, measure_noise


@pytest.mark.parametrize("noise_adc", [0.8, 3.0])
def test_noise_is_found_without_what_rounding_adds(noise_adc: float) -> None:
    samples = records(1500, noise_adc=noise_adc)
    found = measure_noise(samples, traced(samples), step=1)
    assert found.sigma_adc == pytest.approx(noise_adc, rel=0.02)
    assert not found.is_coloured
    assert abs(found.sigma_adc - noise_adc) < 5 * found.error_adc


def test_a_coloured_spectrum_is_found() -> None:
    samples = records(1500, noise_adc=4.0, power=(0.3, 3.0, 0.5, 0.2))
    found = measure_noise(samples, traced(samples), step=1)
    expected = np.interp(np.linspace(0, 0.5, len(found.power)), np.linspace(0, 0.5, 4), (0.3, 3.0, 0.5, 0.2))
    assert found.is_coloured
    np.testing.assert_allclose(found.power[2:-1], expected[2:-1] / expected[1:].mean(), rtol=0.4)


def test_the_spread_of_the_baseline_is_told_from_noise() -> None:
    rng = np.random.default_rng(5)
    samples = records(800, noise_adc=3.0) + np.rint(rng.normal(0, 8, (800, 1))).astype(int)
    assert measure_noise(samples, traced(samples), step=1).baseline_spread_adc == pytest.approx(8, rel=0.08)
    still = records(800, noise_adc=3.0)
    assert measure_noise(still, traced(still), step=1).baseline_spread_adc < 0.3


def test_noise_below_the_step_is_said_to_be_hidden() -> None:
    samples = records(200, noise_adc=0.05)
    assert measure_noise(samples, traced(samples), step=1).is_hidden


def test_step_and_bits_come_from_the_codes() -> None:
    assert adc_step(np.array([[892, 888, 780], [892, 884, 776]])) == 4
    assert adc_step(np.array([[892, 888, 781]])) == 1
    assert adc_step(np.full((2, 3), 7)) == 1
    assert [least_usual_bits(np.array([value])) for value in (255, 892, 1024, 15000)] == [8, 10, 12, 14]
