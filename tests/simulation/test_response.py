from __future__ import annotations

import numpy as np
import pytest

from discrimen.errors import SettingsError
from discrimen.simulation.digitizer import BC501A_SETUP, FrontEnd
from discrimen.simulation.response import Response

TIME_NS = np.arange(-30.0, 400.0, 0.02)
STEP_NS = 0.02


def smeared(values: np.ndarray, sigma_ns: float) -> np.ndarray:
    """Convolve with a Gaussian on the grid of TIME_NS."""
    lag_ns = STEP_NS * np.arange(-round(10 * sigma_ns / STEP_NS), round(10 * sigma_ns / STEP_NS) + 1)
    kernel = np.exp(-0.5 * (lag_ns / sigma_ns) ** 2)
    return np.convolve(values, kernel / kernel.sum(), mode="same")


def test_a_low_pass_is_an_exponential_smeared_by_a_gaussian() -> None:
    exact = Response.low_pass(7.0, sigma_ns=1.5).at(TIME_NS)
    on_grid = smeared(np.where(TIME_NS >= 0, np.exp(-TIME_NS / 7.0) / 7.0, 0.0), 1.5)
    inner = slice(1000, -2000)
    np.testing.assert_allclose(exact[inner], on_grid[inner], atol=5e-4)


def test_areas_multiply_along_the_chain() -> None:
    chain = Response.low_pass(3.0, sigma_ns=1.0).then_low_pass(5.0).then_low_pass(30.0)
    assert chain.at(TIME_NS).sum() * STEP_NS == pytest.approx(1.0, abs=1e-4)


def test_means_add_along_the_chain() -> None:
    pulse = Response.low_pass(3.0, sigma_ns=1.0).then_low_pass(5.0).at(TIME_NS)
    assert (TIME_NS * pulse).sum() / pulse.sum() == pytest.approx(8.0, abs=1e-2)


def test_the_step_response_is_the_integral() -> None:
    response = BC501A_SETUP.response()
    np.testing.assert_allclose(response.integrated().at(TIME_NS), np.cumsum(response.at(TIME_NS)) * STEP_NS, atol=2e-3)


def test_ringing_follows_the_direct_response_with_its_period() -> None:
    ring = BC501A_SETUP.ringing
    assert ring is not None
    plain = FrontEnd(time_constant_ns=BC501A_SETUP.time_constant_ns, sigma_ns=BC501A_SETUP.sigma_ns)
    echo = BC501A_SETUP.response().at(TIME_NS) - plain.response().at(TIME_NS)
    late = TIME_NS > 50
    crossings = TIME_NS[late][1:][np.diff(np.signbit(echo[late])) & (np.abs(echo[late][1:]) > 1e-12)]
    assert np.diff(crossings)[:6].mean() == pytest.approx(ring.period_ns / 2, rel=1e-2)


def test_bandwidth_is_where_a_sine_falls_by_3_db() -> None:
    front_end = FrontEnd.of_bandwidth(40.0)
    gain = abs(1 / (1 + 2j * np.pi * 0.040 * front_end.time_constant_ns))
    assert 20 * np.log10(gain) == pytest.approx(-3.0, abs=0.02)


def test_two_equal_time_constants_are_refused() -> None:
    with pytest.raises(SettingsError, match="equal time constants"):
        Response.low_pass(3.0, sigma_ns=1.0).then_low_pass(3.0)


def test_far_times_stay_finite() -> None:
    values = Response.low_pass(3.16, sigma_ns=0.1).at(np.array([-1e6, -100.0, 0.0, 1e3, 1e6]))
    assert np.isfinite(values).all()
    assert values[0] == values[1] == 0
