"""Energies left by Compton scattering, once and several times."""

from __future__ import annotations

import numpy as np
import pytest

from compton_transport import deposits_kev
from discrimen.calibration.compton import (
    DEPTHS,
    compton_edge_kev,
    cross_section,
    scattered_again,
    scattered_below,
)
from discrimen.calibration.edge_model import deposits
from discrimen.calibration.gamma_sources import EdgeGroup
from discrimen.simulation.sources import compton_density

CS137 = EdgeGroup(lines_kev=(661.657,), intensities=(0.851,))


@pytest.mark.parametrize(
    ("gamma_kev", "edge_kev"), [(661.657, 477.34), (1173.228, 963.42), (1332.492, 1118.10), (511.0, 340.67)]
)
def test_edges_are_those_of_the_textbooks(gamma_kev: float, edge_kev: float) -> None:
    assert compton_edge_kev(gamma_kev) == pytest.approx(edge_kev, abs=0.01)


def test_the_integral_is_that_of_the_density_of_klein_and_nishina() -> None:
    at = np.linspace(0, 470, 4701)
    density = compton_density((at[1:] + at[:-1]) / 2, 661.657)
    share = np.diff(scattered_below(at, 661.657))
    np.testing.assert_allclose(share / share.sum(), density / density.sum(), rtol=1e-4)
    assert scattered_below(480.0, 661.657) == 1


def test_slow_photons_have_the_cross_section_of_thomson() -> None:
    assert cross_section(0.5) == pytest.approx(8 / 3, rel=3e-3)


def test_a_large_detector_absorbs_everything_and_a_small_one_nothing_twice() -> None:
    energy, density = scattered_again(661.657)
    share = density.sum(axis=1) * energy[1]
    assert share[0] == 0
    assert np.all(np.diff(share) > 0)
    assert share[-1] == pytest.approx(1, abs=0.05)
    mean = density[-1] @ energy / density[-1].sum()
    assert mean > 0.95 * 661.657


@pytest.mark.parametrize("number", range(0, len(DEPTHS), 3))
def test_a_gamma_scatters_once_or_more_often(number: int) -> None:
    cells = np.linspace(0, CS137.edge_kev, 2001)
    once = np.diff(scattered_below(cells, 661.657))
    photon = 661.657 - (cells[1:] + cells[:-1]) / 2
    alone = once @ np.exp(-DEPTHS[number] * cross_section(photon) / cross_section(661.657))
    energy, density = scattered_again(661.657)
    assert alone + density[number].sum() * energy[1] == pytest.approx(1, abs=2e-3)


def test_what_a_group_leaves_is_what_its_lines_leave() -> None:
    left = deposits(CS137)
    below = float(scattered_below(0.2 * CS137.edge_kev, 661.657))
    assert left.shares(0.0).sum() + below == pytest.approx(1, abs=1e-9)
    assert left.at[left.shares(0.0) > 0].max() < 1 < left.at[left.shares(0.5) > 0].max()


def test_repeated_scattering_is_that_of_photons_followed_through_a_cell() -> None:
    followed = deposits_kev(661.657, 150_000, radius_cm=2.54, length_cm=5.08, rng=np.random.default_rng(1))
    bins = np.array([160.0, 280.0, 400.0, 477.3, 540.0, 600.0])
    share = np.histogram(followed, bins)[0] / ((followed > bins[0]) & (followed < bins[-1])).sum()
    left = deposits(CS137)
    at, best = left.at * CS137.edge_kev, np.inf
    for depth in np.linspace(0.05, 0.3, 26):
        expected = np.histogram(at, bins, weights=left.shares(depth))[0]
        best = min(best, np.abs(expected / expected.sum() - share).max())
    assert best < 0.006
