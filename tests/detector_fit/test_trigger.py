from __future__ import annotations

import numpy as np
import pytest
from tests.detector_fit.made_up import records, shape, traced

from discrimen.detector_fit.trigger import crossings_at, find_trigger, measure_trigger

HEIGHTS = np.random.default_rng(7).uniform(80, 900, 1500)
PHASES = np.random.default_rng(8).random(1500)


def when_it_reaches(height_adc: np.ndarray, level_adc: float) -> np.ndarray:
    """Return how long after its onset a pulse of this height reaches a level."""
    time = np.linspace(0, 3.5, 400)
    rising = shape(time)
    return np.interp(level_adc / height_adc, rising, time)


def test_a_leading_edge_is_found_with_its_threshold() -> None:
    onset = 40 + PHASES - when_it_reaches(HEIGHTS, 30.0)
    found = find_trigger(traced(records(1500, onset=onset, height_adc=HEIGHTS)))
    assert found.threshold_adc == pytest.approx(30, rel=0.35)


def test_a_constant_fraction_has_no_threshold() -> None:
    found = find_trigger(traced(records(1500, onset=40 + PHASES, height_adc=HEIGHTS)))
    assert found.threshold_adc is None
    assert found.spread == pytest.approx(1 / np.sqrt(12), rel=0.1)


def test_few_pulses_have_no_threshold() -> None:
    onset = 40 + PHASES - when_it_reaches(HEIGHTS, 30.0)
    assert find_trigger(traced(records(40, onset=onset[:40], height_adc=HEIGHTS[:40]))).threshold_adc is None


def test_what_is_wrong_at_a_phase_is_taken_away() -> None:
    traces = traced(records(300, onset=40 + PHASES[:300]))
    plain = measure_trigger(traces, threshold_adc=None, phases=np.zeros_like)
    late = measure_trigger(traces, threshold_adc=None, phases=lambda phase: np.full_like(phase, 0.25))
    assert plain.mean - late.mean == pytest.approx(0.25)


def test_a_height_that_is_never_reached_has_no_crossing() -> None:
    waves = np.array([[0, 1, 5, 10, 4], [0, 1, 2, 3, 1]], dtype=np.float32)
    found = crossings_at(waves, 4.0)
    assert found[0] == pytest.approx(1.75)
    assert np.isnan(found[1])
