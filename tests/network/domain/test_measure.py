"""Each way in which a pulse may be unlike the trained ones has its flag; pulses like them have none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.network.domain.seen_pulses import ALIGNED, BASELINE_ADC, PREPARATION, records, seen_domain

from discrimen.network.domain import Domain, Outside, learn_domain, outside
from discrimen.network.domain.measure import BATCH_PULSES


def share(flags: np.ndarray, reason: Outside) -> float:
    return float(((flags & reason) != 0).mean())


def flags_of(samples: np.ndarray, domain: Domain | None = None) -> np.ndarray:
    return outside(samples, PREPARATION, seen_domain() if domain is None else domain)


def test_pulses_like_the_trained_ones_are_inside() -> None:
    flags = flags_of(records(50_000, seed=2))
    assert flags.dtype == np.uint16
    assert (flags != 0).mean() < 8 * seen_domain().false_alarms


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        (Outside.EDGE_IN_BASELINE, {"edge": 5}),
        (Outside.BASELINE_NOISE, {"edge": 5}),
        (Outside.BASELINE_NOISE, {"noise_adc": 9}),
        (Outside.BASELINE_NOISE, {"noise_adc": 0.2}),
        (Outside.TOO_LOW, {"heights_adc": (40.0, 120.0)}),
        (Outside.TOO_HIGH, {"heights_adc": (8000.0, 10_000.0)}),
        (Outside.EDGE, {"edge": 24}),
        (Outside.EDGE, {"edge": 17}),
        (Outside.CLIPPED, {"heights_adc": (18_000.0, 20_000.0)}),
        (Outside.SHAPE, {"decay": 3.0}),
        (Outside.SHAPE, {"edge": 22}),
    ],
)
def test_each_difference_has_its_flag(reason: Outside, changes: dict[str, float]) -> None:
    assert share(flags_of(records(300, seed=3, **changes)), reason) > 0.8


def test_pulses_of_the_other_polarity_are_outside() -> None:
    flags = flags_of(records(300, seed=3, polarity=-1, heights_adc=(200.0, 1800.0)))
    assert (flags != 0).all()
    assert share(flags, Outside.TOO_LOW) > 0.9


def test_of_a_pulse_that_cannot_be_prepared_nothing_else_is_said() -> None:
    assert flags_of(np.full((2, 75), 2000, np.uint16)).tolist() == [Outside.UNPREPARED] * 2


def test_of_a_pulse_that_is_too_low_neither_edge_nor_shape_is_judged() -> None:
    noise = np.random.default_rng(1).normal(BASELINE_ADC, 3, (200, 75)).astype(np.uint16)
    assert (flags_of(noise) & (Outside.EDGE | Outside.SHAPE)).max() == 0
    assert share(flags_of(noise), Outside.TOO_LOW) == 1


def test_an_edge_in_the_baseline_is_an_error_whatever_was_trained() -> None:
    early = records(5000, seed=4, edge=6)
    domain = learn_domain(early, PREPARATION)
    assert domain is not None
    flags = flags_of(early, domain)
    assert share(flags, Outside.EDGE_IN_BASELINE) > 0.99
    assert share(flags, Outside.BASELINE_NOISE) < 0.01


def test_an_alignment_follows_the_pulse_but_its_baseline_window_does_not() -> None:
    domain = learn_domain(records(5000, seed=1), ALIGNED)
    assert domain is not None
    late, early = records(2000, seed=5, edge=25), records(300, seed=5, edge=4)
    assert (outside(late, ALIGNED, domain) != 0).mean() < 0.01
    assert share(outside(early, ALIGNED, domain), Outside.EDGE_IN_BASELINE) > 0.95


def test_falling_pulses_are_judged_like_rising_ones() -> None:
    falling = replace(PREPARATION, channels=(replace(PREPARATION.only, polarity=-1),))
    rising = records(3000, seed=6)
    turned = (2 * int(BASELINE_ADC) + 14_000 - rising.astype(np.int32)).astype(np.int32)
    domain = replace(seen_domain(), rail_adc=-np.inf)
    assert np.array_equal(outside(turned, falling, domain), flags_of(rising, replace(domain, rail_adc=np.inf)))


def test_the_type_of_the_samples_and_the_batch_do_not_matter() -> None:
    samples = records(BATCH_PULSES + 5, seed=7)
    whole = flags_of(samples)
    assert np.array_equal(flags_of(samples.astype(np.float32)), whole)
    assert np.array_equal(flags_of(samples[-7:]), whole[-7:])
    assert flags_of(samples[:0]).shape == (0,)
