from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.grid_search.toy_basis import N_SAMPLES, PERIOD_NS, toy_basis, toy_traces

from discrimen.errors import DataError
from discrimen.grid_search.locate import GridSearch
from discrimen.network.hits_domain import PositionFlag
from discrimen.pulses.hits import Hits

CHANNELS = ("A1", "A2", "A3", "core")
HEIGHT_ADC = 2000


@dataclass(frozen=True)
class NamedToy:
    """The toy basis behind a fourth channel: segment 2 and the core both rise."""

    positions_mm: np.ndarray
    segment: np.ndarray
    traces: np.ndarray
    sample_period_ns: float = PERIOD_NS
    channels: tuple[str, ...] = CHANNELS
    onset_ns: float = 50.0


def whole(traces: np.ndarray) -> np.ndarray:
    return np.concatenate([traces, traces[:, -1:]], axis=1)


BASIS = NamedToy(toy_basis().positions_mm, toy_basis().segment, whole(toy_basis().traces))


def hits(n: int, *, seed: int = 0, n_before: int = 15, noise_adc: float = 4) -> tuple[Hits, np.ndarray]:
    rng = np.random.default_rng(seed)
    positions = rng.uniform(-4.5, 4.5, (n, 3))
    clean = whole(toy_traces(positions, offset_ns=rng.uniform(0, 10, n)))
    records = np.concatenate([np.zeros((n, 4, n_before)), clean], axis=2)
    samples = 300 + HEIGHT_ADC * records + rng.normal(0, noise_adc, records.shape)
    made = Hits(samples=np.rint(samples).astype(np.int16), sample_period_ns=PERIOD_NS, channels=CHANNELS)
    return made, positions


def test_positions_are_found_whatever_the_order_of_the_channels() -> None:
    made, truth = hits(200)
    found = GridSearch(basis=BASIS).locate(made)
    assert not found.flags.any()
    assert np.median(np.linalg.norm(found.position_mm - truth, axis=1)) < 0.6
    turned = replace(made, samples=made.samples[:, ::-1], channels=CHANNELS[::-1])
    assert np.allclose(GridSearch(basis=BASIS).locate(turned).position_mm, found.position_mm, atol=1e-3)


def test_the_mean_of_the_posterior_comes_with_an_error_that_holds_in_much_noise() -> None:
    made, truth = hits(400, noise_adc=80.0)
    found = GridSearch(basis=BASIS, posterior=True).locate(made)
    there = found.flags == 0
    assert there.mean() > 0.9
    assert found.deviation_mm is not None
    residual = (found.position_mm - truth)[there]
    assert np.abs((residual / found.deviation_mm[there]).std() - 1) < 0.15
    searched = GridSearch(basis=BASIS).locate(made)
    assert searched.deviation_mm is None
    assert np.square(residual).mean() < 0.9 * np.square((searched.position_mm - truth)[there]).mean()


def test_hits_that_one_interaction_does_not_explain_get_no_position() -> None:
    made, _ = hits(6)
    samples = made.samples.copy()
    samples[0, 0] = samples[0, 2]  # net charge in two segments
    samples[1] = 300  # nothing at all
    samples[3, 3] = samples[4, 1] = 300  # a core and a segment that are connected to nothing
    search = GridSearch(basis=BASIS, noise_adc=4.0)
    found = search.locate(replace(made, samples=samples))
    assert found.flags[0] == PositionFlag.SEVERAL_SEGMENTS
    assert found.flags[1] & PositionFlag.UNPREPARED
    assert found.flags[3] & PositionFlag.NO_REFERENCE
    assert found.flags[4] == PositionFlag.MISSING_CHANNELS
    assert np.isnan(found.position_mm[[0, 1, 3, 4]]).all()
    assert np.isfinite(found.position_mm[[2, 5]]).all()
    present = np.ones((6, 4), bool)
    present[2, 3] = False
    told = search.locate(replace(made, samples=samples, present=present))
    assert told.flags[2] & PositionFlag.NO_REFERENCE
    assert told.flags[4] == 0, "the hits say that the channel is there"


def test_two_interactions_in_one_segment_get_no_position_where_the_square_is_limited() -> None:
    made, _ = hits(60)
    mixed = (made.samples.astype(np.int32) + made.samples[::-1]) // 2
    both = replace(made, samples=mixed.astype(np.int16))
    assert not GridSearch(basis=BASIS, noise_adc=4.0).locate(both).flags.any()
    limited = GridSearch(basis=BASIS, noise_adc=4.0, most_chi_square=1.3)
    assert (limited.locate(made).flags > 0).mean() < 0.1
    flags = limited.locate(both).flags
    assert (flags == PositionFlag.UNLIKE_SIGNALS).mean() > 0.3
    assert np.isnan(limited.locate(both).position_mm[flags > 0]).all()


def test_noise_is_measured_where_channels_are_there() -> None:
    made, truth = hits(200)
    present = np.ones((200, 4), bool)
    present[:150, 1] = False
    samples = np.where(present[:, :, None], made.samples, np.int16(0))
    some = GridSearch(basis=BASIS).locate(replace(made, samples=samples, present=present))
    assert (some.flags[:150] == PositionFlag.MISSING_CHANNELS).all()
    whole = GridSearch(basis=BASIS).locate(made)
    apart = [np.linalg.norm(found.position_mm - truth, axis=1)[150:] for found in (some, whole)]
    assert np.abs(some.position_mm - whole.position_mm)[150:].mean() < 0.05
    assert np.median(apart[0]) < 1.1 * np.median(apart[1])


def test_records_that_do_not_fit_the_basis_are_refused() -> None:
    made, _ = hits(3)
    search = GridSearch(basis=BASIS)
    with pytest.raises(DataError, match=r"sampled every 8 ns, the basis every 10 ns"):
        search.locate(replace(made, sample_period_ns=8.0))
    with pytest.raises(DataError, match=rf"have 30 samples, the signals of the basis {N_SAMPLES}"):
        search.locate(replace(made, samples=made.samples[:, :, :30]))
    with pytest.raises(DataError, match=r"channel A1 has no noise before the pulse"):
        search.locate(replace(made, samples=np.where(np.arange(4)[:, None] == 0, np.int16(0), made.samples)))
