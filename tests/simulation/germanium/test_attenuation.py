"""Cross-sections against the published tables."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.simulation.germanium.attenuation import compton_cm2_per_g, pair_cm2_per_g, photoelectric_cm2_per_g

ENERGIES_KEV = np.array([500.0, 600, 800, 1000, 1250, 1500, 2000, 3000])
HUBBELL_AND_SELTZER_CM2_PER_G = np.array([0.08212, 0.07452, 0.06426, 0.05727, 0.05101, 0.04657, 0.04086, 0.03524])


def test_parts_add_up_to_the_tables() -> None:
    total = compton_cm2_per_g(ENERGIES_KEV) + pair_cm2_per_g(ENERGIES_KEV) + photoelectric_cm2_per_g(ENERGIES_KEV)
    assert np.abs(total / HUBBELL_AND_SELTZER_CM2_PER_G - 1).max() < 0.03


def test_parts_are_those_of_elam_at_100_kev() -> None:
    energy = np.array([100.0])
    assert photoelectric_cm2_per_g(energy)[0] == pytest.approx(0.3836)
    assert compton_cm2_per_g(energy)[0] == pytest.approx(0.121, rel=0.1)


def test_pairs_begin_at_twice_the_rest_energy_and_their_series_meet() -> None:
    assert np.array_equal(pair_cm2_per_g(np.array([100.0, 1021.9])), [0, 0])
    below, above = pair_cm2_per_g(np.array([2043.9, 2044.1]))
    assert above == pytest.approx(below, rel=2e-3)
