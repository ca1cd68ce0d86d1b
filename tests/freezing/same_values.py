"""A Keras model and its translation, on random weights and random values."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from discrimen.freezing.from_keras import network_of
from discrimen.keras_jax import KerasSession
from discrimen.network.activations import Activation
from discrimen.network.graph import Network, run
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import Output, class_scores
from discrimen.network.preparation import Channel, Preparation
from discrimen.network.prepare.arrangement import arranged, arrangement_for

QUICKLY = {"xla_backend_optimization_level": 0}
"""Each program runs once only: what the compiler could save in running it is less than what that would cost."""


def randomise(model: Any, rng: np.random.Generator) -> None:
    """Give every weight a random value; variances, and the scale of an attention, positive ones."""
    for variable in model.variables:
        if "seed_generator" in variable.path or "int" in str(variable.dtype):
            continue
        positive = variable.path.endswith("variance")
        variable.assign(rng.uniform(0.3, 3, variable.shape) if positive else rng.normal(0, 0.7, variable.shape))


def preparation_of(model: Any) -> Preparation:
    """Return a preparation that gives what a model takes: one channel, or as many as its input has rows."""
    shape = model.inputs[0].shape[1:]
    n_channels = min(shape) if len(shape) == 2 else 1
    channels = tuple(Channel(name=f"channel {number}") for number in range(n_channels))
    return Preparation(sample_period_ns=10.0, channels=channels, window_length=prod(shape) // n_channels, scale="none")


def code(name: str, n_values: int, *, activation: Activation = "linear") -> Output:
    """Return an output that promises no more than a number of values."""
    return Output(name=name, kind="code", shape=(n_values,), unit="1", activation=activation)


def described(model: Any, *outputs: Output) -> ModelDescription:
    """Describe a model; by default each of its outputs as a code, its values as they are."""
    names = [f"{number} {each._keras_history.operation.name}" for number, each in enumerate(model.outputs)]
    given = tuple(code(name, prod(each.shape[1:])) for name, each in zip(names, model.outputs, strict=True))
    return ModelDescription(preparation=preparation_of(model), outputs=outputs or given)


def scores(names: str, activation: Activation = "softmax") -> Output:
    """Return an output of probabilities of classes named in one string."""
    return class_scores(tuple(names.split()), activation=activation)


def kinds_of(network: Network) -> list[str]:
    """Name the layers of a network in their order."""
    return [type(node.layer).__name__ for node in network.nodes]


def assert_same_values(session: KerasSession, model: Any, *outputs: Output, tolerance: float = 1e-5) -> Network:
    """Compare, relative to the largest value if that is above 1; return the translation."""
    rng = np.random.default_rng(3)
    randomise(model, rng)
    description = described(model, *outputs)
    shape = model.inputs[0].shape[1:]
    waveforms: NDArray[np.float32] = rng.normal(0, 1, (17, *description.preparation.shape)).astype(np.float32)
    laid_out = arranged(waveforms, arrangement_for(shape, description.preparation))
    with session.on_device():
        expected = session.jax.tree.leaves(session.jax.jit(model, compiler_options=QUICKLY)(laid_out))
    network = network_of(model, description)
    found = run(network, waveforms.astype(np.float64))
    for output, values, wanted in zip(description.outputs, found, expected, strict=True):
        exact = np.asarray(wanted, dtype=np.float64).reshape(len(waveforms), -1)
        if output.kind == "classes" and exact.shape[1] == 1:
            exact = np.concatenate([1 - exact, exact], axis=1)
        assert exact.std() > 1e-3
        assert_allclose(output.finish(values), exact, atol=tolerance * max(1, np.abs(exact).max()), err_msg=output.name)
    return network
