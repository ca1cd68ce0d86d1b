"""Potentials: the sum rule, the contacts, and a coaxial crystal whose potential is a logarithm."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from discrimen.errors import MissingExtraError, SettingsError
from discrimen.simulation.germanium.crystal import CORE, Crystal, read_crystal
from discrimen.simulation.germanium.grid import build_grid
from discrimen.simulation.germanium.potentials import relax, residual, sum_rule_error
from discrimen.simulation.germanium.signals import Field

COAXIAL = Crystal(
    name="coaxial",
    length_mm=150,
    radius_mm=30,
    bore_radius_mm=6,
    bore_start_mm=10,
    ring_heights_mm=(25,) * 6,
    front_corners_mm=((60, 0), (30, 52), (-30, 52), (-60, 0), (-30, -52), (30, -52)),
    back_corners_mm=((60, 0), (30, 52), (-30, 52), (-60, 0), (-30, -52), (30, -52)),
    bias_v=3000,
    impurity_type="n",
    impurity_front_1e10_per_cm3=0.5,
)


def test_weighting_potentials_add_up_to_one(greta: Field) -> None:
    assert sum_rule_error(greta.potentials) < 1e-4
    assert residual(greta.potentials).max() < 1e-5


def test_weighting_potentials_lie_between_those_of_the_contacts(greta: Field) -> None:
    inside = greta.potentials.weighting[: greta.potentials.grid.n_free]
    assert inside.min() > -1e-4
    assert inside.max() < 1.0001
    contacts = greta.potentials.weighting[greta.potentials.grid.n_free :][:37]
    assert np.array_equal(contacts, np.eye(37))


def test_field_drives_holes_to_the_segments(greta: Field) -> None:
    grid = greta.potentials.grid
    place = grid.origin_mm + grid.spacing_mm * grid.nodes
    middle = (place[:, 2] > 40) & (place[:, 2] < 80)
    radius = np.hypot(place[:, 0], place[:, 1])
    outwards = (greta.potentials.field_v_per_mm[: grid.n_free, :2] * place[:, :2]).sum(axis=1)[middle] / radius[middle]
    assert outwards.min() > 20


def test_a_coaxial_crystal_has_the_potential_of_its_formula() -> None:
    """phi = V (1 - ln(r/a) / ln(b/a)) + rho/4 eps (a2 - r2 + (b2 - a2) ln(r/a) / ln(b/a)), far from the ends."""
    potentials = relax(build_grid(COAXIAL, spacing_mm=2.0))
    grid = potentials.grid
    place = grid.origin_mm + grid.spacing_mm * grid.nodes
    middle = np.abs(place[:, 2] - 90) < 15
    r, a, b = np.hypot(place[middle, 0], place[middle, 1]), 6.0, 30.0
    share = np.log(r / a) / np.log(b / a)
    core = potentials.weighting[: grid.n_free][middle, CORE]
    assert np.abs(core - (1 - share)).max() < 0.01
    rho = 0.5e10 * 1e-3 * 1.602e-19 / (16 * 8.854e-15)
    formula = 3000 * (1 - share) + rho / 4 * (a**2 - r**2 + (b**2 - a**2) * share)
    assert np.abs(potentials.electric_v[: grid.n_free][middle] - formula).max() < 30


def test_the_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(MissingExtraError, match=r"discrimen\[germanium\]"):
        build_grid(read_crystal("greta-a"), spacing_mm=4)


def test_impossible_grids_are_refused() -> None:
    with pytest.raises(SettingsError, match="to 5 mm, got 9 mm"):
        build_grid(read_crystal("greta-a"), spacing_mm=9)
