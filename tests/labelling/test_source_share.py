from __future__ import annotations

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.labelling.source_share import fit_neutron_share, shape_direction


def scores(n: int, *, share: float, distance: float, seed: int) -> np.ndarray:
    """Gammas with a tail that no Gaussian has, and Gaussian neutrons."""
    rng = np.random.default_rng(seed)
    gammas = 0.9 * rng.normal(size=n) + 0.3 * rng.exponential(size=n)
    neutrons = rng.normal(distance, 1.3, n)
    return np.where(np.arange(n) < share * n, neutrons, gammas)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("distance", [4.0, 15.0])
def test_the_share_is_found_whatever_shape_the_gammas_have(share: float, distance: float) -> None:
    gamma = scores(3000, share=0, distance=0, seed=1)
    mixed = scores(3000, share=share, distance=distance, seed=2)
    found = fit_neutron_share(gamma, mixed, n_draws=50, rng=np.random.default_rng(0))
    assert found.share == pytest.approx(share, abs=0.03)
    assert found.separation == pytest.approx(distance, rel=0.2)
    low, high = np.quantile(found.drawn, [0.001, 0.999])
    assert low < share < high


def test_scale_and_origin_of_the_numbers_do_not_matter() -> None:
    gamma, mixed = scores(1500, share=0, distance=0, seed=1), scores(1500, share=0.3, distance=6, seed=2)
    first, other = (
        fit_neutron_share(a * gamma + b, a * mixed + b, n_draws=30, rng=np.random.default_rng(0)).share
        for a, b in ((1, 0), (1e-3, 0.2))
    )
    assert first == pytest.approx(other, abs=1e-6)


def test_pulses_that_are_all_alike_are_refused() -> None:
    with pytest.raises(DataError, match="one and the same shape"):
        fit_neutron_share(np.ones(300), np.ones(300), n_draws=20, rng=np.random.default_rng(0))


def test_the_direction_is_that_of_the_classes_though_nobody_knows_them() -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(2, 20_000, 3)) * [1.0, 2.0, 0.5]
    neutrons = rng.random(20_000) < 0.2
    mixed = noise[1] + neutrons[:, np.newaxis] * np.array([2.0, 2.0, 0.0])
    found = shape_direction(noise[0], mixed)
    expected = np.array([1.0, 0.25, 0.0])  # the difference of the means over the variances
    assert found @ expected / np.linalg.norm(found) / np.linalg.norm(expected) > 0.98


def test_shares_that_add_up_to_one_have_a_direction_too() -> None:
    rng = np.random.default_rng(4)
    gamma, mixed = rng.dirichlet([30, 5, 2], 4000), rng.dirichlet([30, 7, 4], 4000)
    found = shape_direction(gamma, mixed)
    assert np.isfinite(found).all()
    assert (mixed @ found).mean() > (gamma @ found).mean()
