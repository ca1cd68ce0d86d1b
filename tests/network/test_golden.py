"""Golden vectors feel every weight, and a check that cannot fail is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.network.networks import NETWORKS
from tests.network.pulses import frozen

from discrimen.errors import DataError, FormatError
from discrimen.network.frozen_file import FrozenModel
from discrimen.network.golden import GoldenVectors, exact_values, require_golden
from discrimen.network.graph import Network
from discrimen.network.layers import Layer, weights_of


def model_of(name: str) -> FrozenModel:
    return frozen(*NETWORKS[name]())


def check(model: FrozenModel, network: Network | None = None) -> tuple[float, ...]:
    def compute(samples: Any, present: Any) -> Any:
        return exact_values(network or model.network, model.description.preparation, samples, present=present)

    return require_golden(model.golden, model.description.outputs, compute, "m.discrimen")


@pytest.mark.parametrize("name", ["two classes", "everything at once"])
def test_a_model_finds_its_golden_vectors_again(name: str) -> None:
    model = model_of(name)
    assert check(model) == (0.0,) * len(model.description.outputs)


def changed(layer: Layer, name: str) -> Layer:
    weights: Any = weights_of(layer)[name] * np.float32(1.01)
    return replace(layer, **{name: weights})


@pytest.mark.parametrize("name", ["two channels", "everything at once", "bidirectional", "residual"])
def test_every_array_of_weights_is_felt(name: str) -> None:
    model = model_of(name)
    for number, node in enumerate(model.network.nodes):
        for weights in weights_of(node.layer):
            nodes = list(model.network.nodes)
            nodes[number] = replace(node, layer=changed(node.layer, weights))
            with pytest.raises(FormatError, match=r"off its own golden vectors: output '.*' by .* allowed are"):
                check(model, replace(model.network, nodes=tuple(nodes)))


def test_values_that_are_no_numbers_are_no_agreement() -> None:
    model = model_of("two classes")
    values = tuple(np.where(np.arange(len(each))[:, np.newaxis] == 3, np.nan, each) for each in model.golden.values)
    with pytest.raises(FormatError, match="off its own golden vectors"):
        require_golden(model.golden, model.description.outputs, lambda samples, present: values, "m.discrimen")


def test_a_network_that_gives_other_shapes_is_refused() -> None:
    model = model_of("two classes")
    other = replace(model.network, outputs=(model.network.outputs[0] - 1,))
    with pytest.raises(FormatError, match=r"output 'scores' of shape \(2,\) needs 2 values, the network gives 4"):
        check(model, other)


@pytest.mark.parametrize(
    ("values", "tolerance"),
    [
        ([1.0, -2.0], 0.03),
        ([1.0], 0.0),
        ([1.0], -1e-3),
        ([1.0], np.nan),
        ([0.0], 1e-9),
        ([np.inf], 1e-3),
        ([np.nan], 1e-3),
    ],
)
def test_a_check_that_cannot_fail_is_refused(values: list[float], tolerance: float) -> None:
    with pytest.raises(DataError, match="prove nothing"):
        GoldenVectors(
            samples=np.zeros((len(values), 1, 3), np.int32),
            values=(np.array(values)[:, np.newaxis],),
            tolerances=(tolerance,),
        )


def test_absent_channels_belong_to_the_golden_pulses() -> None:
    model = model_of("everything at once")
    assert model.golden.present is not None
    all_there = replace(model.golden, present=np.ones_like(model.golden.present))
    with pytest.raises(FormatError, match="off its own golden vectors"):
        check(replace(model, golden=all_there))
