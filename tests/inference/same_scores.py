"""A Keras model and its translation, on random weights and random values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from discrimen.freezing.from_keras import layers_of
from discrimen.keras_jax import KerasSession
from discrimen.network.arithmetic import run_layers
from discrimen.network.layers import Layer


def randomise(model: Any, rng: np.random.Generator) -> None:
    for variable in model.variables:
        if "seed_generator" in variable.path:
            continue
        positive = variable.path.endswith("variance")
        variable.assign(rng.uniform(0.3, 3, variable.shape) if positive else rng.normal(0, 0.7, variable.shape))


def assert_same_scores(session: KerasSession, model: Any, *, tolerance: float = 2e-5) -> tuple[Layer, ...]:
    """Compare, relative to the largest score if that is above 1; return the translation."""
    rng = np.random.default_rng(3)
    randomise(model, rng)
    waveforms: NDArray[np.float32] = rng.normal(0, 1, (17, model.input_shape[1])).astype(np.float32)
    with session.on_device():
        expected = np.asarray(session.jax.jit(model)(waveforms))
    layers = layers_of(model)
    got = run_layers(layers, waveforms)
    assert got.shape == expected.shape
    assert expected.std() > 1e-3
    assert_allclose(got, expected, atol=tolerance * max(1, np.abs(expected).max()))
    return layers
