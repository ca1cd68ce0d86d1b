"""Walk: what a threshold adds to the times of small pulses is measured at the gamma flash and taken off all."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.labelling.walk import find_walk

SIGMA_NS = 0.6


def walked(amount_ns: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return times, charges and which are prompt gammas: small pulses late as 1 / sqrt(charge)."""
    rng = np.random.default_rng(0)
    n = 12_000
    charge = np.exp(rng.uniform(np.log(50), np.log(5000), n))
    gamma = rng.random(n) < 0.5
    times = np.where(gamma, 5.0, 30 + rng.gamma(2, 15, n)) + amount_ns / np.sqrt(charge / 50)
    times += rng.normal(0, SIGMA_NS, n)
    accidental = rng.random(n) < 0.15
    times[accidental] = rng.uniform(-200, 400, accidental.sum())
    return times, charge, gamma & ~accidental


def test_walk_is_taken_off_and_the_flash_is_as_narrow_as_the_resolution() -> None:
    times, charge, prompt = walked(8.0)
    walk = find_walk(times, charge)
    assert walk is not None
    assert walk.sigma_before_ns > 3 * SIGMA_NS
    assert walk.sigma_after_ns == pytest.approx(SIGMA_NS, rel=0.05)
    corrected = walk.corrected(times, charge)[prompt]
    assert corrected.std() == pytest.approx(SIGMA_NS, rel=0.05)
    assert np.corrcoef(corrected, np.log(charge[prompt]))[0, 1] == pytest.approx(0.0, abs=0.05)


def test_beyond_the_measured_charges_the_edge_holds_and_no_charge_gives_no_time() -> None:
    times, charge, _ = walked(8.0)
    walk = find_walk(times, charge)
    assert walk is not None
    few = walk.corrected(np.array([10.0, 10.0, 10.0]), np.array([1e6, walk.charge_high, np.nan]))
    assert few[0] == few[1]
    assert np.isnan(few[2])


def test_times_without_walk_stay_as_they_are() -> None:
    times, charge, prompt = walked(0.0)
    walk = find_walk(times, charge)
    if walk is not None:
        assert np.abs(walk.corrected(times, charge) - times)[prompt].max() < 0.2 * SIGMA_NS
