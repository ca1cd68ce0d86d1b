"""What a training says of the one place where its pulses lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.cli.train_told import fixed_window_note
from discrimen.network.domain import learn_domain
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import Alignment


def test_pulses_of_one_place_are_told_of_and_moving_ones_are_not() -> None:
    samples = toy_pulses(2000, seed=5).samples
    moved = np.stack([np.roll(row, number % 12) for number, row in enumerate(samples)])
    fixed = ModelDescription(preparation=PREPARATION, domain=learn_domain(samples, PREPARATION))
    note = fixed_window_note(fixed)
    assert note is not None
    assert "--align" in note
    assert fixed_window_note(replace(fixed, domain=learn_domain(moved, PREPARATION))) is None
    assert fixed_window_note(replace(fixed, domain=None)) is None
    aligned = replace(PREPARATION, alignment=Alignment(fraction=0.3, position=10), window_length=50)
    assert fixed_window_note(replace(fixed, preparation=aligned)) is None
