from __future__ import annotations

import numpy as np
import pytest
from tests.detector_fit.made_up import N_SAMPLES, records, shape, traced

from discrimen.detector_fit.mean_pulse import as_measured, mean_pulse, wrong_by_phase


@pytest.mark.parametrize("n_pulses", [10, 400])
def test_a_mean_pulse_is_the_pulse_as_a_noiseless_one_would_be_measured(n_pulses: int) -> None:
    rng = np.random.default_rng(5)
    samples = records(n_pulses, onset=40 + rng.random(n_pulses), height_adc=rng.uniform(200, 900, n_pulses))
    traces = traced(samples)
    found = mean_pulse(traces, traces.clean, period_ns=2.0)
    phases = 8
    model = as_measured(shape(np.arange(-40 * phases, (N_SAMPLES + 30) * phases) / phases), phases, found)
    residual = found.value - model * (found.value @ model) / (model @ model)
    assert np.abs(residual).max() < 0.01 if n_pulses > 100 else 0.03
    assert found.value.max() == pytest.approx(1)
    assert np.diff(found.time_ns).min() > 0


def test_many_pulses_show_more_than_one_point_a_sample() -> None:
    onset = 40 + np.random.default_rng(5).random(400)
    traces = traced(records(400, onset=onset))
    coarse = mean_pulse(traces, np.arange(400) < 20, period_ns=10.0)
    fine = mean_pulse(traces, traces.clean, period_ns=10.0)
    assert len(fine.time_ns) > 8 * len(coarse.time_ns)


def test_errors_of_the_mean_cover_its_scatter() -> None:
    def mean(seed: int) -> np.ndarray:
        traces = traced(records(30, noise_adc=6.0, seed=seed))
        found = mean_pulse(traces, traces.clean, period_ns=2.0)
        return np.array([found.value[5:20].mean(), found.error[5:20].mean()])

    values, errors = np.array([mean(seed) for seed in range(20)]).T
    assert 0.5 < values.std() * np.sqrt(15) / errors.mean() < 2.0


def test_crossings_between_few_samples_are_late_or_early_by_their_phase() -> None:
    phases = 16
    fine = shape(np.arange(-40 * phases, 100 * phases) / phases * 8)
    found, late = wrong_by_phase(fine, phases)
    assert np.diff(found).min() >= 0
    assert 0.02 < np.ptp(late) < 1
    slow = shape(np.arange(-40 * phases, 100 * phases) / phases / 4)
    assert np.ptp(wrong_by_phase(slow, phases)[1]) < 0.02
