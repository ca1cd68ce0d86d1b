"""Gamma rays in a crystal: energy is kept, angles are those of Klein and Nishina."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.simulation.germanium.attenuation import ELECTRON_KEV
from discrimen.simulation.germanium.interactions import _Photons, _scatter, follow
from discrimen.simulation.germanium.signals import Field


@pytest.mark.parametrize("energy_kev", [60.0, 662.0, 2614.0])
def test_energy_is_kept(greta: Field, energy_kev: float) -> None:
    done = follow(greta, np.full(3000, energy_kev), rng=np.random.default_rng(1))
    left = np.bincount(done.gamma, weights=done.energy_kev, minlength=3000)
    assert np.abs(left + done.lost_kev - energy_kev).max() < 1e-6
    assert done.energy_kev.min() > 0
    assert greta.depths_and_segments(done.points_mm)[0].min() > 0


def test_low_energies_are_absorbed_in_front_and_high_ones_scatter(greta: Field) -> None:
    low = follow(greta, np.full(1000, 60.0), rng=np.random.default_rng(2))
    high = follow(greta, np.full(1000, 1000.0), rng=np.random.default_rng(2))
    assert np.median(low.points_mm[:, 2]) < 3 < 15 < np.median(high.points_mm[:, 2])
    assert len(np.unique(low.gamma)) > 0.9 * len(low.gamma)
    assert len(high.gamma) > 1.8 * len(np.unique(high.gamma))


def scattered(energy_kev: float, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    forwards = np.tile([0.0, 0.0, 1.0], (n, 1))
    photons = _Photons(np.arange(n), np.full(n, energy_kev), np.zeros((n, 3)), forwards.copy())
    _scatter(photons, np.random.default_rng(3))
    return photons.energy, photons.direction


def test_scattering_is_that_of_klein_and_nishina() -> None:
    energy_kev, n = 662.0, 40_000
    after, direction = scattered(energy_kev, n)
    cosine = direction[:, 2]
    assert np.abs(after - energy_kev / (1 + energy_kev / ELECTRON_KEV * (1 - cosine))).max() < 1e-6
    grid = np.linspace(-1, 1, 20_001)
    ratio = 1 / (1 + energy_kev / ELECTRON_KEV * (1 - grid))
    density = ratio**2 * (ratio + 1 / ratio - (1 - grid**2))
    mean = (grid * density).sum() / density.sum()
    assert cosine.mean() == pytest.approx(mean, abs=4 * cosine.std() / np.sqrt(n))
    assert np.abs(direction[:, :2].mean(axis=0)).max() < 4 / np.sqrt(n)
    assert np.linalg.norm(direction, axis=1) == pytest.approx(1)


def test_pairs_leave_two_quanta(greta: Field) -> None:
    """Escapes of one and of two quanta of 511 keV stand in the spectrum of 2614 keV."""
    done = follow(greta, np.full(10_000, 2614.0), rng=np.random.default_rng(4))
    left = np.bincount(done.gamma, weights=done.energy_kev, minlength=10_000)
    for line_kev in (2614.0, 2614 - ELECTRON_KEV, 2614 - 2 * ELECTRON_KEV):
        at_line = np.count_nonzero(np.abs(left - line_kev) < 1)
        beside = np.count_nonzero(np.abs(left - line_kev + 8) < 3) / 3
        assert at_line > 3 * beside + 10
