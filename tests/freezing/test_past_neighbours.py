"""A change of scale before the layer of neighbours goes into what reads it, where the hit segment stays the same."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.freezing.same_values import assert_same_values, kinds_of

from discrimen.freezing.batch_norm import folded
from discrimen.freezing.draft import Draft, Scaling
from discrimen.keras_jax import KerasSession
from discrimen.models import build_model
from discrimen.network.graph import run
from discrimen.network.layers import Activate, Cropping1D, Dense, Layer, Neighbours, Reshape
from discrimen.network.outputs import Output

HITS = np.random.default_rng(3).normal(size=(50, 5, 3))
"""Four segments and a core, three samples each."""
N_TRACES, N_VALUES = 30, 34
COLUMN = Reshape(steps=N_VALUES, channels=1)


def scaling(scale: float | list[float] = 40.0, shift: float = 0.0) -> Scaling:
    return Scaling(scale=np.broadcast_to(np.asarray(scale, float), 3), shift=np.full(3, shift))


def dense() -> Dense:
    rng = np.random.default_rng(4)
    return Dense(kernel=rng.normal(size=(N_VALUES, 2)).astype(np.float32), bias=np.ones(2, np.float32))


def drafted(line: Scaling, *chains: tuple[Layer, ...], given_out: bool = False) -> tuple[Draft, list[int]]:
    draft = Draft((5, 3))
    seen = draft.through(0, line, Neighbours(sectors=2, rings=2, last=2))
    return draft, [*(draft.through(seen, *chain) for chain in chains), *([seen] if given_out else [])]


def by_itself(line: Scaling, *chains: tuple[Layer, ...]) -> list[np.ndarray]:
    """Compute without anything folded."""
    draft = Draft((5, 3))
    seen = draft.add(Neighbours(sectors=2, rings=2, last=2), 0)
    ends = [draft.through(seen, *chain) for chain in chains]
    return list(run(draft.network(ends), line.scale * HITS + line.shift))


def test_one_positive_factor_goes_into_the_dense_layers_and_leaves_the_hit_segment() -> None:
    chains = ((dense(),), (COLUMN, Cropping1D(front=N_TRACES, back=0)), (dense(), Activate(activation="relu")))
    draft, ends = drafted(scaling(), *chains)
    network = draft.network(folded(draft, ends))
    assert kinds_of(network) == ["Neighbours", "Dense", "Reshape", "Cropping1D", "Dense"]
    for found, expected in zip(run(network, HITS), by_itself(scaling(), *chains), strict=True):
        assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


STAYS: dict[str, tuple[Scaling, tuple[Layer, ...]]] = {
    "negative": (scaling(-40.0), (dense(),)),
    "nothing left": (scaling(0.0), (dense(),)),
    "not one factor": (scaling([1.0, 2.0, 3.0]), (dense(),)),
    "with an offset": (scaling(shift=0.5), (dense(),)),
    "no linear layer behind": (scaling(), (Activate(activation="tanh"), dense())),
    "a trace among what is cropped": (scaling(), (COLUMN, Cropping1D(front=N_TRACES - 1, back=0))),
    "a column that is not cropped": (scaling(), (COLUMN, Activate(activation="tanh"))),
}


@pytest.mark.parametrize("name", STAYS)
def test_any_other_line_stays_before_the_neighbours(name: str) -> None:
    line, chain = STAYS[name]
    draft, ends = drafted(line, chain)
    network = draft.network(folded(draft, ends))
    assert kinds_of(network)[:2] == ["Conv1D", "Neighbours"]
    for found, expected in zip(run(network, HITS), by_itself(line, chain), strict=True):
        assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_neighbours_that_are_given_out_keep_their_scale() -> None:
    draft, ends = drafted(scaling(), (dense(),), given_out=True)
    assert kinds_of(draft.network(folded(draft, ends))) == ["Conv1D", "Neighbours", "Dense"]


def test_a_network_that_was_trained_in_spreads_begins_with_the_neighbours(session: KerasSession) -> None:
    position = Output(name="position", kind="quantity", shape=(3,), unit="mm", with_error=True)
    options = {"sectors": 2, "rings": 2, "hidden": (6,)}
    model = build_model(session.keras, "neighbours", options, shape=(5, 8), outputs=(position,), input_spread=0.01)
    assert kinds_of(assert_same_values(session, model, position))[0] == "Neighbours"
