"""Derivatives and effects of single weights, against the plain way of computing them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from discrimen.freezing.effects import CHANGE, effects
from discrimen.freezing.places import arrays_of, n_weights_of
from discrimen.freezing.sensitivity import sensitivities
from discrimen.keras_jax import KerasSession, load_keras
from discrimen.network.graph import Network, chain, run
from discrimen.network.layers import Conv1D, Dense, Flatten, GlobalAveragePooling1D, Lstm, Reshape

RNG = np.random.default_rng(4)
TOLERANCES = (0.5,)
WAVEFORMS = RNG.normal(size=(7, 1, 8)).astype(np.float32)
MANY = 2**40


def weights(*shape: int) -> Any:
    return RNG.normal(size=shape).astype(np.float32)


NETWORKS = {
    "dense": chain(
        [
            Flatten(),
            Dense(kernel=weights(8, 4), bias=weights(4), activation="relu"),
            Dense(kernel=weights(4, 2), bias=weights(2)),
        ]
    ),
    "convolutional": chain(
        [
            Reshape(steps=8, channels=1),
            Conv1D(kernel=weights(3, 1, 4), bias=weights(4), activation="relu"),
            Conv1D(kernel=weights(1, 1, 4), bias=weights(4), groups=4, activation="tanh"),
            Dense(kernel=weights(4, 3), bias=weights(3), activation="softmax"),
            GlobalAveragePooling1D(),
            Dense(kernel=weights(3, 2), bias=weights(2)),
        ]
    ),
    "recurrent": chain(
        [
            Reshape(steps=8, channels=1),
            Lstm(kernel=weights(1, 8), recurrent_kernel=weights(2, 8), bias=weights(8)),
            Dense(kernel=weights(2, 2), bias=weights(2)),
        ]
    ),
}

SLOW = ("convolutional", "recurrent")
"""JAX compiles each of their operations."""


@pytest.fixture(scope="module")
def session() -> KerasSession:
    return load_keras("cpu")


def changed(network: Network, place: int, factor: float, more: float = 0.0) -> Network:
    """Return a network with one weight w replaced by factor * w + more."""
    nodes = list(network.nodes)
    for number, arrays in enumerate(arrays_of(network)):
        for name, array in arrays.items():
            if 0 <= place < array.size:
                flat = array.astype(np.float64).ravel()
                flat[place] = factor * flat[place] + more
                options: Any = {name: flat.reshape(array.shape)}
                nodes[number] = replace(nodes[number], layer=replace(nodes[number].layer, **options))
            place -= array.size
    return replace(network, nodes=tuple(nodes))


def moved(network: Network, place: int, factor: float, more: float = 0.0) -> NDArray[np.float64]:
    """Return the largest change of a value of each pulse."""
    exact = WAVEFORMS.astype(np.float64)
    difference = run(changed(network, place, factor, more), exact)[0] - run(network, exact)[0]
    return np.asarray(np.abs(difference).max(axis=1))


@pytest.mark.parametrize("name", ["dense", *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_derivatives_are_those_of_small_changes(name: str, session: KerasSession) -> None:
    network = NETWORKS[name]
    places = RNG.permutation(n_weights_of(network))[:25]
    found = sensitivities(network, WAVEFORMS, TOLERANCES, places, session=session)
    wanted = [moved(network, int(place), 1.0, 1e-6) / 1e-6 / TOLERANCES[0] for place in places]
    assert_allclose(found, np.transpose(wanted), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_effects_are_those_of_the_whole_network_computed_anew(name: str) -> None:
    network = NETWORKS[name]
    places = RNG.permutation(n_weights_of(network))[:25]
    found = effects(network, WAVEFORMS, TOLERANCES, places, most_multiplications=MANY)
    wanted = [moved(network, int(place), float(CHANGE)) / TOLERANCES[0] for place in places]
    assert_allclose(found, np.transpose(wanted), rtol=1e-4, atol=1e-5)
    assert (found > 0).any()


@pytest.mark.slow
def test_pulses_in_blocks_have_the_same_derivatives_and_effects(
    monkeypatch: pytest.MonkeyPatch, session: KerasSession
) -> None:
    network, places = NETWORKS["dense"], np.arange(n_weights_of(NETWORKS["dense"]))
    whole = sensitivities(network, WAVEFORMS, TOLERANCES, places, session=session)
    effect = effects(network, WAVEFORMS, TOLERANCES, places, most_multiplications=MANY)
    for module in ("sensitivity", "effects"):
        monkeypatch.setattr(f"discrimen.freezing.{module}._MOST_AT_ONCE", 250)
    assert_allclose(sensitivities(network, WAVEFORMS, TOLERANCES, places, session=session), whole, rtol=1e-5, atol=1e-6)
    assert_allclose(
        effects(network, WAVEFORMS, TOLERANCES, places, most_multiplications=MANY), effect, rtol=1e-4, atol=1e-6
    )


def test_places_beyond_the_budget_are_not_looked_at() -> None:
    network = NETWORKS["dense"]
    places = np.array([40, 41, 42, 43])  # of the last layer, which no unit hides
    whole = effects(network, WAVEFORMS, TOLERANCES, places, most_multiplications=MANY)
    some = effects(network, WAVEFORMS, TOLERANCES, places, most_multiplications=1)
    assert (some[:, 0] == whole[:, 0]).all()
    assert (some[:, 1:] == 0).all()
