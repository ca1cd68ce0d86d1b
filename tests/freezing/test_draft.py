"""A network in the making: what only gives values another shape is joined, what nobody needs is left out."""

from __future__ import annotations

import numpy as np
import pytest
from tests.network.weights import Weights

from discrimen.errors import SettingsError
from discrimen.freezing.draft import Draft, Scaling
from discrimen.network.layers import Add, Dense, Flatten, Layer, Permute, Reshape, UpSampling1D

W = Weights()


@pytest.mark.parametrize(
    ("layers", "left"),
    [
        ([Flatten(), Reshape(steps=12, channels=1)], ["Reshape"]),
        ([Flatten(), Reshape(steps=1, channels=12)], []),
        ([Flatten(), Flatten()], ["Flatten"]),
        ([Permute()], ["Reshape"]),
        ([Permute(), Flatten(), Reshape(steps=3, channels=4)], ["Reshape"]),
        ([Reshape(steps=3, channels=4), Permute(), Permute()], ["Reshape"]),
        ([Reshape(steps=3, channels=4), Permute(), Flatten()], ["Reshape", "Permute", "Flatten"]),
        ([Reshape(steps=3, channels=4), Permute(), Reshape(steps=2, channels=6)], ["Reshape", "Permute", "Reshape"]),
    ],
)
def test_shapes_are_given_once(layers: list[Layer], left: list[str]) -> None:
    draft = Draft((1, 12))
    value = draft.through(0, *layers)
    network = draft.network([value])
    assert [type(node.layer).__name__ for node in network.nodes] == left


def test_what_no_output_needs_is_left_out_and_values_are_numbered_anew() -> None:
    draft = Draft((1, 4))
    unused = draft.add(W.dense(4, 3), 0)
    draft.add(Add(), unused, unused)
    first, second = draft.add(W.dense(4, 2), 0), draft.add(W.dense(4, 2), 0)
    total = draft.add(Add(), first, second)
    network = draft.network([total, 0, first])
    assert [node.inputs for node in network.nodes] == [(0,), (0,), (1, 2)]
    assert network.outputs == (3, 0, 1)


def test_branches_that_begin_alike_share_what_needs_no_weights() -> None:
    draft = Draft((1, 6))
    rows = [draft.add(Flatten(), 0), draft.add(Flatten(), 0)]
    steps = [draft.add(Reshape(steps=3, channels=2), 0), draft.add(Reshape(steps=2, channels=3), rows[0])]
    heads = [draft.add(W.dense(6, 2), row) for row in rows]
    assert rows[0] == rows[1]
    assert len({*steps, *heads, *rows}) == 5


def test_a_layer_that_does_not_fit_is_named_by_its_origin() -> None:
    draft = Draft((1, 4))
    draft.origin = "encoder_3"
    with pytest.raises(SettingsError, match=r"'encoder_3' does not fit values of shape \(1, 4\): its weights are made"):
        draft.add(W.dense(5, 3), 0)
    with pytest.raises(SettingsError, match=r"'encoder_3' does not fit .*: it would make"):
        draft.add(UpSampling1D(size=2**23), 0)
    huge = np.full((4, 2), 1e39)
    value = draft.add(Dense(kernel=huge, bias=np.zeros(2)), 0)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="'encoder_3': its kernel is not finite in float32"):
        draft.network([value])


def test_a_scaling_must_have_become_a_layer() -> None:
    draft = Draft((1, 2))
    value = draft.add(Scaling(scale=np.ones(2), shift=np.ones(2)), 0)
    with pytest.raises(TypeError, match="was not made a layer"):
        draft.network([value])
