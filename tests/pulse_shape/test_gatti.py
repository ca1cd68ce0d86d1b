"""The optimum linear filter against theory."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.pulse_shape.two_templates import GAMMA, N_SAMPLES, NEUTRON, noisy_pulses

from discrimen.errors import DataError
from discrimen.metrics import Auc, auc, leaked_share
from discrimen.pulse_shape import gatti_weights, tune_gatti

PERIOD_NS = 10.0


def tuned_auc(**noise: float | bool) -> tuple[Auc, float]:
    """Area under the curve on other pulses than those of the tuning, and the tuned share of electronic noise."""
    waveforms, is_neutron = noisy_pulses(6000, seed=1, **noise)  # type: ignore[arg-type]

    def merit(scores: NDArray[np.float64]) -> float:
        return -leaked_share(scores[~is_neutron], scores[is_neutron], efficiency=0.95)

    found = tune_gatti(waveforms, is_neutron, sample_period_ns=PERIOD_NS, merit=merit)
    others, truth = noisy_pulses(6000, seed=2, **noise)  # type: ignore[arg-type]
    return auc(found.score(others), truth.astype(int)), found.electronic_share


def best_auc(signal_to_noise: float) -> float:
    return NormalDist().cdf(signal_to_noise / 2**0.5)


def test_white_noise_the_filter_reaches_the_matched_filter() -> None:
    white, area = 9.0, 1000.0
    mean, difference = (GAMMA + NEUTRON) / 2, NEUTRON - GAMMA
    # Of unknown height: only what stands at right angles to the mean pulse tells the classes apart.
    telling = difference - mean * (mean @ difference) / (mean @ mean)
    found, share = tuned_auc(area=area, white=white)
    assert found.low <= best_auc(area * np.linalg.norm(telling) / white) <= found.high
    assert 0.8 < found.value < 0.99
    assert share >= 0.5


def test_photon_noise_the_filter_reaches_the_likelihood_ratio() -> None:
    area = 120.0
    waveforms, is_neutron = noisy_pulses(6000, seed=2, area=area, photons=True)
    lit = GAMMA > 0
    ratio = np.zeros(N_SAMPLES)
    ratio[lit] = np.log(NEUTRON[lit] / GAMMA[lit])
    best = auc(waveforms @ ratio, is_neutron.astype(int))
    found, _ = tuned_auc(area=area, photons=True)
    assert found.low <= best.value <= found.high
    assert 0.8 < best.value < 0.99


def test_without_electronic_noise_weights_are_those_of_gatti_and_de_martini() -> None:
    weights = gatti_weights(GAMMA, NEUTRON)
    lit = weights != 0
    assert lit.sum() > 30
    expected = (NEUTRON - GAMMA)[lit] / (NEUTRON + GAMMA)[lit]
    # But for a factor and what samples without weight would add.
    assert np.corrcoef(weights[lit], expected)[0, 1] > 0.9999


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_filter_does_not_feel_height_nor_time(share: float) -> None:
    mean = (GAMMA + NEUTRON) / 2
    weights = gatti_weights(GAMMA, NEUTRON, electronic_share=share, steady_in_time=True)
    size = np.linalg.norm(weights) * np.linalg.norm(mean)
    assert abs(weights @ mean) < 1e-9 * size
    assert abs(weights @ np.gradient(mean)) < 1e-9 * size
    assert weights @ (NEUTRON - GAMMA) > 0


def test_scores_ignore_gain_and_are_missing_without_area() -> None:
    waveforms, is_neutron = noisy_pulses(500, seed=1, white=5.0)
    found = tune_gatti(waveforms, is_neutron, sample_period_ns=PERIOD_NS, merit=np.nanmean)
    assert np.allclose(found.score(3 * waveforms), found.score(waveforms), rtol=1e-4, atol=1e-6)
    assert np.isnan(found.score(np.zeros((2, N_SAMPLES), np.float32))).all()
    assert found.parameters["length_ns"] == len(found.weights) * PERIOD_NS


def test_a_chunk_scores_as_the_whole() -> None:
    waveforms, is_neutron = noisy_pulses(500, seed=1, white=5.0)
    found = tune_gatti(waveforms, is_neutron, sample_period_ns=PERIOD_NS, merit=np.nanmean)
    parts = [found.score(waveforms[:7]), found.score(waveforms[7:])]
    assert np.allclose(np.concatenate(parts), found.score(waveforms), rtol=1e-12)


def test_pulses_without_area_and_impossible_shares_are_refused() -> None:
    with pytest.raises(DataError, match="positive area"):
        gatti_weights(-GAMMA, NEUTRON)
    with pytest.raises(DataError, match="between 0 and 1"):
        gatti_weights(GAMMA, NEUTRON, electronic_share=1.5)


def test_filters_that_would_end_before_the_pulse_are_not_tried() -> None:
    waveforms, is_neutron = noisy_pulses(500, seed=3, area=1000.0, white=5.0)
    a_little_low = np.full((len(waveforms), 12), -1.0, dtype=np.float32)
    late = np.hstack([a_little_low, waveforms])
    found = tune_gatti(late, is_neutron, sample_period_ns=2.0, merit=lambda scores: auc(scores, is_neutron).value)
    assert len(found.weights) > 12
