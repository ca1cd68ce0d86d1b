"""What is learnt of the trained pulses, and where nothing can be known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.network.domain.seen_pulses import EDGE, NOISE_ADC, PREPARATION, records, seen_domain

from discrimen.network.domain import Domain, learn_domain, outside
from discrimen.network.domain.domain import MOST_RANGES
from discrimen.network.domain.learn import FEWEST_IN_RANGE, QUIET_SIGMA, SEEN_MARGIN
from discrimen.network.domain.shape import N_ROWS, shape_of
from discrimen.network.preparation import Channel


def test_limits_are_those_of_the_pulses() -> None:
    domain = seen_domain()
    low, high = domain.height_adc
    assert 150 < low * SEEN_MARGIN < 200
    assert 5800 < high / SEEN_MARGIN < 6100
    assert domain.quiet_adc == pytest.approx(QUIET_SIGMA * NOISE_ADC, rel=0.05)
    assert domain.rail_adc == 2**14 - 1
    assert all(each.edge[0] in (EDGE - 1, EDGE) and EDGE < each.edge[1] <= EDGE + 2 for each in domain.ranges)


def test_ranges_of_height_ascend_and_hold_enough_pulses() -> None:
    begins = [each.from_adc for each in seen_domain().ranges]
    assert begins[0] == 0
    assert 4 <= len(begins) <= MOST_RANGES
    few = learn_domain(records(3 * FEWEST_IN_RANGE, seed=1), PREPARATION)
    assert few is not None
    assert 1 <= len(few.ranges) <= 3


def test_high_pulses_are_held_to_a_finer_shape() -> None:
    most = [each.residual[1] for each in seen_domain().ranges]
    assert most[-1] < most[0] / 10


def test_clipped_pulses_that_were_trained_on_are_no_news() -> None:
    clipped = records(2000, seed=1, heights_adc=(5000.0, 30_000.0))
    domain = learn_domain(clipped, PREPARATION, adc_bits=14)
    assert domain is not None
    assert domain.rail_adc == np.inf


def test_a_rail_is_known_of_falling_pulses_without_bits_and_of_rising_ones_with() -> None:
    falling = replace(PREPARATION, channels=(replace(PREPARATION.only, polarity=-1),))
    down = records(500, seed=1, polarity=-1, heights_adc=(200.0, 1500.0))
    rails = [learn_domain(down, falling), learn_domain(records(500, seed=1), PREPARATION)]
    assert [domain and domain.rail_adc for domain in rails] == [0.0, np.inf]


@pytest.mark.parametrize("n_pulses", [100, 1000])
def test_a_domain_of_few_pulses_is_wide_but_not_blind(n_pulses: int) -> None:
    alarms, caught = [], []
    for seed in range(10):
        domain = learn_domain(records(n_pulses, seed=seed), PREPARATION)
        assert domain is not None
        alarms.append((outside(records(2000, seed=100 + seed), PREPARATION, domain) != 0).mean())
        caught.append((outside(records(200, seed=seed, edge=25), PREPARATION, domain) != 0).mean())
    assert np.mean(alarms) < 0.01
    assert min(caught) > 0.99


def test_nothing_is_known_of_several_channels_no_baseline_or_hardly_any_pulses() -> None:
    samples = records(100, seed=1)
    two = replace(PREPARATION, channels=(Channel(name="a", baseline_stop=4), Channel(name="b", baseline_stop=4)))
    none = replace(PREPARATION, channels=(Channel(),))
    assert learn_domain(np.stack([samples, samples], axis=1), two) is None
    assert learn_domain(samples, none) is None
    assert learn_domain(samples[:20], PREPARATION) is None


def test_a_domain_survives_its_plain_data() -> None:
    domain = seen_domain()
    assert Domain.from_dict(domain.as_dict(), PREPARATION) == domain
    no_rail = replace(domain, rail_adc=np.inf)
    assert no_rail.as_dict()["rail_adc"] is None
    assert Domain.from_dict(no_rail.as_dict(), PREPARATION) == no_rail


def test_samples_of_the_shape_lie_on_the_pulse_and_all_over_the_window() -> None:
    shape = np.zeros((50, 400))
    shape[:, 100:110] = 1 + np.random.default_rng(1).normal(0, 0.01, (50, 10))
    rows = np.array(shape_of(shape).rows)
    assert len(rows) <= N_ROWS
    assert ((rows >= 100) & (rows < 110)).sum() >= N_ROWS // 2 - 1
    assert np.diff(rows).max() < 400 / (N_ROWS / 2 - 1)
