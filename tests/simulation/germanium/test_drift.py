"""Drift velocities: the measured ones along the axes, and the symmetry of the lattice between them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.simulation.germanium.drift import (
    ELECTRONS_100,
    ELECTRONS_111,
    HOLES_100,
    HOLES_111,
    AxisMobility,
    electron_velocities,
    hole_velocities,
)

Velocities = Callable[..., NDArray[np.float64]]
STRENGTHS_V_PER_MM = np.array([20.0, 100.0, 300.0])


@pytest.mark.parametrize(
    ("velocities", "sign", "axis", "mobility"),
    [
        (electron_velocities, -1, (1, 0, 0), ELECTRONS_100),
        (electron_velocities, -1, (0, 0, 1), ELECTRONS_100),
        (electron_velocities, -1, (1, 1, 1), ELECTRONS_111),
        (electron_velocities, -1, (1, -1, 1), ELECTRONS_111),
        (hole_velocities, 1, (0, 1, 0), HOLES_100),
        (hole_velocities, 1, (0, 0, 1), HOLES_100),
        (hole_velocities, 1, (-1, 1, 1), HOLES_111),
    ],
)
def test_velocity_along_an_axis_is_the_measured_one(
    velocities: Velocities, sign: int, axis: tuple[int, int, int], mobility: AxisMobility
) -> None:
    unit = np.array(axis) / np.linalg.norm(axis)
    got = velocities(STRENGTHS_V_PER_MM[:, np.newaxis] * unit, lattice_angle_deg=0)
    wanted = sign * mobility.velocity_mm_per_ns(10 * STRENGTHS_V_PER_MM)[:, np.newaxis] * unit
    assert np.abs(got - wanted).max() < 1e-9


def test_carriers_are_slower_along_the_diagonal_and_near_saturation_of_some_0_1_mm_per_ns() -> None:
    field = np.array([1500.0])
    fast = [mobility.velocity_mm_per_ns(field)[0] for mobility in (ELECTRONS_100, HOLES_100)]
    slow = [mobility.velocity_mm_per_ns(field)[0] for mobility in (ELECTRONS_111, HOLES_111)]
    assert 0.06 < slow[0] < fast[0] < 0.14
    assert 0.06 < slow[1] < fast[1] < 0.14


@pytest.mark.parametrize("velocities", [electron_velocities, hole_velocities])
def test_velocities_turn_with_the_lattice(velocities: Velocities) -> None:
    field = np.random.default_rng(0).standard_normal((50, 3)) * 150
    upright = velocities(field, lattice_angle_deg=0)
    quarter = velocities(field[:, [1, 0, 2]] * [-1, 1, 1], lattice_angle_deg=0)
    assert np.abs(quarter - upright[:, [1, 0, 2]] * [-1, 1, 1]).max() < 1e-9
    assert np.abs(velocities(field, lattice_angle_deg=90) - upright).max() < 1e-9
    assert np.abs(velocities(field, lattice_angle_deg=45) - upright).max() > 1e-3


def test_carriers_leave_the_field_between_axes() -> None:
    oblique = np.array([[100.0, 0.0, 40.0]])
    for velocities in (electron_velocities, hole_velocities):
        velocity = velocities(oblique, lattice_angle_deg=0)[0]
        cosine = abs(velocity @ oblique[0]) / np.linalg.norm(velocity) / np.linalg.norm(oblique[0])
        assert 0.9 < cosine < 0.9999


def test_nothing_drifts_without_a_field() -> None:
    for velocities in (electron_velocities, hole_velocities):
        assert np.array_equal(velocities(np.zeros((1, 3)), lattice_angle_deg=45), np.zeros((1, 3)))
