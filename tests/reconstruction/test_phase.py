"""Times within a sample, put right by the phases of the run itself."""

from __future__ import annotations

import numpy as np

from discrimen.reconstruction.phase import FEWEST, Phases


def test_a_distorted_phase_is_put_right() -> None:
    rng = np.random.default_rng(0)
    true = rng.uniform(0, 60, 4000)
    seen = np.floor(true) + (true % 1) ** 3
    phases = Phases.learn(seen)
    assert phases is not None
    assert np.std(seen - true) > 0.1
    assert np.std(phases.times(seen) - true) < 0.02


def test_even_phases_stay_as_they_are() -> None:
    even = np.linspace(0, 50, 5001)
    phases = Phases.learn(even)
    assert phases is not None
    np.testing.assert_allclose(phases.times(even), even, atol=0.02)
    assert np.isnan(phases.times(np.array([np.nan]))).all()


def test_few_pulses_teach_nothing() -> None:
    assert Phases.learn(np.arange(FEWEST - 1) / 7) is None
    assert Phases.learn(np.full(FEWEST, np.nan)) is None
