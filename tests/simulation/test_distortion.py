from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.simulation import distortion
from discrimen.simulation.distortion import DISTORTIONS, Digitisation, distort, require_size

DIGITISATION = Digitisation(sample_period_ns=10.0, baseline_start=0, baseline_stop=12, adc_bits=14)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def float_pulses(n_pulses: int, *, n_samples: int = 75) -> NDArray[np.float32]:
    return rng().normal(8000, 100, (n_pulses, n_samples)).astype(np.float32)


def digitised(n_pulses: int) -> NDArray[np.uint16]:
    return rng().integers(7000, 9000, (n_pulses, 75)).astype(np.uint16)


@pytest.mark.parametrize("name", DISTORTIONS)
@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.int32, np.float32])
def test_size_zero_changes_nothing(name: str, dtype: Any) -> None:
    samples = digitised(4).astype(dtype)
    distorted = distort(samples, {name: 0.0}, DIGITISATION, rng=rng())
    assert distorted.dtype == samples.dtype
    assert_array_equal(distorted, samples)


@pytest.mark.parametrize("name", DISTORTIONS)
def test_the_input_stays_as_it_is_and_the_seed_tells_the_result(name: str) -> None:
    samples = digitised(6)
    before = samples.copy()
    first, again = (distort(samples, {name: 0.5}, DIGITISATION, rng=rng()) for _ in range(2))
    assert_array_equal(samples, before)
    assert_array_equal(first, again)
    assert first.dtype == np.uint16


@pytest.mark.parametrize("shift", [-3, -1, 1, 2])
def test_whole_samples_are_shifted_exactly_and_the_ends_are_mirrored(shift: int) -> None:
    samples = digitised(5)
    distorted = distort(samples, {"time": 10.0 * shift}, DIGITISATION, rng=rng())
    mirrored = np.pad(samples, ((0, 0), (3, 3)), mode="symmetric")
    assert_array_equal(distorted, mirrored[:, 3 - shift : 78 - shift])


@given(shift_ns=st.floats(-20, 20))
def test_a_slow_wave_is_shifted_by_parts_of_a_sample(shift_ns: float) -> None:
    time_ns = 10.0 * np.arange(75)
    wave = np.cos(2 * np.pi * time_ns / 200)
    later = np.cos(2 * np.pi * (time_ns - shift_ns) / 200)
    samples = (1000 * wave)[np.newaxis].astype(np.float32)
    distorted = distort(samples, {"time": shift_ns}, Digitisation(**without_adc()), rng=rng())
    assert_allclose(distorted[0, 5:-5], 1000 * later[5:-5], atol=1.0)


def without_adc() -> dict[str, Any]:
    return {"sample_period_ns": 10.0, "baseline_start": 0, "baseline_stop": 12}


def test_each_pulse_has_a_size_of_its_own() -> None:
    samples = digitised(3)
    distorted = distort(samples, {"baseline": np.array([0.0, 5.0, -7.0])}, DIGITISATION, rng=rng())
    assert_array_equal(distorted.astype(int) - samples, np.array([[0], [5], [-7]]) * np.ones(75, int))


@pytest.mark.parametrize("polarity", [1, -1])
def test_a_gain_drift_leaves_the_baseline_in_place(polarity: int) -> None:
    samples = np.full((1, 75), 8000, np.int16)
    samples[0, 20:30] += polarity * 1000
    distorted = distort(samples, {"gain": 0.2}, DIGITISATION, rng=rng())
    expected = np.full((1, 75), 8000)
    expected[0, 20:30] += polarity * 1200
    assert_array_equal(distorted, expected)


def test_a_slope_is_in_counts_per_microsecond_and_zero_in_the_middle() -> None:
    samples = np.full((1, 101), 8000, np.int32)
    distorted = distort(samples, {"slope": 1000.0}, DIGITISATION, rng=rng())
    # 101 samples of 10 ns: 1 us from the first to the last.
    assert (distorted[0, 0], distorted[0, 50], distorted[0, 100]) == (7500, 8000, 8500)


def test_noise_has_the_rms_that_was_asked_for() -> None:
    samples = np.zeros((400, 75), np.float32)
    sizes = np.repeat([2.0, 5.0], 200)
    distorted = distort(samples, {"noise": sizes}, Digitisation(**without_adc()), rng=rng())
    assert_allclose([distorted[:200].std(), distorted[200:].std()], [2.0, 5.0], rtol=0.02)
    assert abs(distorted.mean()) < 0.1


def test_jitter_on_a_ramp_is_its_steepness_times_the_jitter() -> None:
    # A cubic spline goes through a straight line exactly.
    samples = np.tile(20.0 * np.arange(75), (400, 1)).astype(np.float32)
    distorted = distort(samples, {"jitter": 0.5}, Digitisation(**without_adc()), rng=rng())
    wrong = (distorted - samples)[:, 10:-10]
    assert_allclose(wrong.std(), 20.0 * 0.5 / 10.0, rtol=0.02)
    assert abs(np.corrcoef(wrong[:, 0], wrong[:, 1])[0, 1]) < 0.2


def test_the_electronics_come_in_their_order() -> None:
    """The gain does not amplify the slope behind it."""
    samples = np.full((1, 101), 8000, np.int16)
    samples[0, 20] = 9000
    distorted = distort(samples, {"slope": 1000.0, "gain": 1.0}, DIGITISATION, rng=rng())
    assert (distorted[0, 0], distorted[0, 20], distorted[0, 100]) == (7500, 9700, 8500)


def test_samples_are_rounded_and_clipped_where_the_adc_ends() -> None:
    samples = np.array([[100, 100, 16000, 200]], np.uint16)
    digitisation = Digitisation(sample_period_ns=10.0, baseline_start=0, baseline_stop=2, adc_bits=14)
    up = distort(samples, {"baseline": 500.4}, digitisation, rng=rng())
    down = distort(samples, {"baseline": -150.0}, digitisation, rng=rng())
    assert_array_equal(up, [[600, 600, 16383, 700]])
    assert_array_equal(down, [[0, 0, 15850, 50]])


def test_without_adc_bits_the_sample_type_is_the_limit() -> None:
    samples = np.array([[100, 100, 16000, 200]], np.int16)
    digitisation = Digitisation(sample_period_ns=10.0, baseline_start=0, baseline_stop=2)
    assert_array_equal(distort(samples, {"baseline": 20000.0}, digitisation, rng=rng())[0, 2], 32767)
    assert_array_equal(distort(samples, {"baseline": -200.0}, digitisation, rng=rng())[0, 0], -100)


def test_corrected_samples_are_not_rounded() -> None:
    samples = np.full((1, 75), 0.25, np.float32)
    distorted = distort(samples, {"baseline": 0.5}, Digitisation(**without_adc()), rng=rng())
    assert_array_equal(distorted, np.full((1, 75), 0.75, np.float32))


@pytest.mark.parametrize("name", ["gain", "time", "baseline", "slope"])
def test_blocks_make_no_difference(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    samples, sizes = digitised(50), np.linspace(-0.7, 15.0, 50)
    whole = distort(samples, {name: sizes}, DIGITISATION, rng=rng())
    monkeypatch.setattr(distortion, "_BLOCK_SAMPLES", 7 * 75)
    assert_array_equal(distort(samples, {name: sizes}, DIGITISATION, rng=rng()), whole)


def test_no_pulses_stay_no_pulses() -> None:
    empty = np.empty((0, 75), np.uint16)
    assert distort(empty, {"time": 5.0, "noise": 1.0}, DIGITISATION, rng=rng()).shape == (0, 75)


def test_the_noise_of_records_is_that_of_their_baseline() -> None:
    samples = float_pulses(2000)
    samples += 300 * rng().normal(size=(2000, 1)).astype(np.float32)
    assert DIGITISATION.noise_adc(samples) == pytest.approx(100, rel=0.05)
    with pytest.raises(SettingsError, match="1 samples before the pulse"):
        Digitisation(sample_period_ns=10.0, baseline_start=3, baseline_stop=4).noise_adc(samples)


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("tilt", 1.0, "choose among gain, time"),
        ("noise", -1.0, "0 or more, got -1"),
        ("jitter", -0.1, "0 or more"),
        ("gain", -1.0, "above -1"),
        ("time", float("nan"), "finite"),
        ("time", float("inf"), "finite"),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, size: float, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        require_size(name, size)
    with pytest.raises(SettingsError, match=message):
        distort(digitised(2), {name: size}, DIGITISATION, rng=rng())


@pytest.mark.parametrize("name", ["time", "jitter"])
def test_a_shift_as_long_as_the_record_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="as long as the record of 75 samples"):
        distort(digitised(2), {name: 2000.0}, DIGITISATION, rng=rng())
