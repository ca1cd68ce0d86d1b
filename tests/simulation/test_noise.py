from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import periodogram

from discrimen.simulation.noise import coloured, one_over_f


def test_noise_takes_the_spectrum_that_is_asked_for_and_keeps_its_variance() -> None:
    power = (0.2, 4.0, 1.0, 0.1, 0.7)
    noise = coloured(np.random.default_rng(1).standard_normal((4000, 128), dtype=np.float32), power)
    frequency, measured = periodogram(noise, detrend=False, axis=1)
    expected = np.interp(frequency, np.linspace(0, 0.5, 5), power)
    ratio = measured.mean(axis=0)[1:-1] / expected[1:-1]
    assert ratio.std() / ratio.mean() < 0.03
    assert noise.var() == pytest.approx(1, rel=0.01)


@pytest.mark.parametrize("n_samples", [75, 76])
def test_a_flat_spectrum_is_white_noise_as_it_was(n_samples: int) -> None:
    white = np.random.default_rng(2).standard_normal((20, n_samples), dtype=np.float32)
    np.testing.assert_allclose(coloured(white, (3.0, 3.0)), white, atol=1e-5)
    assert coloured(white, ()) is white


def test_at_its_corner_the_1_over_f_part_is_as_strong_as_the_white_one() -> None:
    power = np.array(one_over_f(5.0, sample_period_ns=10.0, n_samples=200))
    frequency_mhz = np.linspace(0, 50, len(power))
    assert power[frequency_mhz == 5.0] == pytest.approx(2.0)
    assert power[0] == power[frequency_mhz == 0.5] == pytest.approx(11.0)
    assert (np.diff(power) <= 0).all()


def test_without_a_corner_noise_is_white() -> None:
    assert set(one_over_f(0.0, sample_period_ns=5.0, n_samples=75)) == {1.0}
