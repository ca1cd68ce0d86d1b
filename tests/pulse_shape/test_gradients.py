"""Pulse gradient and frequency gradient: order, analytic values, tuning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.pulse_shape.two_templates import GAMMA, N_SAMPLES, NEUTRON, noisy_pulses, template

from discrimen.errors import DataError
from discrimen.metrics import leaked_share
from discrimen.pulse_shape import FrequencyGradient, Method, PulseGradient, tune_frequency_gradient, tune_pulse_gradient
from discrimen.pulse_shape.frequency_gradient import spectrum_fall
from discrimen.pulse_shape.pulse_gradient import default_delays, moving_average

METHODS: tuple[Method, ...] = (
    PulseGradient(delay_samples=6, smoothing_samples=1, sample_period_ns=2.0),
    FrequencyGradient(length_samples=60, height="peak", sample_period_ns=2.0),
)


@pytest.mark.parametrize("method", METHODS)
def test_more_slow_light_scores_higher_whatever_the_gain(method: Method) -> None:
    pulses = np.stack([template(share) for share in (0.1, 0.2, 0.3, 0.4, 0.5)]).astype(np.float32)
    scores = method.score(1000 * pulses)
    assert (np.diff(scores) > 0).all()
    assert np.allclose(method.score(10 * pulses), scores, rtol=1e-5)
    assert np.isnan(method.score(np.zeros((1, N_SAMPLES), np.float32))).all()


def test_the_gradient_of_an_exponential_is_known() -> None:
    pulse = np.exp(-np.arange(N_SAMPLES) / 5)[np.newaxis].astype(np.float32)
    method = PulseGradient(delay_samples=10, smoothing_samples=1, sample_period_ns=2.0)
    assert method.score(pulse) == pytest.approx([(np.exp(-2) - 1) / 20])
    late = PulseGradient(delay_samples=N_SAMPLES, smoothing_samples=1, sample_period_ns=2.0)
    assert np.isnan(late.score(pulse)).all()


def test_the_fall_of_the_spectrum_is_that_of_the_fourier_transform() -> None:
    waveforms, _ = noisy_pulses(20, seed=1, white=3.0)
    spectrum = np.abs(np.fft.rfft(waveforms[:, :40].astype(float), axis=1))
    fall = spectrum[:, 0] - spectrum[:, 1]
    found = spectrum_fall(waveforms, length=40)
    assert found["peak"] == pytest.approx(fall / waveforms[:, :40].max(axis=1), rel=1e-4)
    assert found["area"] == pytest.approx(fall / waveforms[:, :40].sum(axis=1), rel=1e-4)


def test_moving_average_leaves_a_ramp_and_its_place_alone() -> None:
    ramp = np.arange(30, dtype=np.float32)[np.newaxis]
    assert moving_average(ramp, 5)[0, 2:-2] == pytest.approx(ramp[0, 2:-2])
    assert moving_average(ramp, 1) is ramp


def test_tuning_finds_what_parts_best() -> None:
    waveforms, is_neutron = noisy_pulses(3000, seed=1, white=4.0)

    def leaked(scores: NDArray[np.float64]) -> float:
        return leaked_share(scores[~is_neutron], scores[is_neutron], efficiency=0.95)

    def merit(scores: NDArray[np.float64]) -> float:
        return -leaked(scores)

    gradient = tune_pulse_gradient(waveforms, sample_period_ns=2.0, merit=merit)
    frequency = tune_frequency_gradient(waveforms, sample_period_ns=2.0, merit=merit)
    assert leaked(gradient.score(waveforms)) < leaked(METHODS[0].score(waveforms))
    assert leaked(frequency.score(waveforms)) <= leaked(METHODS[1].score(waveforms))
    others = [replace(gradient, delay_samples=delay) for delay in default_delays(waveforms)]
    assert leaked(gradient.score(waveforms)) == min(leaked(other.score(waveforms)) for other in others)
    assert gradient.parameters["delay_ns"] == 2.0 * gradient.delay_samples
    assert frequency.parameters["first_frequency_mhz"] == pytest.approx(1e3 / frequency.parameters["length_ns"])


def test_records_that_end_at_the_peak_cannot_be_tuned() -> None:
    rising = np.arange(8, dtype=np.float32)[np.newaxis].repeat(5, axis=0)
    with pytest.raises(DataError, match="too short"):
        tune_pulse_gradient(rising, sample_period_ns=2.0, merit=np.nanmean)
    with pytest.raises(DataError, match="too short"):
        tune_frequency_gradient(rising[:, :3], sample_period_ns=2.0, merit=np.nanmean)


def test_templates_are_pulses_of_unit_area() -> None:
    assert GAMMA.sum() == pytest.approx(1)
    assert NEUTRON.sum() == pytest.approx(1)
