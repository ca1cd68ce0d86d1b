"""Edges are found without a word on the gain, and fitted to within their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from tests.calibration.spectra import measured, scattered_once_kev

from compton_transport import deposits_kev
from discrimen.calibration.edge_fit import EdgeFit, fit_edges
from discrimen.calibration.edge_search import find_edges
from discrimen.calibration.gamma_sources import GAMMA_SOURCES, source_named
from discrimen.calibration.spectrum import Spectrum, spectrum_of
from discrimen.errors import DataError, SettingsError

ROOM = 150.0
"""Mean of an exponential of light from elsewhere, in keVee."""


def fitted(spectrum: Spectrum, source: str) -> tuple[EdgeFit, ...]:
    return fit_edges(spectrum, find_edges(spectrum, source_named(source)))


def test_edges_lie_by_energy_within_each_source() -> None:
    for source in GAMMA_SOURCES:
        edges = [group.edge_kev for group in source.groups]
        assert edges == sorted(edges)


def test_a_source_that_is_not_known_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"'Eu-152'; choose one of: Cs-137, Co-60"):
        source_named("Eu-152")


@pytest.mark.parametrize(("source", "unit_per_kev"), [("Cs-137", 900.0), ("Co-60", 0.02), ("Na-22", 3.7)])
def test_the_gain_is_found_whatever_it_is(source: str, unit_per_kev: float) -> None:
    rng = np.random.default_rng(4)
    light = np.append(scattered_once_kev(source, 12_000, rng), rng.exponential(ROOM, 6000))
    for fit in fitted(measured(light, unit_per_kev=unit_per_kev, rng=rng), source):
        assert fit.position == pytest.approx(unit_per_kev * fit.group.edge_kev, rel=0.02)
        assert abs(fit.position - unit_per_kev * fit.group.edge_kev) < 4 * fit.error


def test_resolution_comes_with_the_edge() -> None:
    rng = np.random.default_rng(6)
    spectrum = measured(scattered_once_kev("Cs-137", 40_000, rng), unit_per_kev=1.0, rng=rng, sigma_at_400=0.06)
    (fit,) = fitted(spectrum, "Cs-137")
    assert fit.shape.resolution == pytest.approx(0.06 * np.sqrt(400 / 477.3), abs=4 * fit.resolution_error)
    assert fit.resolution_error < 0.003


def test_whole_numbers_make_no_comb() -> None:
    rng = np.random.default_rng(5)
    charge = np.rint(measured(scattered_once_kev("Cs-137", 20_000, rng), unit_per_kev=0.11, rng=rng).values)
    spectrum = spectrum_of([charge], [np.zeros(len(charge), bool)], limits=None, rng=rng)
    (fit,) = fitted(spectrum, "Cs-137")
    assert fit.position == pytest.approx(0.11 * 477.334, rel=0.01)
    assert fit.probability > 1e-3


def test_scattering_twice_does_not_move_the_edge() -> None:
    rng = np.random.default_rng(7)
    light = deposits_kev(661.657, 80_000, radius_cm=6.35, length_cm=12.7, rng=rng)
    (fit,) = fitted(measured(light, unit_per_kev=10.0, rng=rng), "Cs-137")
    assert fit.position == pytest.approx(4773.3, rel=0.01)
    assert fit.shape.depth > 0.2


def test_a_falling_spectrum_has_no_edge() -> None:
    rng = np.random.default_rng(8)
    spectrum = measured(rng.exponential(300, 30_000), unit_per_kev=5.0, rng=rng)
    with pytest.raises(DataError, match=r"no Compton edge of Cs-137 \(477 keVee\) between .* --range"):
        find_edges(spectrum, source_named("Cs-137"))


def test_an_edge_above_saturation_is_not_looked_for() -> None:
    rng = np.random.default_rng(9)
    charge = np.minimum(measured(scattered_once_kev("Co-60", 20_000, rng), unit_per_kev=1.0, rng=rng).values, 800.0)
    spectrum = spectrum_of([charge], [charge >= 800], limits=None, rng=rng)
    assert spectrum.high == pytest.approx(800)
    with pytest.raises(DataError, match="pulses saturate from 800"):
        find_edges(spectrum, source_named("Co-60"))


def test_the_range_chooses_between_the_source_and_the_room() -> None:
    rng = np.random.default_rng(10)
    light = np.concatenate([scattered_once_kev("Cs-137", 3000, rng), scattered_once_kev("K-40", 30_000, rng)])
    charge = measured(light, unit_per_kev=1.0, rng=rng).values
    for limits, edge in ((None, 1243.4), ((430.0, 530.0), 477.3)):
        chosen = spectrum_of([charge], [np.zeros(len(charge), bool)], limits=limits, rng=rng)
        position = find_edges(chosen, source_named("Cs-137"))[0].unit_per_kev * 477.3
        assert position == pytest.approx(edge, rel=0.06)


def test_an_edge_that_may_lie_elsewhere_says_so() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        spectrum = measured(scattered_once_kev("Co-60", 2000, rng), unit_per_kev=1.0, rng=rng, sigma_at_400=0.08)
        (fit,) = fitted(spectrum, "Co-60")
        if fit.rival is not None:
            assert fit.error >= abs(fit.rival - fit.position)
            assert abs(fit.position - 1118.1) < 2 * fit.error
            return
    pytest.fail("no spectrum of so few pulses leaves two places")


def pulls(source: str, n_spectra: int, n_pulses: int, *, sigma_at_400: float) -> np.ndarray:
    """Return (fit - truth) / error of many spectra of cells of 5 cm in a room."""
    found = []
    for seed in range(n_spectra):
        rng = np.random.default_rng([11, seed])
        lines = [line for group in source_named(source).groups for line in group.lines_kev]
        parts = [deposits_kev(line, 4 * n_pulses, radius_cm=2.54, length_cm=5.08, rng=rng) for line in lines]
        light = np.concatenate([part[: n_pulses // len(lines)] for part in parts])
        light = np.append(light, rng.exponential(ROOM, n_pulses // 4))
        for fit in fitted(measured(light, unit_per_kev=2.0, rng=rng, sigma_at_400=sigma_at_400), source):
            found.append((fit.position - 2 * fit.group.edge_kev) / fit.error)
    return np.array(found)


def test_the_interval_holds_on_a_few_spectra() -> None:
    found = pulls("Cs-137", 3, 8000, sigma_at_400=0.05)
    assert np.abs(found).max() < 3.5
    assert np.abs(found).max() > 0.3


@pytest.mark.slow
@pytest.mark.parametrize(("source", "sigma_at_400"), [("Cs-137", 0.04), ("Cs-137", 0.09), ("Co-60", 0.05)])
def test_intervals_cover(source: str, sigma_at_400: float) -> None:
    found = np.abs(pulls(source, 60, 8000, sigma_at_400=sigma_at_400))
    # Of 60: 95 % holds at least 52 in all but 1 % of cases, and 68 % at least 32.
    assert (found < 1.96).sum() >= 52
    assert (found < 1).sum() >= 32
    assert (found < 1).sum() < 58
