from __future__ import annotations

import numpy as np
import pytest
from tests.grid_search.toy_basis import N_SAMPLES, toy_basis, toy_traces

from discrimen.errors import DataError
from discrimen.grid_search.bound import cramer_rao, cramer_rao_pairs, parting_efficiency, posterior
from discrimen.grid_search.noise import Noise, measured_noise, white_noise
from discrimen.grid_search.pair import search_pairs
from discrimen.grid_search.pair_adaptive import search_pairs_adaptive
from discrimen.grid_search.search import Found, SearchOptions, search
from discrimen.grid_search.segment_library import SegmentLibrary, segment_library

CHANNELS = np.arange(3)
OFFSETS_NS = np.arange(0, 10.1, 2.5)
ENERGY_KEV = 1000.0


def library(noise: Noise, *, step_mm: float = 2.0) -> SegmentLibrary:
    return segment_library(
        toy_basis(step_mm), 2, noise, channels=CHANNELS, offsets_ns=OFFSETS_NS, window=slice(0, N_SAMPLES)
    )


def made(n: int, noise: Noise, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return positions, offsets and white measured traces of hits within the cube."""
    rng = np.random.default_rng(seed)
    positions, offsets = rng.uniform(-4.5, 4.5, (n, 3)), rng.uniform(0, 10, n)
    roots = np.linalg.cholesky(noise.covariance)
    noisy = ENERGY_KEV * toy_traces(positions, offset_ns=offsets) + np.einsum(
        "cij,hcj->hci", roots, rng.normal(size=(n, 3, N_SAMPLES))
    )
    return positions, offsets, noise.whitened(noisy, CHANNELS)


def errors_mm(found: Found, truth: np.ndarray) -> np.ndarray:
    return np.linalg.norm(found.positions_mm - truth, axis=1)


WHITE = white_noise(3.0, n_channels=3, n_samples=N_SAMPLES)


def test_a_point_of_the_grid_without_noise_is_found_exactly() -> None:
    basis = toy_basis()
    measured = WHITE.whitened(ENERGY_KEV * basis.traces[[7, 100]], CHANNELS)
    for adaptive in (False, True):
        found = search(library(WHITE), measured, np.full(2, ENERGY_KEV), options=SearchOptions(adaptive=adaptive))
        assert np.allclose(found.positions_mm, basis.positions_mm[[7, 100]], atol=1e-3)
        assert np.allclose(found.offset_ns, 0, atol=0.01)


def test_interpolation_comes_nearer_to_the_bound_than_the_grid_alone() -> None:
    truth, offsets, measured = made(400, WHITE)
    energy = np.full(400, ENERGY_KEV)
    shelf = library(WHITE)
    fine = search(shelf, measured, energy)
    coarse = search(shelf, measured, energy, options=SearchOptions(interpolate=False))
    bound = np.median(cramer_rao(shelf, ENERGY_KEV).distances_mm())
    assert np.median(errors_mm(coarse, truth)) > 0.8
    assert bound < np.median(errors_mm(fine, truth)) < 1.3 * bound
    assert np.abs(fine.offset_ns - offsets).mean() < 1.0


def test_the_square_of_a_right_model_is_that_of_the_noise() -> None:
    _, _, measured = made(400, WHITE)
    found = search(library(WHITE), measured, np.full(400, ENERGY_KEV))
    assert found.chi_square.mean() == pytest.approx(found.n_values - 4, rel=0.05)


def test_noise_that_is_coloured_is_made_white() -> None:
    rng = np.random.default_rng(3)
    apart = np.abs(np.subtract.outer(np.arange(60), np.arange(60)))
    covariance = 9 * np.exp(-apart / 4)[None].repeat(3, axis=0)
    stretches = np.einsum("cij,hcj->hci", np.linalg.cholesky(covariance), rng.normal(size=(3000, 3, 60)))
    noise = measured_noise(stretches, N_SAMPLES)
    white = noise.whitened(stretches[:, :, :N_SAMPLES], CHANNELS)
    assert np.allclose(np.cov(white.T), np.eye(3 * N_SAMPLES), atol=0.25)
    assert np.square(white).mean() == pytest.approx(1, abs=0.05)


def test_the_adaptive_search_finds_what_the_full_one_finds() -> None:
    truth, _, measured = made(300, WHITE, seed=5)
    energy = np.full(300, ENERGY_KEV)
    full = errors_mm(search(library(WHITE), measured, energy), truth)
    adaptive = errors_mm(search(library(WHITE), measured, energy, options=SearchOptions(adaptive=True)), truth)
    assert np.median(adaptive) < 1.2 * np.median(full)


def test_the_mean_of_the_posterior_has_the_error_that_it_states() -> None:
    noise = white_noise(60.0, n_channels=3, n_samples=N_SAMPLES)
    truth, _, measured = made(600, noise, seed=8)
    found = posterior(library(noise, step_mm=1.0), measured, np.full(600, ENERGY_KEV))
    pulls = (found.mean_mm - truth) / found.rms_mm
    assert np.abs(pulls.std() - 1) < 0.1
    grid = search(library(noise, step_mm=1.0), measured, np.full(600, ENERGY_KEV))
    assert np.square(found.mean_mm - truth).mean() < np.square(grid.positions_mm - truth).mean()


def test_two_interactions_are_taken_apart() -> None:
    basis = toy_basis()
    first, second = 10, 190
    mixed = ENERGY_KEV * (0.7 * basis.traces[first] + 0.3 * basis.traces[second])
    found = search_pairs(library(WHITE), WHITE.whitened(mixed[None], CHANNELS), np.array([ENERGY_KEV]))
    assert found.chi_square[0] < 1e-3 * ENERGY_KEV
    assert found.share[0] == pytest.approx(0.7, abs=0.02)
    assert np.allclose(found.positions_mm[0], basis.positions_mm[[first, second]])


def test_a_dead_channel_and_a_foreign_segment_are_refused() -> None:
    with pytest.raises(DataError, match="channel 1 has no noise"):
        dead = np.random.default_rng(0).normal(size=(100, 3, 60))
        dead[:, 1] = 0
        measured_noise(dead, N_SAMPLES)
    with pytest.raises(DataError, match="0 points in segment 5"):
        segment_library(toy_basis(), 5, WHITE, channels=CHANNELS, offsets_ns=OFFSETS_NS, window=slice(0, N_SAMPLES))


def toy_pairs(n: int, share: float, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return both places of pairs 4 mm and more apart, and their white traces."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(-4.5, 4.5, (20 * n, 2, 3))
    places = places[np.linalg.norm(places[:, 0] - places[:, 1], axis=1) > 4][:n]
    offsets = rng.uniform(0, 10, n)
    first, second = (toy_traces(places[:, number], offset_ns=offsets) for number in (0, 1))
    noisy = ENERGY_KEV * (share * first + (1 - share) * second) + rng.normal(0, 3, first.shape)
    return places, WHITE.whitened(noisy, CHANNELS)


def test_pairs_between_the_points_are_met_to_the_noise() -> None:
    _, measured = toy_pairs(60, 0.7)
    energy = np.full(60, ENERGY_KEV)
    shelf = library(WHITE)
    between = search_pairs_adaptive(shelf, measured, energy)
    on_points = search_pairs(shelf, measured, energy)
    assert between.chi_square.mean() == pytest.approx(3 * N_SAMPLES - 6, rel=0.1)
    assert on_points.chi_square.mean() > between.chi_square.mean() + 3
    assert (between.share >= 0.5).all()


def test_pairs_are_met_better_by_two_than_by_one_and_singles_are_not() -> None:
    energy, shelf = np.full(80, ENERGY_KEV), library(WHITE)

    def better(measured: np.ndarray) -> np.ndarray:
        return search(shelf, measured, energy).chi_square - search_pairs_adaptive(shelf, measured, energy).chi_square

    singles, pairs = better(made(80, WHITE, seed=3)[2]), better(toy_pairs(80, 0.5, seed=4)[1])
    limit = np.quantile(singles, 0.95)
    assert -1 < np.median(singles) < limit < 15
    assert (pairs > limit).mean() > 0.5


def test_the_bound_of_pairs_is_that_of_their_signals() -> None:
    shelf = library(WHITE)
    apart = np.linalg.norm(shelf.positions_mm[:, None] - shelf.positions_mm, axis=2)
    far, near = (np.argwhere(np.abs(apart - wanted) < 0.1)[::40] for wanted in (6, 2))
    wide, narrow = (cramer_rao_pairs(shelf, ENERGY_KEV, points, 0.5) for points in (far, near))
    assert np.median(wide.unlike_one) > 3 * np.median(narrow.unlike_one)
    assert np.median(wide.share) < np.median(narrow.share)
    twice = cramer_rao_pairs(shelf, 2 * ENERGY_KEV, far, 0.5)
    assert np.allclose(np.median(wide.unlike_one) * 4, np.median(twice.unlike_one), rtol=0.02)
    assert np.median(twice.distances_mm()) < 0.7 * np.median(wide.distances_mm())
    # A second one without energy is not known at all, the first as well as if it were alone.
    alone = cramer_rao_pairs(shelf, ENERGY_KEV, far, 1 - 1e-9)
    assert np.allclose(alone.covariance_mm2[:, 1], 100**2 * np.eye(3), rtol=1e-3, atol=1)
    assert np.allclose(alone.unlike_one, 0, atol=1)  # rounding of float32


def test_the_efficiency_of_a_likelihood_ratio_grows_from_its_false_share() -> None:
    found = parting_efficiency(np.array([0.0, 5.0, 12.0, 100.0]))
    assert found[0] == pytest.approx(0.05, abs=1e-4)
    assert np.all(np.diff(found) > 0)
    assert found[-1] > 0.999
    drawn = np.random.default_rng(0).normal([np.sqrt(12.0), 0, 0, 0], 1, (40_000, 4))
    assert found[2] == pytest.approx((np.square(drawn).sum(axis=1) > 9.488).mean(), abs=0.01)
