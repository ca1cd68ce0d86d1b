"""Electronics: noise, cross-talk and the end of the range, one at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discrimen.errors import SettingsError
from discrimen.simulation.germanium.electronics import Electronics

QUIET = Electronics(noise_kev=0.0, gain_adc_per_kev=2.0)


def rising(height_kev: float, *, n_hits: int = 1) -> np.ndarray:
    traces = np.zeros((n_hits, 37, 50), dtype=np.float32)
    ramp = np.clip((np.arange(50) - 10) / 20, 0, 1)
    traces[:, 15] = traces[:, 36] = height_kev * ramp
    return traces


def digitised(electronics: Electronics, traces: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    return electronics.digitise(traces, sample_period_ns=10.0, rng=np.random.default_rng(seed))


def test_samples_are_counts_of_the_gain() -> None:
    samples, saturated = digitised(QUIET, rising(1000.0))
    assert samples.dtype == np.int16
    assert samples[0, 36, -1] == samples[0, 15, -1] == 2000
    assert not samples[0, [14, 16]].any()
    assert not saturated.any()


def test_noise_has_its_rms_white_or_coloured() -> None:
    nothing = np.zeros((40, 37, 64), dtype=np.float32)
    white, _ = digitised(replace(QUIET, noise_kev=10.0), nothing)
    pink, _ = digitised(replace(QUIET, noise_kev=10.0, noise_corner_mhz=5.0), nothing)
    for samples in (white, pink):
        assert samples.std() == pytest.approx(20, rel=0.02)
    steps = [np.diff(samples, axis=2).std() / 20 for samples in (white, pink)]
    assert steps[0] == pytest.approx(np.sqrt(2), rel=0.02)
    assert steps[1] < 1.3


def test_linear_crosstalk_takes_a_share_of_the_core_from_every_segment() -> None:
    samples, _ = digitised(replace(QUIET, linear_crosstalk=0.01), rising(1000.0))
    assert samples[0, 15, -1] == 1980
    assert np.all(np.delete(samples[0, :36, -1], 15) == -20)


def test_differential_crosstalk_adds_the_slope_of_neighbours() -> None:
    samples, _ = digitised(replace(QUIET, differential_crosstalk_ns=2.0), rising(1000.0))
    slope_kev_per_ns = 1000 / 200
    for neighbour in (14, 16, 9, 21):
        assert samples[0, neighbour, 20] == pytest.approx(2 * 2 * slope_kev_per_ns, abs=1)
        assert samples[0, neighbour, -1] == 0
    assert not samples[0, [0, 8, 22, 36 - 1]].any()


def test_range_ends_at_14_bits_and_is_told() -> None:
    samples, saturated = digitised(QUIET, np.concatenate([rising(4000.0), rising(4200.0)]))
    assert list(saturated) == [False, True]
    assert samples.max() == 8191


def test_channels_have_time_constants_of_their_own() -> None:
    taus = Electronics(time_constant_spread=0.1, setup_seed=4).time_constants_ns
    assert taus.mean() == pytest.approx(45, rel=0.1)
    assert 0.05 < taus.std() / 45 < 0.2
    assert np.array_equal(taus, Electronics(time_constant_spread=0.1, setup_seed=4).time_constants_ns)
    assert np.ptp(QUIET.time_constants_ns) == 0


@pytest.mark.parametrize("name", ["noise_kev", "linear_crosstalk", "time_constant_ns", "gain_adc_per_kev"])
def test_impossible_electronics_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} must"):
        Electronics(**{name: -1.0})
