"""Clouds: energy is kept, they widen with energy, and the signals of a point become softer."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.simulation.germanium.cloud import clouds, electron_range_mm
from discrimen.simulation.germanium.signals import Charges, Field, Window, induce


def cloud(field: Field, points: list[list[float]], energy_kev: float, seed: int = 0) -> Charges:
    n = len(points)
    return clouds(
        field,
        np.array(points),
        np.full(n, energy_kev),
        np.arange(n + 1),
        n_parts=40,
        rng=np.random.default_rng(seed),
    )


def test_range_of_an_electron_of_1_mev_is_412_mg_per_cm2() -> None:
    assert electron_range_mm(np.array([1000.0]))[0] == pytest.approx(412 / 532.3, rel=1e-6)
    assert electron_range_mm(np.array([100.0]))[0] < 0.1


def test_parts_keep_energy_and_centre(greta: Field) -> None:
    charges = cloud(greta, [[-20.0, 2.0, 30.0], [15.0, 5.0, 60.0]], 1000.0)
    assert charges.amounts.sum() == pytest.approx(2000)
    assert list(charges.first_point) == [0, 40, 80]
    assert charges.points_mm[:40].mean(axis=0) == pytest.approx([-20, 2, 30])
    assert charges.points_mm[:40].std(axis=0) == pytest.approx(0.25 * 0.774, rel=0.35)


def test_parts_stay_in_the_crystal(greta: Field) -> None:
    charges = cloud(greta, [[10.0, 0.0, 0.1]], 3000.0)
    assert greta.depths_and_segments(charges.points_mm)[0].min() > 0
    assert np.count_nonzero(charges.spreads[:, 0, 3] == 0) > 5


def test_cloud_collects_all_charge_and_softens_the_signals(greta: Field) -> None:
    window = Window(n_samples=70)
    place = [[-20.0, 2.0, 30.0]]
    point = induce(greta, Charges.single(np.array(place)), window=window).traces[0]
    wide = induce(greta, cloud(greta, place, 1000.0), window=window).traces[0] / 1000
    assert wide[[15, 36], -1] == pytest.approx(1, abs=1e-4)
    assert 0.001 < np.abs(wide - point).max() < 0.2


def test_the_same_seed_gives_the_same_cloud(greta: Field) -> None:
    window, place = Window(n_samples=40), [[-20.0, 2.0, 30.0]]
    first, again, other = (
        induce(greta, cloud(greta, place, 500.0, seed), window=window, n_threads=threads).traces
        for seed, threads in ((1, 1), (1, 2), (2, 1))
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
