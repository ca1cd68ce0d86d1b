"""The likelihood ratio of two templates against theory."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.pulse_shape.two_templates import GAMMA, N_SAMPLES, NEUTRON, noisy_pulses

from discrimen.errors import DataError
from discrimen.metrics import auc
from discrimen.pulse_shape import TemplateLikelihood, tune_template_likelihood


def tuned(waveforms: NDArray[np.float32], is_neutron: NDArray[np.bool_]) -> TemplateLikelihood:
    return tune_template_likelihood(
        waveforms, is_neutron, sample_period_ns=2.0, merit=lambda scores: auc(scores, is_neutron.astype(int)).value
    )


def test_white_noise_the_ratio_comes_close_to_the_matched_filter_of_known_height() -> None:
    white, area = 30.0, 1000.0
    found = tuned(*noisy_pulses(6000, seed=1, area=area, white=white))
    others, truth = noisy_pulses(6000, seed=2, area=area, white=white)
    reached = auc(found.score(others), truth.astype(int))
    best = NormalDist().cdf(area * np.linalg.norm(NEUTRON - GAMMA) / white / 2**0.5)
    # The covariances are those of 3000 pulses of a class.
    assert best - 0.02 < reached.value < best + 0.005
    assert 0.8 < best < 0.99


def test_photon_noise_the_ratio_comes_close_to_that_of_counted_photons() -> None:
    area = 120.0
    found = tuned(*noisy_pulses(8000, seed=1, area=area, photons=True))
    others, truth = noisy_pulses(6000, seed=2, area=area, photons=True)
    lit = GAMMA > 0
    best = auc(others[:, lit] @ np.log(NEUTRON[lit] / GAMMA[lit]), truth.astype(int)).value
    # Few photons a sample are not normally distributed.
    assert best - 0.03 < auc(found.score(others), truth.astype(int)).value < best + 0.005
    assert best < 0.98


def test_classes_that_differ_in_their_noise_alone_are_parted() -> None:
    rng = np.random.default_rng(1)
    is_neutron = np.arange(4000) % 2 == 1
    scale = np.where(is_neutron, 12.0, 8.0)[:, np.newaxis]
    waveforms = (1000 * GAMMA + scale * rng.normal(size=(4000, N_SAMPLES))).astype(np.float32)
    found = tuned(waveforms, is_neutron)
    assert auc(found.score(waveforms), is_neutron.astype(int)).value > 0.95


def test_templates_follow_the_charge() -> None:
    small, small_truth = noisy_pulses(3000, seed=1, area=500.0, photons=True, white=2.0)
    large, large_truth = noisy_pulses(3000, seed=2, area=20_000.0, photons=True, white=2.0)
    found = tuned(np.concatenate([small, large]), np.concatenate([small_truth, large_truth]))
    assert len(found.log_charge) > 1
    assert found.means[0, 0].sum() < 0.1 * found.means[-1, 0].sum()
    assert (np.diff(found.parameters["charge_adc_ns"]) > 0).all()


def test_shorter_templates_score_as_those_of_fewer_samples() -> None:
    waveforms, is_neutron = noisy_pulses(1000, seed=1, white=5.0, photons=True)
    found = tuned(waveforms, is_neutron)
    at = found.n_samples // 2
    shorter = TemplateLikelihood(
        log_charge=found.log_charge,
        means=found.means[:, :, :at],
        whiteners=found.whiteners[:, :, :at, :at],
        charge_samples=found.charge_samples,
        shrinkage=found.shrinkage,
        sample_period_ns=2.0,
    )
    assert shorter.score(waveforms) == pytest.approx(found.scores_by_length(waveforms)[:, at - 1])
    assert shorter.parameters["length_ns"] == 2.0 * at


def test_a_pulse_without_charge_has_no_score_and_few_pulses_no_templates() -> None:
    waveforms, is_neutron = noisy_pulses(500, seed=1, white=5.0)
    assert np.isnan(tuned(waveforms, is_neutron).score(np.zeros((2, N_SAMPLES), np.float32))).all()
    with pytest.raises(DataError, match="need 100 pulses of each class with a positive charge, got 0"):
        tuned(-waveforms, is_neutron)


def test_samples_that_never_change_do_not_matter() -> None:
    waveforms, is_neutron = noisy_pulses(500, seed=1, white=5.0)
    waveforms[:, :2] = 0
    assert np.isfinite(tuned(waveforms, is_neutron).score(waveforms)).all()
