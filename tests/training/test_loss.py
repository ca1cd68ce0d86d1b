from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from tests.training.toy_pulses import PREPARATION, labelled_examples, toy_pulses

from discrimen.errors import DataError, SettingsError
from discrimen.keras_jax import load_keras
from discrimen.training import TrainingConfig, TrainingResult, load_model_folder, train
from discrimen.training.examples import Examples
from discrimen.training.loss import HARD_LOSS, SOFT_LOSS, corrected_loss, label_probabilities, loss_of


def examples(soft: np.ndarray | None = None) -> Examples:
    labels = np.array([0, 0, 0, 1], np.int32)
    targets = labels if soft is None else np.stack([1 - soft, soft], axis=1)
    return Examples(waveforms=np.zeros((4, 1, 3), np.float32), targets=targets, pulse=np.arange(4), labels=labels)


def test_pure_labels_follow_the_class() -> None:
    assert_array_equal(label_probabilities({}, label_shares=[3, 1]), np.eye(2))


def test_one_sided_contamination_of_equal_labels() -> None:
    # 100 pulses of each label, 20 of the "neutrons" are gammas: 120 gammas, of which 20 are labelled neutron.
    found = label_probabilities({"neutron": 0.2}, label_shares=[0.5, 0.5])
    assert_allclose(found, [[100 / 120, 20 / 120], [0, 1]])


@given(gamma=st.floats(0, 0.45), neutron=st.floats(0, 0.45), share=st.floats(0.01, 0.99))
def test_contamination_comes_back_by_bayes_from_the_probabilities(gamma: float, neutron: float, share: float) -> None:
    labels = np.array([1 - share, share])
    truth_given_label = np.array([[1 - gamma, neutron], [gamma, 1 - neutron]])
    truth = truth_given_label @ labels
    found = label_probabilities({"gamma": gamma, "neutron": neutron}, label_shares=labels)
    assert_allclose(found.sum(axis=1), 1)
    assert_allclose(truth @ found, labels)
    assert_allclose(found * truth[:, np.newaxis] / labels, truth_given_label, atol=1e-12)


def test_a_label_that_does_not_occur_is_refused() -> None:
    with pytest.raises(SettingsError, match="both labels"):
        label_probabilities({"gamma": 0.1}, label_shares=[10, 0])


def test_the_corrected_loss_is_the_cross_entropy_of_the_labels() -> None:
    probabilities = np.array([[0.9, 0.1], [0.3, 0.7]])
    scores = np.array([[0.8, 0.2], [0.4, 0.6]], np.float32)
    loss = corrected_loss(load_keras().keras, probabilities)(np.array([[1], [0]]), scores)
    assert_allclose(loss, -np.log([0.8 * 0.1 + 0.2 * 0.7, 0.4 * 0.9 + 0.6 * 0.3]), rtol=1e-6)


def test_the_corrected_loss_is_least_at_the_probability_of_the_true_class() -> None:
    probabilities = label_probabilities({"gamma": 0.1, "neutron": 0.3}, label_shares=[0.4, 0.6])
    loss = corrected_loss(load_keras().keras, probabilities)
    truth = 0.37
    of_label = np.array([1 - truth, truth]) @ probabilities
    tried = np.linspace(0.01, 0.99, 99).astype(np.float32)
    scores = np.stack([1 - tried, tried], axis=1)
    mean = sum(of_label[label] * np.asarray(loss(np.full((99, 1), label), scores), np.float64) for label in (0, 1))
    assert tried[np.argmin(mean)] == pytest.approx(truth, abs=1e-6)


def test_pure_labels_keep_the_plain_loss() -> None:
    keras = load_keras().keras
    for pure in (None, {"gamma": 0.0, "neutron": 0.0}):
        assert loss_of(keras, examples(), contamination=pure) == HARD_LOSS
    assert callable(loss_of(keras, examples(), contamination={"gamma": 0.1, "neutron": 0.0}))


def test_soft_labels_are_targets_of_both_classes() -> None:
    given = np.array([0, 0.25, 0.5, 1], np.float32)
    soft = labelled_examples(toy_pulses(2).replace(neutron_probability=given))
    assert loss_of(load_keras().keras, soft, contamination=None) == SOFT_LOSS
    assert_allclose(soft.targets, [[1, 0], [0.75, 0.25], [0.5, 0.5], [0, 1]])
    assert_array_equal(labelled_examples(toy_pulses(2)).targets, [0, 0, 1, 1])


def test_soft_labels_and_contamination_are_one_too_many() -> None:
    soft = examples(np.zeros(4, np.float32))
    with pytest.raises(SettingsError, match="leave out"):
        loss_of(load_keras().keras, soft, contamination={"gamma": 0.1, "neutron": 0.0})


def test_an_unknown_soft_label_is_the_label() -> None:
    soft = np.full(10, np.nan, np.float32)
    soft[3] = 0.4
    found = labelled_examples(toy_pulses(5).replace(neutron_probability=soft))
    assert_allclose(found.targets[:, 1], [0, 0, 0, 0.4, 0, 1, 1, 1, 1, 1])
    assert_allclose(found[np.array([3, 9])].targets[:, 1], [0.4, 1])


@pytest.mark.parametrize("wrong", [-0.1, 1.1, np.inf])
def test_soft_labels_must_be_probabilities(wrong: float) -> None:
    soft = np.array([0, 0, 0, wrong] + [1] * 6, np.float32)
    with pytest.raises(DataError, match="the first is number 3"):
        labelled_examples(toy_pulses(5).replace(neutron_probability=soft))


CONTAMINATION = 0.4


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """Toys of whose neutron labels 40 % are gammas."""
    truth = toy_pulses(900)
    n_wrong = round(CONTAMINATION / (1 - CONTAMINATION) * 900)
    labels = truth.column("label").copy()
    labels[np.random.default_rng(0).permutation(900)[:n_wrong]] = 1
    config = TrainingConfig(architecture="mlp", epochs=12, learning_rate=0.02, contamination={"neutron": CONTAMINATION})
    folder = tmp_path_factory.mktemp("noisy") / "model"
    return train(truth.replace(label=labels), PREPARATION, config, folder=folder)


def gamma_scores(result: TrainingResult) -> np.ndarray:
    from discrimen.network.prepare import prepare

    gammas = toy_pulses(300, seed=9)[:300]
    with load_keras().on_device():
        return np.asarray(result.model.predict(prepare(gammas.samples, PREPARATION).waveforms, verbose=0))[:, 1]


def test_corrected_scores_are_those_of_the_true_class(corrected: TrainingResult) -> None:
    # Two gammas in three were labelled neutron: a plain network would believe it and score them 2/3.
    assert gamma_scores(corrected).mean() < 0.1


def test_a_corrected_model_has_the_layers_of_any_other(corrected: TrainingResult) -> None:
    assert [type(layer).__name__ for layer in corrected.model.layers] == [
        "InputLayer",
        "Flatten",
        "Dense",
        "Dense",
        "Dense",
    ]


def test_a_corrected_model_is_loaded_and_says_what_it_was_corrected_for(corrected: TrainingResult) -> None:
    _, description = load_model_folder(corrected.folder)
    assert description.provenance["training"]["contamination"] == {"gamma": 0.0, "neutron": CONTAMINATION}


def test_soft_labels_can_be_left_out(tmp_path: Path) -> None:
    pulses = toy_pulses(30).replace(neutron_probability=np.full(60, 2, np.float32))
    train(
        pulses, PREPARATION, TrainingConfig(architecture="mlp", epochs=1, soft_labels=False), folder=tmp_path / "hard"
    )
    with pytest.raises(DataError, match="neutron_probability"):
        train(pulses, PREPARATION, TrainingConfig(architecture="mlp", epochs=1), folder=tmp_path / "soft")
    assert not (tmp_path / "soft").exists()


@pytest.mark.slow
def test_soft_labels_are_learned(tmp_path: Path) -> None:
    truth = toy_pulses(300)
    soft = np.where(truth.column("label") == 1, 0.8, 0.3).astype(np.float32)
    config = TrainingConfig(architecture="mlp", epochs=6, learning_rate=0.03, batch_size=50)
    result = train(truth.replace(neutron_probability=soft), PREPARATION, config, folder=tmp_path / "model")
    assert gamma_scores(result).mean() == pytest.approx(0.3, abs=0.08)
