"""Golden vectors feel every weight that matters, saturated networks included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.freezing import golden_choice
from discrimen.freezing.golden_choice import FEWEST, MOST, _covering, choose_golden
from discrimen.freezing.logits import with_logits
from discrimen.keras_jax import KerasSession, load_keras
from discrimen.network.golden import GoldenVectors, exact_values
from discrimen.network.graph import Network, chain
from discrimen.network.layers import Conv1D, Dense, Flatten, GlobalMaxPooling1D, Lstm, Reshape, weights_of
from discrimen.network.made_up import made_up_pulses
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import Alignment, Scale, one_channel

RNG = np.random.default_rng(3)


def weights(*shape: int, size: float = 1.0) -> Any:
    return (RNG.normal(size=shape) * size).astype(np.float32)


def described(scale: Scale = "peak", alignment: Alignment | None = None) -> ModelDescription:
    preparation = one_channel(
        sample_period_ns=10.0,
        polarity=-1,
        baseline_start=0,
        baseline_stop=6,
        window_length=30,
        scale=scale,
        alignment=alignment,
    )
    return ModelDescription(preparation=preparation)


def dense(*, gain: float, first: float = 1.0) -> Network:
    """Return a network whose scores are saturated where the gain is large; `first` is that of the first layer."""
    return chain(
        [
            Flatten(),
            Dense(kernel=weights(30, 6, size=first), bias=weights(6, size=0.1), activation="relu"),
            Dense(kernel=weights(6, 4), bias=weights(4, size=0.1), activation="relu"),
            Dense(kernel=weights(4, 2, size=gain), bias=weights(2)),
        ]
    )


def convolutional() -> Network:
    return chain(
        [
            Reshape(steps=30, channels=1),
            Conv1D(kernel=weights(5, 1, 4), bias=weights(4, size=0.1), activation="relu"),
            GlobalMaxPooling1D(),
            Dense(kernel=weights(4, 2, size=5), bias=weights(2)),
        ]
    )


def recurrent() -> Network:
    return chain(
        [
            Reshape(steps=30, channels=1),
            Lstm(kernel=weights(1, 12), recurrent_kernel=weights(3, 12), bias=weights(12, size=0.1)),
            Dense(kernel=weights(3, 2, size=20), bias=weights(2)),
        ]
    )


@pytest.fixture(scope="module")
def session() -> KerasSession:
    return load_keras("cpu")


def tampered(network: Network) -> Iterator[tuple[str, Network]]:
    """Give the network again and again, one weight changed by half each time."""
    for number, node in enumerate(network.nodes):
        for name, array in weights_of(node.layer).items():
            for place in np.ndindex(array.shape):
                changed = array.copy()
                changed[place] *= np.float32(1.5)
                layer: Any = replace(node.layer, **{name: changed})
                nodes = (*network.nodes[:number], replace(node, layer=layer), *network.nodes[number + 1 :])
                yield f"{number} {name} {place}", Network(nodes, network.outputs)


def passes(golden: GoldenVectors, network: Network, description: ModelDescription) -> bool:
    found = exact_values(network, description.preparation, golden.samples)
    differences = [np.abs(one - other).max() for one, other in zip(found, golden.values, strict=True)]
    return all(one <= tolerance for one, tolerance in zip(differences, golden.tolerances, strict=True))


@pytest.mark.parametrize(
    ("network", "scale"),
    [
        (dense(gain=1.0), "peak"),
        (dense(gain=30.0), "peak"),
        (dense(gain=1.0, first=1e-3), "none"),
        (convolutional(), "area"),
        (recurrent(), "peak"),
    ],
    ids=["dense", "saturated", "unscaled", "convolutional", "recurrent"],
)
def test_a_weight_that_moves_a_score_of_other_pulses_is_caught(
    network: Network, scale: Scale, session: KerasSession
) -> None:
    description = described(scale)
    candidates = made_up_pulses(description.preparation, 400, seed=1)
    ((first, second),) = (each.mean(axis=0) for each in exact_values(network, description.preparation, candidates))
    network = with_logits(
        network, description, factor=1.0, offset=np.array([0.0, first - second])
    )  # scores on both sides
    golden = choose_golden(network, description, candidates, session=session)
    others = made_up_pulses(description.preparation, 100, seed=2)
    (scores,) = (description.scores.finish(each) for each in exact_values(network, description.preparation, others))
    assert passes(golden, network, description)
    moved = 0
    for where, changed in tampered(network):
        (now,) = (description.scores.finish(each) for each in exact_values(changed, description.preparation, others))
        if np.abs(now - scores).max() >= 1e-3:
            moved += 1
            assert not passes(golden, changed, description), where
    assert moved > 20


def test_few_vectors_are_enough(session: KerasSession) -> None:
    description, network = described(), dense(gain=1.0)
    golden = choose_golden(network, description, made_up_pulses(description.preparation, 400), session=session)
    assert FEWEST <= len(golden.samples) < MOST
    assert len(np.unique(golden.samples, axis=0)) == len(golden.samples)


def test_pulses_that_hang_on_the_last_digit_of_their_crossing_prove_nothing(session: KerasSession) -> None:
    description = described(alignment=Alignment(position=4))
    ordinary = made_up_pulses(description.preparation, 50)[:, 0]
    # An edge that crosses 0.3 of the peak exactly at a sample.
    records = np.full((1, ordinary.shape[1]), 5000, np.int32)
    records[0, 10:] -= np.minimum(np.arange(1, records.shape[1] - 9) * 100, 1000)
    network = dense(gain=1.0)
    golden = choose_golden(network, description, np.concatenate([records, ordinary]), session=session)
    assert not (golden.samples[:, 0] == records[0]).all(axis=1).any()


def test_pulses_that_cannot_be_prepared_prove_nothing(session: KerasSession) -> None:
    description = described()
    flat = np.full((10, 36), 5000, np.int32)
    with pytest.raises(DataError, match="none of 10 pulses can be prepared"):
        choose_golden(dense(gain=1.0), description, flat, session=session)


def test_endless_values_are_refused(session: KerasSession) -> None:
    description = described("none")
    network = chain([Flatten(), Dense(kernel=np.full((30, 2), 3e38, np.float32), bias=weights(2))])
    with pytest.raises(DataError, match="finite"):
        choose_golden(
            network, description, made_up_pulses(description.preparation, 20).astype(np.float32) * 1e30, session=session
        )


def test_of_long_records_fewer_candidates_are_looked_at(monkeypatch: pytest.MonkeyPatch, session: KerasSession) -> None:
    seen: list[int] = []

    def all_alike(_: Network, waveforms: Any, *rest: Any, **options: Any) -> Any:
        seen.append(len(waveforms))
        return np.ones((len(waveforms), len(rest[1])), np.float32)

    monkeypatch.setattr(golden_choice, "sensitivities", all_alike)
    description, network = described(), dense(gain=1.0)
    candidates = made_up_pulses(description.preparation, 400)
    choose_golden(network, description, candidates, session=session)
    monkeypatch.setattr(golden_choice, "MOST_VALUES", 100 * (30 + 2))
    golden = choose_golden(network, description, candidates, session=session)
    assert seen[0] > 400
    assert 50 <= seen[1] <= 100
    assert len(golden.samples) >= FEWEST


def test_weights_that_few_pulses_feel_most_are_proven_by_pulses_that_feel_them_less() -> None:
    n = MOST + 40
    felt = np.full((n, n), 0.3, np.float32)
    np.fill_diagonal(felt, 1.0)
    assert len(_covering(felt)) == 1
    felt[felt < 1] = 0.001
    with pytest.raises(DataError, match=f"of {n} weights are felt by none of {MOST} pulses"):
        _covering(felt)
    assert len(_covering(felt, (MOST, 2 * MOST))) == n
