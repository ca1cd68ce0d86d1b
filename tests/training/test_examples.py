from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.errors import DataError, SettingsError
from discrimen.pulses import Label
from discrimen.training.examples import Examples, split_examples, training_examples


def examples(n_gamma: int, n_neutron: int) -> Examples:
    n_examples = n_gamma + n_neutron
    return Examples(
        waveforms=np.arange(n_examples, dtype=np.float32)[:, np.newaxis],
        labels=np.repeat([0, 1], [n_gamma, n_neutron]).astype(np.int32),
        pulse=np.arange(n_examples),
    )


def test_pulses_without_label_or_without_pulse_are_left_out_and_counted() -> None:
    pulses = toy_pulses(20)
    samples, labels = pulses.samples.copy(), pulses.column("label").copy()
    samples[[3, 30]] = 8000
    labels[[5, 6, 25]] = Label.UNKNOWN
    found = training_examples(pulses.replace(samples=samples, label=labels), PREPARATION)
    assert (found.n_invalid, found.n_unlabelled, len(found)) == (2, 3, 35)
    assert not {3, 30, 5, 6, 25} & set(found.pulse.tolist())
    assert_array_equal(found.labels, labels[found.pulse])
    assert found.waveforms.dtype == np.float32


@given(n_gamma=st.integers(2, 300), n_neutron=st.integers(2, 300), share=st.floats(0.01, 0.99), seed=st.integers(0, 9))
def test_the_split_takes_every_example_once_and_the_share_of_each_class(
    n_gamma: int, n_neutron: int, share: float, seed: int
) -> None:
    whole = examples(n_gamma, n_neutron)
    training, validation = split_examples(whole, validation_share=share, rng=np.random.default_rng(seed))
    assert_array_equal(np.sort(np.concatenate([training.pulse, validation.pulse])), whole.pulse)
    for label in (Label.GAMMA, Label.NEUTRON):
        assert training.count(label) >= 1
        assert validation.count(label) >= 1
        assert abs(validation.count(label) - share * whole.count(label)) <= 1
    assert_array_equal(validation.waveforms[:, 0], validation.pulse)


def test_the_split_is_drawn_at_random_and_follows_the_seed() -> None:
    whole = examples(100, 100)
    first, again, other = (
        split_examples(whole, validation_share=0.1, rng=np.random.default_rng(seed))[1].pulse for seed in (1, 1, 2)
    )
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("n_gamma", "n_neutron"), [(10, 0), (0, 10), (1, 10), (0, 0)])
def test_a_class_with_fewer_than_two_pulses_is_refused(n_gamma: int, n_neutron: int) -> None:
    with pytest.raises(DataError, match=f"got {n_gamma} gammas and {n_neutron} neutrons"):
        split_examples(examples(n_gamma, n_neutron), validation_share=0.1, rng=np.random.default_rng(0))


def test_pulses_without_the_column_label_are_refused() -> None:
    with pytest.raises(DataError, match="label"):
        training_examples(toy_pulses(5).replace(label=None), PREPARATION)


def test_another_sampling_period_is_refused() -> None:
    with pytest.raises(SettingsError, match="10 ns, the pulses have 2 ns"):
        training_examples(toy_pulses(5).replace(sample_period_ns=2.0), PREPARATION)
