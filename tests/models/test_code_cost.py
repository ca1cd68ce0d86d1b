"""What a code costs in training: the network that is taught, and the plain one that stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from discrimen.errors import SettingsError
from discrimen.keras_jax import load_keras
from discrimen.models import build_model
from discrimen.models.code_cost import CodeCost, set_epoch, with_code_cost
from discrimen.network.outputs import PREPARED, Output
from discrimen.training import Classification, Reconstruction, TrainingConfig

OUTPUTS = (
    Output(name="reconstruction", kind="waveform", shape=(1, 20), unit=PREPARED),
    Output(name="code", kind="code", shape=(3,), unit="1"),
)
WAVEFORMS = np.random.default_rng(0).normal(size=(500, 1, 20)).astype(np.float32)
KL = CodeCost(kl=0.5, decorrelation=0.25, warm_up_epochs=4)


def model_of(architecture: str) -> Any:
    return build_model(load_keras("cpu").keras, architecture, {"code": 3}, shape=(1, 20), outputs=OUTPUTS)


@pytest.mark.usefixtures("quick_weights")
@pytest.mark.parametrize("architecture", ["variational_autoencoder", "conv_variational_autoencoder"])
def test_the_taught_network_draws_codes_and_the_model_does_not(architecture: str) -> None:
    model = model_of(architecture)
    taught = with_code_cost(load_keras("cpu").keras, model, KL)
    waveform, code = (np.asarray(each) for each in model(WAVEFORMS))
    quiet, drawn = (np.asarray(taught(WAVEFORMS, training=training)) for training in (False, True))
    assert quiet.shape == (500, 20 + 3)
    np.testing.assert_allclose(quiet[:, :20], waveform[:, 0], rtol=1e-4, atol=1e-4)
    assert np.abs(drawn[:, :20] - waveform[:, 0]).mean() > 0.01
    # The variance of every latent begins at the same value, whatever the pulse.
    bounded = 10 * np.tanh(-0.1)
    expected = 0.5 * (np.exp(bounded) + np.square(code) - 1 - bounded).sum(axis=1)
    np.testing.assert_allclose(quiet[:, 21], expected, rtol=1e-3)
    correlations = np.square(np.corrcoef(code.T))[np.triu_indices(3, 1)].mean()
    np.testing.assert_allclose(quiet[:, 22], correlations, rtol=1e-2)
    np.testing.assert_allclose(quiet[:, 20], 0.5 * quiet[:, 21] + 0.25 * quiet[:, 22], rtol=1e-5)


@pytest.mark.usefixtures("quick_weights")
def test_the_divergence_is_warmed_up_in_training_alone() -> None:
    taught = with_code_cost(load_keras("cpu").keras, model_of("variational_autoencoder"), KL)
    for epoch, share in ((0, 0.0), (1, 0.25), (4, 1.0), (9, 1.0)):
        set_epoch(KL, taught, epoch)
        learning, judging = (np.asarray(taught(WAVEFORMS, training=training)) for training in (True, False))
        np.testing.assert_allclose(learning[:, 20], share * 0.5 * learning[:, 21] + 0.25 * learning[:, 22], rtol=1e-5)
        np.testing.assert_allclose(judging[:, 20], 0.5 * judging[:, 21] + 0.25 * judging[:, 22], rtol=1e-5)


@pytest.mark.usefixtures("quick_weights")
def test_a_plain_code_costs_its_correlations_alone() -> None:
    model = model_of("dense_autoencoder")
    taught = with_code_cost(load_keras("cpu").keras, model, CodeCost(kl=None, decorrelation=2.0))
    rows = np.asarray(taught(WAVEFORMS, training=True))
    np.testing.assert_allclose(rows[:, :20], np.asarray(model(WAVEFORMS)[0])[:, 0], rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(rows[:, 21], 0)
    np.testing.assert_allclose(rows[:, 20], 2 * rows[:, 22], rtol=1e-6)
    assert len(taught.trainable_variables) == len(model.trainable_variables)


@pytest.mark.parametrize(
    ("architecture", "options"), [("variational_autoencoder", {}), ("dense_autoencoder", {"decorrelation": "0.1"})]
)
def test_a_code_costs_nothing_without_a_decoder(architecture: str, options: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="needs --task reconstruction"):
        TrainingConfig(task=Classification(), architecture=architecture, options=options)
    TrainingConfig(task=Reconstruction(), architecture=architecture, options=options)


def test_weights_below_nothing_are_refused() -> None:
    with pytest.raises(SettingsError, match="beta: Input should be greater than or equal to 0, got -1"):
        TrainingConfig(task=Reconstruction(), architecture="variational_autoencoder", options={"beta": -1})
