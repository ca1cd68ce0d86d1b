"""Features and the boosted tree on them."""

from __future__ import annotations

import numpy as np
import pytest
from tests.pulse_shape.two_templates import N_SAMPLES, noisy_pulses

from discrimen.metrics import auc
from discrimen.pulse_shape import pulse_features, train_boosted_tree


def test_the_tree_learns_the_shape_and_a_seed_gives_the_same_again() -> None:
    waveforms, is_neutron = noisy_pulses(2000, seed=1, white=5.0)
    trees = [train_boosted_tree(waveforms, is_neutron, seed=3) for _ in range(2)]
    others, truth = noisy_pulses(1000, seed=2, white=5.0)
    scores = [tree.score(others) for tree in trees]
    assert np.array_equal(*scores)
    assert auc(scores[0], truth.astype(int)).value > 0.9
    assert trees[0].parameters["n_features"] == pulse_features(others).shape[1]
    assert np.isnan(trees[0].score(np.zeros((1, N_SAMPLES), np.float32))).all()


def test_fall_and_rise_times_of_a_triangle_are_known() -> None:
    triangle = np.concatenate([np.arange(11), np.arange(9, -1, -1), np.zeros(9)]).astype(np.float32)
    times = [10 - 0.1 * 10 - 0.1 * 10, 9.0, 8.0, 5.0, 1.0]
    found = pulse_features(triangle[np.newaxis])[0]
    at = int(np.flatnonzero(np.isclose(found, 8.0))[0])
    assert found[at : at + 5] == pytest.approx(times)
    assert found[:3] == pytest.approx([10, 100, 10])


def test_features_of_a_pulse_do_not_depend_on_the_others() -> None:
    waveforms, _ = noisy_pulses(50, seed=1, white=5.0)
    assert np.allclose(pulse_features(waveforms)[:5], pulse_features(waveforms[:5]), rtol=1e-4, equal_nan=True)
