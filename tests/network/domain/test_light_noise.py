"""The statistics of photoelectrons are read off tails of any spectrum, and nothing else is taken for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network.domain.light_noise import LightNoise, measure_light_noise
from discrimen.network.preparation import one_channel

PREPARATION = one_channel(
    sample_period_ns=10.0, polarity=-1, baseline_start=0, baseline_stop=12, window_start=0, window_length=75
)
RESPONSE = np.array([0.2, 0.6, 0.2])


def poisson_pulses(
    n_pulses: int,
    *,
    adc_per_pe: float = 8.0,
    response: NDArray[np.float64] = RESPONSE,
    slope: float = 600.0,
    **more: Any,
) -> NDArray[np.uint16]:
    """Negative pulses of Poisson photoelectrons: two classes, an exponential spectrum of lights."""
    rng = np.random.default_rng(more.get("seed", 1))
    time = np.arange(75) - 15.0
    tail = np.where(rng.random(n_pulses) < 0.5, 0.3, 0.1)[:, np.newaxis]
    shape = np.where(time >= 0, (1 - tail) * np.exp(-time / 1.5) + tail * np.exp(-time / 15), 0)
    light_adc = 500 + rng.exponential(slope, (n_pulses, 1))
    charge = adc_per_pe * rng.poisson(light_adc * shape / adc_per_pe)
    wave = np.apply_along_axis(np.convolve, 1, charge, response, mode="same")
    noise = rng.normal(0, more.get("noise_adc", 3.0), wave.shape)
    return np.rint(12_000 - wave + noise).astype(np.uint16)


def measured(samples: NDArray[np.uint16]) -> LightNoise:
    return measure_light_noise(samples, PREPARATION)


def test_variance_and_correlation_are_those_of_the_response() -> None:
    found = measured(poisson_pulses(6000))
    own = np.correlate(RESPONSE, RESPONSE, mode="full")[2:]
    assert found.variance_adc == pytest.approx(8.0 * own[0], rel=0.05)
    assert found.correlation[:3] == pytest.approx(own / own[0], abs=0.04)
    assert found.correlation[3] == pytest.approx(0, abs=0.04)
    assert found.photoelectron_adc == pytest.approx(8.0, rel=0.08)
    assert found.noise_adc == pytest.approx(3.0, rel=0.03)


def test_another_spectrum_gives_the_same() -> None:
    soft, hard = measured(poisson_pulses(6000, slope=100.0, seed=2)), measured(poisson_pulses(6000, slope=2500.0))
    assert soft.variance_adc == pytest.approx(hard.variance_adc, rel=0.05)


def test_twice_the_gain_gives_twice_the_variance() -> None:
    once, twice = measured(poisson_pulses(4000)), measured(poisson_pulses(4000, adc_per_pe=16.0))
    assert twice.variance_adc / once.variance_adc == pytest.approx(2, rel=0.06)


def test_second_pulses_hardly_count() -> None:
    samples, second = poisson_pulses(4000), poisson_pulses(200, seed=9).astype(int) - 12_000
    samples[:200, 30:] += second[:, :45].astype(np.uint16)
    assert measured(samples).variance_adc == pytest.approx(measured(poisson_pulses(4000)).variance_adc, rel=0.05)


def test_noise_alone_is_not_taken_for_photoelectrons() -> None:
    smooth = poisson_pulses(1500, adc_per_pe=1e-3, response=np.array([1.0]))
    with pytest.raises(DataError, match="do not fluctuate more than the noise"):
        measured(smooth)


def test_too_few_pulses_or_too_short_a_tail_are_refused() -> None:
    with pytest.raises(DataError, match="499 pulses with 12 samples"):
        measured(poisson_pulses(499))
    short = one_channel(
        sample_period_ns=10.0, polarity=-1, baseline_start=0, baseline_stop=12, window_start=0, window_length=25
    )
    with pytest.raises(DataError, match="samples of the window lie in the tail"):
        measure_light_noise(poisson_pulses(600), short)
