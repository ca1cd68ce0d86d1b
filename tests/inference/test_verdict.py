"""A run of another gain is refused once it has been read, unless it is accepted; one of the same gain is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.network.domain.test_light_noise import PREPARATION, poisson_pulses

from discrimen.errors import DataError
from discrimen.inference.verdict import Verdict
from discrimen.network.domain import Domain, OutsideTally, learn_domain, outside
from discrimen.pulses import Pulses


@pytest.fixture(scope="module")
def domain() -> Domain:
    found = learn_domain(poisson_pulses(3000), PREPARATION, adc_bits=14)
    assert found is not None
    return found


def judged(domain: Domain, *, adc_per_pe: float, most_outside: float) -> None:
    samples = poisson_pulses(1500, adc_per_pe=adc_per_pe, seed=4)
    tally = OutsideTally(domain, PREPARATION)
    verdict = Verdict(Path("run.lh5"), len(samples), most_outside, tally)
    for part in np.array_split(samples, 2):
        verdict.add(Pulses(samples=part, sample_period_ns=10.0), outside(part, PREPARATION, domain))
    verdict.require_inside()


def test_twice_the_gain_is_refused_unless_accepted(domain: Domain) -> None:
    with pytest.raises(DataError, match=r"run\.lh5: the tails of .* (1\.9|2\.\d)\d* times as much .*--accept"):
        judged(domain, adc_per_pe=16.0, most_outside=0.2)
    judged(domain, adc_per_pe=16.0, most_outside=1.0)


def test_the_same_gain_is_taken(domain: Domain) -> None:
    judged(domain, adc_per_pe=8.0, most_outside=0.2)
