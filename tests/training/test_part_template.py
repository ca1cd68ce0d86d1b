"""Where fitting the one shape of all pulses beats the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from discrimen.network.part_template import PartTemplate
from discrimen.training.part_template import choose_distance, learn_template
from discrimen.training.remix import Mixture

N_SAMPLES, N_RECORDS = 60, 400


def mixture(*, decay: tuple[float, float] = (6.0, 6.0), seed: int = 0) -> Mixture:
    """Pairs up to 20 samples apart; the decays are drawn between two values."""
    rng = np.random.default_rng(seed)
    at = 12 + rng.random((N_RECORDS, 2)) + np.linspace(0, 20, N_RECORDS)[:, np.newaxis] * np.array([0, 1])
    late = np.arange(N_SAMPLES) - at[:, :, np.newaxis]
    decays = rng.uniform(*decay, (N_RECORDS, 2, 1))
    shape = np.where(late > 0, np.exp(-late / decays) - np.exp(-late / 1.5), 0)
    parts = (rng.uniform(50, 200, (N_RECORDS, 2, 1)) * shape).astype(np.float32)
    return Mixture(
        waveforms=parts.sum(axis=1),
        parts=parts,
        n_pulses=np.ones((N_RECORDS, 2), np.int64),
        divisor=np.ones(N_RECORDS, np.float32),
        run=np.zeros(N_RECORDS, np.int64),
    )


def given(wanted: Mixture, error: float) -> np.ndarray:
    """Parts as a network gives them that is off by so much, in waves."""
    wrong = 1 + error * np.sin(np.arange(N_SAMPLES) / 2)
    return (wanted.parts * np.stack([wrong, 2 - wrong])).astype(np.float32)


def chosen(error: float, **options: tuple[float, float]) -> PartTemplate | None:
    template = learn_template(mixture(**options))
    assert template is not None
    judging = mixture(seed=1, **options)
    return choose_distance(template, judging, given(judging, error))


def test_pulses_of_one_shape_are_fitted_where_they_lie_apart() -> None:
    found = chosen(0.1)
    assert found is not None
    assert found.least_distance <= 4


def test_a_network_that_is_nearer_is_left_alone() -> None:
    template, judging = learn_template(mixture()), mixture(decay=(4.5, 7.5), seed=1)
    assert template is not None
    # Its parts are too small by a fifth, more than the fit leaves; their shares of what is left make them exact.
    assert choose_distance(template, judging, np.float32(0.8) * judging.parts) is None


def test_pulses_of_several_shapes_have_no_template() -> None:
    assert learn_template(mixture(decay=(3.0, 12.0))) is None


def test_few_pulses_make_no_template() -> None:
    many = mixture()
    alone = many.n_pulses.copy()
    alone[30:] = 2
    assert learn_template(replace(many, n_pulses=alone)) is None
