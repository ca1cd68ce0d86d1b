"""Thinned pulses are like pulses that had as little light from the start."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tests.network.domain.test_light_noise import PREPARATION, poisson_pulses

from discrimen.errors import SettingsError
from discrimen.network.domain.light_noise import measure_light_noise
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.distortion import Digitisation
from discrimen.simulation.simulate import simulate
from discrimen.simulation.thinning import thin

DIGITISATION = Digitisation(sample_period_ns=10.0, baseline_start=0, baseline_stop=12, adc_bits=14)


def upright(samples: np.ndarray) -> np.ndarray:
    return samples[:, :12].mean(axis=1, keepdims=True) - samples


@pytest.fixture(scope="module")
def of_gammas() -> tuple[np.ndarray, np.ndarray]:
    """Gammas of 60 keVee: thinned from 300 to 600 keVee, and simulated."""
    high, low = (
        simulate(SimulationConfig(n_pulses=6000, seed=seed, energy_min_kevee=a, energy_max_kevee=b, neutron_fraction=0))
        for seed, a, b in ((3, 300, 600), (4, 60, 60.1))
    )
    kept = 60 / high.column("energy_kevee").astype(float)
    noise = measure_light_noise(high.samples, PREPARATION)
    thinned = thin(high.samples, kept, noise, DIGITISATION, polarity=-1, rng=np.random.default_rng(0))
    return upright(thinned), upright(low.samples)


def test_mean_and_variance_of_every_sample_are_those_of_low_light(of_gammas: tuple[np.ndarray, np.ndarray]) -> None:
    thinned, low = of_gammas
    assert_allclose(thinned.mean(axis=0), low.mean(axis=0), atol=0.03 * low.mean(axis=0).max())
    assert_allclose(thinned.var(axis=0), low.var(axis=0), rtol=0.16)
    assert thinned.var(axis=0).mean() == pytest.approx(low.var(axis=0).mean(), rel=0.04)


def test_charge_and_tail_scatter_as_of_low_light(of_gammas: tuple[np.ndarray, np.ndarray]) -> None:
    for gate in (slice(12, 60), slice(20, 45)):
        thinned, low = (pulses[:, gate].sum(axis=1) for pulses in of_gammas)
        assert thinned.std() == pytest.approx(low.std(), rel=0.06)


def test_photoelectrons_are_skewed_as_of_low_light(of_gammas: tuple[np.ndarray, np.ndarray]) -> None:
    away = (pulses[:, 17:25] - pulses[:, 17:25].mean(axis=0) for pulses in of_gammas)
    thinned, low = ((part**3).mean() / (part**2).mean() ** 1.5 for part in away)
    assert low > 0.2
    assert thinned == pytest.approx(low, rel=0.3)


def test_all_light_kept_changes_nothing() -> None:
    samples = poisson_pulses(600)
    noise = measure_light_noise(samples, PREPARATION)
    kept = np.where(np.arange(600) < 300, 1.0, 0.5)
    thinned = thin(samples, kept, noise, DIGITISATION, polarity=-1, rng=np.random.default_rng(0))
    assert_array_equal(thinned[:300], samples[:300])
    assert (thinned[300:] != samples[300:]).any(axis=1).all()
    assert thinned.dtype == samples.dtype


@pytest.mark.parametrize("share", [0.0, 1.2, np.nan])
def test_an_impossible_share_is_refused(share: float) -> None:
    samples = poisson_pulses(600)
    noise = measure_light_noise(samples, PREPARATION)
    with pytest.raises(SettingsError, match="share of light kept"):
        thin(samples[:1], np.array([share]), noise, DIGITISATION, polarity=-1, rng=np.random.default_rng(0))
