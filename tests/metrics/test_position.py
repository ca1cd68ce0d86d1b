from __future__ import annotations

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.metrics.position import (
    FIGURE_WORDS,
    PositionErrors,
    fwhm,
    grid_clustering,
    mean_estimate,
    position_figures,
    quantile_estimate,
    rms_estimate,
)

RNG = np.random.default_rng(3)


def figures(residual: np.ndarray, deviation: np.ndarray | None = None) -> dict:
    found = position_figures(
        PositionErrors(residual_mm=residual, deviation_mm=deviation), confidence=0.95, rng=np.random.default_rng(0)
    )
    assert found is not None
    return found


def test_figures_of_a_normal_distribution() -> None:
    sigma = np.array([1.0, 2.0, 3.0])
    residual = RNG.normal(0, 1, (20_000, 3)) * sigma + [0.5, 0, 0]
    found = figures(residual, np.broadcast_to(sigma, residual.shape))
    assert list(found) == list(FIGURE_WORDS)
    assert found["y_rms_mm"].value == pytest.approx(2, rel=0.02)
    assert found["z_fwhm_mm"].value == pytest.approx(2.355 * 3, rel=0.05)
    assert found["x_bias_mm"].value == pytest.approx(0.5, abs=0.03)
    assert found["x_pull_mean"].value == pytest.approx(0.5, abs=0.03)
    assert found["y_pull_width"].value == pytest.approx(1, abs=0.02)
    assert found["z_coverage"].value == pytest.approx(68.3, abs=1)
    assert found["median_3d_mm"].value < found["radius_68_mm"].value < found["radius_95_mm"].value


def test_the_median_radius_of_equal_errors_is_that_of_maxwell() -> None:
    found = figures(RNG.normal(0, 1, (20_000, 3)))
    # Quantiles of the chi distribution with three degrees of freedom.
    assert found["median_3d_mm"].value == pytest.approx(1.538, rel=0.02)
    assert found["radius_95_mm"].value == pytest.approx(2.795, rel=0.02)
    assert not any("pull" in name or "coverage" in name for name in found)


@pytest.mark.parametrize("name", ["median_3d_mm", "x_rms_mm", "x_bias_mm"])
def test_intervals_hold_the_truth_as_often_as_they_say(name: str) -> None:
    truth = {"median_3d_mm": 1.538, "x_rms_mm": 1.0, "x_bias_mm": 0.0}[name]
    inside = 0
    for _ in range(100):
        residual = RNG.normal(0, 1, (200, 3))
        distance = np.sqrt(np.square(residual).sum(axis=1))
        if name == "median_3d_mm":
            found = quantile_estimate(distance, 0.5, confidence=0.9)
        elif name == "x_rms_mm":
            found = rms_estimate(residual[:, 0], confidence=0.9)
        else:
            found = mean_estimate(residual[:, 0], confidence=0.9)
        inside += found.low <= truth <= found.high
    assert 80 <= inside <= 99


def test_the_width_of_a_box_is_its_length_and_tails_do_not_count() -> None:
    assert fwhm(RNG.uniform(0, 4, 20_000)) == pytest.approx(4, rel=0.05)
    core = RNG.normal(0, 1, 20_000)
    core[:1000] *= 20
    assert fwhm(core) == pytest.approx(2.355, rel=0.06)
    assert core.std() > 4
    assert fwhm(np.ones(50)) == 0


def test_coordinates_that_are_not_known_do_not_count() -> None:
    residual = RNG.normal(0, 1, (300, 3))
    residual[:, 2] = np.nan
    found = figures(residual)
    assert "x_rms_mm" in found
    assert not any(name.startswith("z") or "3d" in name for name in found)


def test_too_few_hits_have_no_figures_and_wrong_shapes_are_refused() -> None:
    few = PositionErrors(residual_mm=np.zeros((19, 3)))
    assert position_figures(few, confidence=0.95, rng=RNG) is None
    with pytest.raises(DataError, match=r"shape \(hit, 3\), got \(4, 2\)"):
        PositionErrors(residual_mm=np.zeros((4, 2)))
    with pytest.raises(DataError, match=r"errors of shape \(4, 3\), got \(3, 3\)"):
        PositionErrors(residual_mm=np.zeros((4, 3)), deviation_mm=np.zeros((3, 3)))


def test_a_grid_that_the_truth_is_not_on_is_seen() -> None:
    truth = RNG.uniform(0, 80, (5000, 3))
    smooth = truth + RNG.normal(0, 0.5, truth.shape)
    assert not any(each.is_seen for each in grid_clustering(smooth, truth))
    snapped = np.round(truth / 2) * 2
    seen = {each.pitch_mm: each.is_seen for each in grid_clustering(snapped, truth)}
    assert seen == {1.0: True, 2.0: True, 3.0: False, 4.0: False, 5.0: False}
    # Truth on the grid too says nothing of the network.
    assert not any(each.is_seen for each in grid_clustering(snapped, snapped))
