"""Faults do what they say, to whole records, and leave what they are given as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.simulation.distortion import Digitisation
from discrimen.simulation.faults import FAULTS, plant

N_PULSES, N_SAMPLES, NOISE_ADC, HEIGHT_ADC = 2000, 100, 4.0, 1000.0
DIGITISATION = Digitisation(sample_period_ns=10.0, baseline_start=0, baseline_stop=20, adc_bits=14)
SHAPE = np.where(np.arange(N_SAMPLES) < 30, 0, np.exp(-(np.arange(N_SAMPLES) - 30.0) / 8))


@pytest.fixture(scope="module")
def samples() -> NDArray[Any]:
    rng = np.random.default_rng(1)
    records = 8000 - HEIGHT_ADC * SHAPE + rng.normal(0, NOISE_ADC, (N_PULSES, N_SAMPLES))
    return records.round().astype(np.uint16)


def planted(samples: NDArray[Any], name: str, size: float, **options: float) -> NDArray[np.float64]:
    before = samples.copy()
    found = plant(samples, name, size, DIGITISATION, rng=np.random.default_rng(2), **options)
    np.testing.assert_array_equal(samples, before)
    assert (found.dtype, found.shape) == (samples.dtype, samples.shape)
    return found.astype(np.float64)


def height(records: NDArray[np.float64]) -> float:
    return float(8000 - records[:, 30].mean())


def noise(records: NDArray[np.float64]) -> float:
    return float(records[:, :20].std(axis=1, ddof=1).mean())


def test_a_gain_of_the_adc_takes_the_noise_along(samples: NDArray[Any]) -> None:
    found = planted(samples.astype(np.float32), "adc_gain", -0.2)
    assert height(found) == pytest.approx(0.8 * HEIGHT_ADC, rel=0.002)
    assert noise(found) == pytest.approx(0.8 * NOISE_ADC, rel=0.03)


def test_a_gain_of_the_sensor_leaves_the_noise(samples: NDArray[Any]) -> None:
    found = planted(samples, "sensor_gain", -0.2)
    assert height(found) == pytest.approx(0.8 * HEIGHT_ADC, rel=0.002)
    assert noise(found) == pytest.approx(NOISE_ADC, rel=0.03)


def test_noise_grows_by_its_share(samples: NDArray[Any]) -> None:
    assert noise(planted(samples, "noise", 0.3)) == pytest.approx(1.3 * NOISE_ADC, rel=0.03)


def test_a_slope_rises_over_the_record(samples: NDArray[Any]) -> None:
    change = (planted(samples, "slope", 10.0) - samples).mean(axis=0)
    assert change[-1] - change[0] == pytest.approx(10.0, rel=0.02)


def test_a_baseline_shifts_and_wanders(samples: NDArray[Any]) -> None:
    assert (planted(samples, "baseline", 7.0) - samples).mean() == pytest.approx(7.0)
    level = (planted(samples, "wander", 20.0, period_pulses=200.0) - samples).mean(axis=1)
    assert level.max() == pytest.approx(20.0, abs=1)
    assert level.min() == pytest.approx(-20.0, abs=1)
    np.testing.assert_allclose(level[:100], -level[100:200], atol=1)


def test_an_oscillation_has_its_frequency_and_any_phase(samples: NDArray[Any]) -> None:
    change = planted(samples, "oscillation", 30.0, per_sample=0.2) - samples
    power = np.abs(np.fft.rfft(change, axis=1)) ** 2
    assert set(power.argmax(axis=1)) == {20}
    assert change.std() == pytest.approx(30 / np.sqrt(2), rel=0.02)
    assert abs(change[:, 0].mean()) < 2


def test_a_delay_moves_the_edge(samples: NDArray[Any]) -> None:
    found = planted(samples, "delay", 30.0)
    assert height(found) == pytest.approx(0, abs=1)
    assert 8000 - found[:, 33].mean() == pytest.approx(HEIGHT_ADC, rel=0.002)


def test_samples_are_zeroed_and_held_in_a_share_of_the_records(samples: NDArray[Any]) -> None:
    zeroed = (planted(samples, "zeroed_samples", 0.1) == 0).sum(axis=1)
    assert set(zeroed) == {0, 3}
    assert (zeroed > 0).mean() == pytest.approx(0.1, abs=0.03)
    held = (np.diff(planted(samples, "held_samples", 1.0)[:, :], axis=1) == 0).sum(axis=1)
    assert held.min() >= 19


def test_a_polarity_is_mirrored_at_the_baseline(samples: NDArray[Any]) -> None:
    assert height(planted(samples, "polarity", 1.0)) == pytest.approx(-HEIGHT_ADC, rel=0.002)


def test_pile_up_adds_another_pulse_later(samples: NDArray[Any]) -> None:
    change = planted(samples, "pile_up", 0.25) - samples
    hit = change.min(axis=1) < -HEIGHT_ADC / 2
    # A second pulse that comes so late that its edge lies behind the record does not show.
    assert hit.mean() == pytest.approx(0.25 * 0.69, abs=0.03)
    assert (change[:, :30] > -HEIGHT_ADC / 2).all()


def test_size_zero_changes_nothing(samples: NDArray[Any]) -> None:
    for name in FAULTS:
        np.testing.assert_array_equal(planted(samples, name, 0.0), samples)


def test_an_unknown_fault_is_refused(samples: NDArray[Any]) -> None:
    with pytest.raises(SettingsError, match="unknown fault 'rust'; choose among adc_gain"):
        planted(samples, "rust", 1.0)
