from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from tests.training.toy_pulses import labelled_examples, toy_pulses

from discrimen.errors import DataError, SettingsError
from discrimen.pulses import Label
from discrimen.training.examples import Examples, part_examples, require_two_each

CLASSES = ("gamma", "neutron")


def examples(n_gamma: int, n_neutron: int) -> Examples:
    n_examples = n_gamma + n_neutron
    labels = np.repeat([0, 1], [n_gamma, n_neutron]).astype(np.int32)
    return Examples(
        waveforms=np.arange(n_examples, dtype=np.float32)[:, np.newaxis, np.newaxis],
        targets=labels,
        labels=labels,
        pulse=np.arange(n_examples),
    )


def test_pulses_without_label_or_without_pulse_are_left_out_and_counted() -> None:
    pulses = toy_pulses(20)
    samples, labels = pulses.samples.copy(), pulses.column("label").copy()
    samples[[3, 30]] = 8000
    labels[[5, 6, 25]] = Label.UNKNOWN
    found = labelled_examples(pulses.replace(samples=samples, label=labels))
    assert (found.n_invalid, found.n_unlabelled, len(found)) == (2, 3, 35)
    assert not {3, 30, 5, 6, 25} & set(found.pulse.tolist())
    assert_array_equal(found.labels, labels[found.pulse])
    assert found.waveforms.dtype == np.float32


def test_examples_are_parted_as_their_pulses_are() -> None:
    whole = examples(5, 5)[np.array([0, 2, 3, 7, 8, 9])]
    training, validation = part_examples(whole, np.isin(np.arange(10), [0, 1, 8]), CLASSES)
    assert_array_equal(training.pulse, [2, 3, 7, 9])
    assert_array_equal(validation.pulse, [0, 8])
    assert_array_equal(validation.waveforms[:, 0, 0], validation.pulse)


def test_a_part_that_lost_a_class_is_refused() -> None:
    with pytest.raises(DataError, match="validation part has 2 gammas and 0 neutrons"):
        part_examples(examples(5, 5), np.isin(np.arange(10), [0, 1]), CLASSES)


@pytest.mark.parametrize(("n_gamma", "n_neutron"), [(10, 0), (0, 10), (1, 10), (0, 0)])
def test_a_class_with_fewer_than_two_pulses_is_refused(n_gamma: int, n_neutron: int) -> None:
    with pytest.raises(DataError, match=f"got {n_gamma} gammas and {n_neutron} neutrons"):
        require_two_each(examples(n_gamma, n_neutron), CLASSES)


def test_pulses_without_the_column_label_are_refused() -> None:
    with pytest.raises(DataError, match="label"):
        labelled_examples(toy_pulses(5).replace(label=None))


def test_another_sampling_period_is_refused() -> None:
    with pytest.raises(SettingsError, match="10 ns, the pulses have 2 ns"):
        labelled_examples(toy_pulses(5).replace(sample_period_ns=2.0))
