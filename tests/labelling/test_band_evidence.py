"""Evidence of two species: true bands give it, and nothing of what only looks like them does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.labelling.band_evidence import BandEvidence, find_evidence, look_alike

Values = NDArray[np.float64]


def energies(rng: np.random.Generator, n: int = 20_000, low: float = 100.0, high: float = 10_000.0) -> Values:
    return np.exp(rng.uniform(np.log(low), np.log(high), n))


def evidence(energy: Values, psd: Values, *, psd_step: Values | float = 0.0) -> BandEvidence:
    low, high = np.quantile(energy, [0.05, 0.999])
    rng = np.random.default_rng(0)
    return find_evidence(energy, psd, energy_range=(float(low), float(high)), psd_step=psd_step, rng=rng)


@pytest.mark.parametrize("neutron_share", [0.5, 0.1])
def test_bands_that_part_with_light_are_evidence_from_where_they_part(neutron_share: float) -> None:
    rng = np.random.default_rng(1)
    energy = energies(rng)
    psd = np.where(rng.random(len(energy)) < neutron_share, 0.35, 0.2) + rng.normal(size=len(energy)) / np.sqrt(energy)
    found = evidence(energy, psd)
    # 4 and 8 widths apart at 711 and 2844.
    assert 200 < found.low < 711 * (1 if neutron_share == 0.5 else 4)
    assert found.high > 9000
    assert found.depth_ratio < 0.1
    assert found.resolution_power > 0


def test_one_band_of_any_shape_is_none() -> None:
    rng = np.random.default_rng(2)
    energy = energies(rng)
    n = len(energy)
    noise = 0.1 * rng.normal(size=n) / np.sqrt(energy)
    for psd in (0.2 + rng.uniform(-0.02, 0.02, n), 0.2 + rng.exponential(0.02, n), 0.2 + noise):
        with pytest.raises(DataError, match="no two bands: 0 of"):
            evidence(energy, psd + noise)


@pytest.mark.parametrize("width", [0.03, 0.1, 0.16])
def test_edges_of_one_band_by_the_phase_of_the_clock_are_none(width: float) -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        energy = energies(rng)
        phase = np.sin(2 * np.pi * rng.random(len(energy)))
        with pytest.raises(DataError, match=r"phase of the sampling clock|edges of one band|no two bands"):
            evidence(energy, 0.72 + 0.012 * (phase + width * rng.normal(size=len(energy))))


def test_bands_that_overlap_are_no_edges() -> None:
    rng = np.random.default_rng(7)
    energy = energies(rng, 40_000)
    # 3.7 widths apart: the valley holds 0.37 of either.
    found = evidence(energy, (rng.random(len(energy)) < 0.5) + 0.27 * rng.normal(size=len(energy)))
    assert found.depth_ratio > 0.3
    assert found.mirrored_ratio == pytest.approx(1.0, abs=0.4)


def test_lines_of_alphas_are_none() -> None:
    rng = np.random.default_rng(4)
    energy = rng.exponential(3000, 30_000) + 200
    alpha = rng.random(len(energy)) < 0.08
    energy[alpha] = rng.choice([8000, 8700, 9500, 11_000, 13_000], alpha.sum()) * rng.normal(1, 0.02, alpha.sum())
    psd = np.where(alpha, 0.45, 0.43) + 0.2 * rng.normal(size=len(energy)) / np.sqrt(energy)
    with pytest.raises(DataError, match=r"factor of 1\.[67]\d in energy only"):
        evidence(energy, psd)


def test_steps_of_small_charges_are_none() -> None:
    rng = np.random.default_rng(5)
    long = np.rint(energies(rng, low=8, high=200))
    short = np.rint(long * (0.7 + 0.02 * rng.normal(size=len(long))))
    with pytest.raises(DataError, match="no two bands: 0 of"):
        evidence(long, 1 - short / long, psd_step=1 / long)
    with pytest.raises(DataError, match=r"no two bands: [1-9]|two maxima"):
        evidence(long, 1 - short / long)


def test_pile_up_above_the_spectrum_is_none() -> None:
    rng = np.random.default_rng(6)
    n = 40_000
    first, second = rng.uniform(50, 480, n), np.where(rng.random(n) < 0.2, rng.uniform(50, 480, n), 0.0)
    late = rng.random(n) < 0.7  # the second pulse behind the short gate
    energy = first + second
    psd = (0.1 * energy + np.where(late, 0.9 * second, 0.0)) / energy + 0.3 * rng.normal(size=n) / np.sqrt(energy)
    with pytest.raises(DataError, match=r"times as wide|smooth curve"):
        evidence(energy, psd)


GOOD = BandEvidence(
    low=100.0, high=1000.0, n_slices=8, significance=20.0, depth_ratio=0.1, mirrored_ratio=1.0, width_ratio=1.2,
    energy_ratio=5.0, jump=0.02, resolution_power=0.3,
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"depth_ratio": 0.7}, "edges of one band"),
        ({"depth_ratio": 0.4, "mirrored_ratio": 0.2}, "sampling clock"),
        ({"depth_ratio": 0.1, "mirrored_ratio": 0.2}, ""),
        ({"width_ratio": 5.0}, "5 times as wide"),
        ({"width_ratio": 0.2}, "0.2 times as wide"),
        ({"energy_ratio": 1.5}, "factor of 1.50"),
        ({"jump": 0.3}, "smooth curve"),
        ({"resolution_power": -0.8}, "less with more light"),
        ({"resolution_power": -0.8, "n_slices": 4}, ""),
    ],
)
def test_each_look_alike_is_named(change: dict[str, float], reason: str) -> None:
    told = look_alike(replace(GOOD, **change))
    assert reason in told if reason else not told
