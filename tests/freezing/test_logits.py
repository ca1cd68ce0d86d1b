"""A line through the logits: in the layer that gives them where nobody else reads it, else in one of its own."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.errors import SettingsError
from discrimen.freezing.logits import with_logits
from discrimen.network.graph import Network, Node, chain, run
from discrimen.network.layers import Activate, Add, Dense, Flatten
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import Output, class_scores
from discrimen.network.preparation import one_channel

PREPARATION = one_channel(sample_period_ns=1, polarity=1, baseline_start=0, baseline_stop=1, window_length=6)
SCORES = ModelDescription(preparation=PREPARATION)
RNG = np.random.default_rng(1)
DENSE = Dense(kernel=RNG.normal(size=(6, 2)).astype(np.float32), bias=RNG.normal(size=2).astype(np.float32))
WAVEFORMS = RNG.normal(size=(20, 1, 6)).astype(np.float32)
CODE = Output(name="code", kind="code", shape=(2,), unit="1")

PLAIN = chain([Flatten(), DENSE])
ACTIVATED = chain([Flatten(), DENSE, Activate(activation="tanh")])
READ_TWICE = Network((*PLAIN.nodes, Node(Add(), (2, 2))), (3, 2))
TWO_OUTPUTS = ModelDescription(preparation=PREPARATION, outputs=(CODE, class_scores(("gamma", "neutron"))))


@pytest.mark.parametrize(
    ("network", "description", "n_layers"),
    [(PLAIN, SCORES, 2), (ACTIVATED, SCORES, 4), (READ_TWICE, TWO_OUTPUTS, 4)],
    ids=["dense", "behind an activation", "read by others"],
)
def test_only_the_logits_follow_the_line(network: Network, description: ModelDescription, n_layers: int) -> None:
    offset = np.array([0.5, -2.0])
    changed = with_logits(network, description, factor=0.25, offset=offset)
    assert len(changed.nodes) == n_layers
    before, after = run(network, WAVEFORMS), run(changed, WAVEFORMS)
    for number, (one, other) in enumerate(zip(before, after, strict=True)):
        expected = 0.25 * one + offset if number == description.scores_at else one
        assert other == pytest.approx(expected, abs=1e-5)


def test_a_model_without_classes_is_refused_with_what_it_gives() -> None:
    with pytest.raises(SettingsError, match=r"probabilities of classes; this one gives code \(code\)"):
        with_logits(PLAIN, ModelDescription(preparation=PREPARATION, outputs=(CODE,)), factor=1.0)


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_factors_are_refused(factor: float) -> None:
    with pytest.raises(SettingsError, match="positive and finite"):
        with_logits(PLAIN, SCORES, factor=factor)
