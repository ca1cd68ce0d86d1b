"""The figure of merit and its fit of two Gaussians."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discrimen.errors import DataError
from discrimen.metrics import figure_of_merit, psd_edges

FWHM_PER_SIGMA = 2.354820045


def bands(rng: np.random.Generator, *, n_gamma: int = 6000, n_neutron: int = 2000, distance: float = 0.1) -> np.ndarray:
    return np.concatenate([rng.normal(0.1, 0.02, n_gamma), rng.normal(0.1 + distance, 0.03, n_neutron)])


def test_parameters_of_known_gaussians_come_back() -> None:
    fit = figure_of_merit(bands(np.random.default_rng(0)))
    expected = 0.1 / (FWHM_PER_SIGMA * 0.05)
    assert fit.value == pytest.approx(expected, abs=4 * fit.error)
    assert 0 < fit.error < 0.03
    for band, n_pulses, mean, sigma in ((fit.gamma, 6000, 0.1, 0.02), (fit.neutron, 2000, 0.2, 0.03)):
        assert band.n_pulses == pytest.approx(n_pulses, abs=5 * band.n_pulses_error)
        assert band.mean == pytest.approx(mean, abs=4 * band.mean_error)
        assert band.sigma == pytest.approx(sigma, abs=4 * band.sigma_error)
    assert fit.chi2 / fit.n_degrees < 1.6


def test_chi_square_says_where_two_gaussians_are_no_fit() -> None:
    rng = np.random.default_rng(6)
    good = figure_of_merit(bands(rng, distance=0.2))
    assert good.probability > 0.01
    assert (good.misses, good.mark) == (False, "")
    tailed = np.concatenate([0.1 + rng.exponential(0.02, 6000), rng.normal(0.4, 0.03, 6000)])
    poor = figure_of_merit(tailed)
    assert poor.probability < 1e-6
    assert (poor.misses, poor.mark) == (True, "*")


def test_error_is_the_spread_of_the_value() -> None:
    rng = np.random.default_rng(1)
    fits = [figure_of_merit(bands(rng)) for _ in range(150)]
    pulls = [(fit.value - 0.1 / (FWHM_PER_SIGMA * 0.05)) / fit.error for fit in fits]
    assert abs(np.mean(pulls)) < 0.35
    assert 0.8 < np.std(pulls) < 1.2


@settings(deadline=None, max_examples=30)
@given(gain=st.floats(1e-3, 1e3), offset=st.floats(-10, 10))
def test_value_ignores_scale_and_offset(gain: float, offset: float) -> None:
    psd = bands(np.random.default_rng(2))
    assert figure_of_merit(gain * (psd + offset)).value == pytest.approx(figure_of_merit(psd).value, rel=1e-3)


def test_few_wide_bins_do_not_widen_the_bands() -> None:
    fit = figure_of_merit(bands(np.random.default_rng(3), n_gamma=40000, n_neutron=40000, distance=0.2), n_bins=15)
    assert fit.gamma.sigma == pytest.approx(0.02, rel=0.03)


def test_fitted_curve_sums_to_the_band() -> None:
    fit = figure_of_merit(bands(np.random.default_rng(4)))
    centres = (fit.edges[:-1] + fit.edges[1:]) / 2
    assert fit.expected_counts(centres, fit.gamma).sum() == pytest.approx(fit.gamma.n_pulses, rel=1e-3)


def test_nan_and_far_pulses_are_left_out_and_counted() -> None:
    psd = bands(np.random.default_rng(5))
    fit = figure_of_merit(np.concatenate([psd, [np.nan] * 7, [50.0] * 3]))
    assert fit.n_outside == len(psd) + 10 - fit.counts.sum()
    assert fit.n_outside >= 10
    assert fit.value == pytest.approx(figure_of_merit(psd).value, rel=0.02)


@pytest.mark.parametrize(
    ("psd", "message"),
    [
        (np.full(1000, np.nan), "no fit: 0 pulses with a PSD"),
        (np.linspace(0, 1, 50), "no fit: 50 pulses with a PSD, at least 200"),
        (np.full(1000, 0.3), "no fit: nearly all of 1000 pulses have the same PSD"),
        (np.random.default_rng(6).normal(0, 1, 20000), "no fit: "),
        (bands(np.random.default_rng(7), distance=0.005), "no fit: "),
        (bands(np.random.default_rng(8), distance=0.03), "no fit: the histogram does not show two bands"),
        (bands(np.random.default_rng(8), n_gamma=20000, n_neutron=100, distance=0.2), "does not show two bands"),
        (np.random.default_rng(9).standard_t(4, 20000), "no fit: the bands merge or have long tails"),
    ],
)
def test_no_two_bands_no_fit(psd: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        figure_of_merit(psd)


def test_edges_hold_the_pulses() -> None:
    psd = bands(np.random.default_rng(10))
    edges = psd_edges(psd)
    assert np.histogram(psd, edges)[0].sum() > 0.995 * len(psd)
    assert len(psd_edges(psd, n_bins=33)) == 34
