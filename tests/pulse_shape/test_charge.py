"""Charge comparison: gated integrals, the tail fraction and the search for gates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discrimen.errors import DataError
from discrimen.pulse_shape.charge import GateGrid, best_gates, charge_comparison, default_gate_grid
from discrimen.pulses.detector import GatesNs

PERIOD_NS = 2.0


def gates(start_ns: float, short_ns: float, long_ns: float) -> GatesNs:
    return GatesNs(gate_start_ns=start_ns, short_gate_end_ns=short_ns, long_gate_end_ns=long_ns)


def decays(taus_ns: np.ndarray, *, n_samples: int = 300, at: int = 40, period_ns: float = PERIOD_NS) -> np.ndarray:
    """Exponential pulses that start at a sample, of height 1000."""
    after = (np.arange(n_samples) - at) * period_ns
    shapes = np.where(after >= 0, 1000 * np.exp(-np.clip(after, 0, None) / taus_ns[:, np.newaxis]), 0)
    return shapes.astype(np.float32)


def crossings(n_pulses: int, at: float) -> np.ndarray:
    return np.full(n_pulses, at, dtype=np.float32)


def test_triangle_gives_the_area_under_it() -> None:
    # Falls from 10 at sample 5 to 0 at sample 15: a sum over whole samples is the area of the triangle.
    triangle = np.zeros((1, 30), dtype=np.float32)
    triangle[0, 5:16] = np.arange(10, -1, -1)
    charges = charge_comparison(
        triangle, crossing=crossings(1, 5.0), sample_period_ns=PERIOD_NS, gates=gates(-1.0, 9.0, 25.0)
    )
    # From half a sample before sample 5: samples 5..9 in the short gate, 5..15 in the long one.
    assert charges.short_charge_adc_ns[0] == pytest.approx((10 + 9 + 8 + 7 + 6) * PERIOD_NS)
    assert charges.long_charge_adc_ns[0] == pytest.approx(55 * PERIOD_NS)
    assert charges.psd[0] == pytest.approx(15 / 55)


def test_gate_edge_takes_its_share_of_a_sample() -> None:
    flat = np.ones((1, 20), dtype=np.float32)
    charges = charge_comparison(
        flat, crossing=crossings(1, 8.3), sample_period_ns=PERIOD_NS, gates=gates(-2.2, 1.7, 9.1)
    )
    assert charges.short_charge_adc_ns[0] == pytest.approx(3.9)
    assert charges.long_charge_adc_ns[0] == pytest.approx(11.3)


def test_exponential_tail_fraction_is_analytic() -> None:
    tau_ns = 50.0
    fine_ns = 0.05
    pulse = decays(np.array([tau_ns]), n_samples=20000, at=1000, period_ns=fine_ns)
    charges = charge_comparison(
        pulse, crossing=crossings(1, 1000.0), sample_period_ns=fine_ns, gates=gates(-10.0, 30.0, 400.0)
    )
    expected = (np.exp(-30 / tau_ns) - np.exp(-400 / tau_ns)) / (1 - np.exp(-400 / tau_ns))
    assert charges.psd[0] == pytest.approx(expected, rel=2e-3)


@settings(deadline=None)
@given(
    gain=st.floats(0.01, 100),
    shift=st.integers(0, 30),
    fraction=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_psd_ignores_gain_and_place(gain: float, shift: int, fraction: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pulses = decays(rng.uniform(20, 80, 5)) + rng.normal(0, 1, (5, 300)).astype(np.float32)
    window = gates(-6.0, 30.0, 200.0)
    kept = charge_comparison(pulses, crossing=crossings(5, 40 + fraction), sample_period_ns=PERIOD_NS, gates=window)
    moved = np.roll(pulses * np.float32(gain), shift, axis=1)
    again = charge_comparison(
        moved, crossing=crossings(5, 40 + shift + fraction), sample_period_ns=PERIOD_NS, gates=window
    )
    np.testing.assert_allclose(again.psd, kept.psd, atol=2e-5)


@settings(deadline=None)
@given(quarters=st.lists(st.integers(-200, 240), min_size=3, max_size=3, unique=True), at=st.floats(0, 29))
def test_short_and_tail_add_up_to_long(quarters: list[int], at: float) -> None:
    start, short, long = (quarter / 4 for quarter in sorted(quarters))
    pulse = np.arange(30, dtype=np.float32)[np.newaxis] ** 2
    whole, tail = (
        charge_comparison(pulse, crossing=crossings(1, at), sample_period_ns=PERIOD_NS, gates=window)
        for window in (gates(start, short, long), gates(short, (short + long) / 2, long))
    )
    total = whole.short_charge_adc_ns[0] + tail.long_charge_adc_ns[0]
    assert whole.long_charge_adc_ns[0] == pytest.approx(total, rel=1e-4, abs=1e-2)


def test_gates_beyond_the_record_end_with_it_and_are_told() -> None:
    flat = np.ones((3, 20), dtype=np.float32)
    at = np.array([5.0, 1.0, 17.0], dtype=np.float32)
    charges = charge_comparison(flat, crossing=at, sample_period_ns=1.0, gates=gates(-3.0, 4.0, 8.0))
    np.testing.assert_allclose(charges.long_charge_adc_ns, [11.0, 9.5, 5.5])
    np.testing.assert_allclose(charges.short_charge_adc_ns, [7.0, 5.5, 5.5])
    assert charges.truncated.tolist() == [False, True, True]


def test_whole_record_is_the_whole_sum() -> None:
    pulses = np.random.default_rng(0).normal(5, 1, (7, 33)).astype(np.float32)
    charges = charge_comparison(
        pulses, crossing=crossings(7, 10.0), sample_period_ns=1.0, gates=gates(-1000.0, 0.0, 1000.0)
    )
    np.testing.assert_allclose(charges.long_charge_adc_ns, pulses.sum(axis=1), rtol=1e-6)


def test_no_crossing_and_no_charge_give_nan() -> None:
    pulses = np.stack([np.ones(20), -np.ones(20), np.ones(20)]).astype(np.float32)
    at = np.array([np.nan, 5.0, 5.0], dtype=np.float32)
    charges = charge_comparison(pulses, crossing=at, sample_period_ns=1.0, gates=gates(-2.0, 2.0, 8.0))
    assert np.isnan(charges.psd).tolist() == [True, True, False]
    assert np.isnan(charges.long_charge_adc_ns).tolist() == [True, False, False]
    assert charges.long_charge_adc_ns[1] == -10
    assert charges.truncated.tolist() == [False, False, False]
    assert charges.psd.dtype == charges.long_charge_adc_ns.dtype == np.float32


def test_no_pulses_give_no_charges() -> None:
    empty = np.empty((0, 20), dtype=np.float32)
    charges = charge_comparison(empty, crossing=crossings(0, 0.0), sample_period_ns=1.0, gates=gates(-2.0, 2.0, 8.0))
    assert charges.psd.shape == (0,)


def test_crossings_must_match_the_waveforms() -> None:
    with pytest.raises(DataError, match=r"one crossing for each of 2 waveforms, got shape \(3,\)"):
        charge_comparison(
            np.ones((2, 20), dtype=np.float32),
            crossing=crossings(3, 5.0),
            sample_period_ns=1.0,
            gates=gates(-2.0, 2.0, 8.0),
        )


def test_best_gates_find_the_only_informative_stretch() -> None:
    # The classes differ between 20 and 60 ns after the crossing; the rest is the same but for noise.
    rng = np.random.default_rng(3)
    is_neutron = np.arange(2000) % 2 == 1
    pulses = rng.normal(0, 5, (2000, 120))
    pulses[:, 40:50] += 100
    pulses[is_neutron, 50:70] += 4
    pulses = pulses.astype(np.float32)
    at = crossings(2000, 40.0)

    def merit(psd: np.ndarray) -> float:
        spread = np.nanstd(psd[is_neutron]) + np.nanstd(psd[~is_neutron])
        return float((np.nanmean(psd[is_neutron]) - np.nanmean(psd[~is_neutron])) / spread)

    found = best_gates(pulses, crossing=at, sample_period_ns=PERIOD_NS, merit=merit)
    assert found.gates.short_gate_end_ns == pytest.approx(19.0, abs=3.0)
    assert found.gates.long_gate_end_ns == pytest.approx(59.0, abs=5.0)
    charges = charge_comparison(pulses, crossing=at, sample_period_ns=PERIOD_NS, gates=found.gates)
    assert merit(charges.psd) == pytest.approx(found.merit, rel=1e-4)
    coarse = best_gates(pulses, crossing=at, sample_period_ns=PERIOD_NS, merit=merit, n_refinements=0)
    assert found.merit > coarse.merit
    assert found.n_tried > coarse.n_tried > 100


def test_best_gates_need_a_crossing_and_an_ordered_grid() -> None:
    pulses = np.ones((3, 20), dtype=np.float32)
    with pytest.raises(DataError, match="no pulse has a constant-fraction crossing"):
        best_gates(pulses, crossing=crossings(3, np.nan), sample_period_ns=1.0, merit=np.nanmean)
    grid = GateGrid(starts_ns=(0.0,), short_ends_ns=(5.0,), long_ends_ns=(3.0,))
    with pytest.raises(DataError, match="start < short end < long end"):
        best_gates(pulses, crossing=crossings(3, 5.0), sample_period_ns=1.0, merit=np.nanmean, grid=grid)


@settings(deadline=None)
@given(
    period_ns=st.sampled_from([1.0, 2.0, 10.0]),
    before=st.floats(0.1, 500),
    after=st.floats(0.1, 5000),
)
def test_default_grid_is_ascending_and_within_the_record(period_ns: float, before: float, after: float) -> None:
    grid = default_gate_grid(sample_period_ns=period_ns, before_ns=before * period_ns, after_ns=after * period_ns)
    for edges in (grid.starts_ns, grid.short_ends_ns, grid.long_ends_ns):
        assert list(edges) == sorted(set(edges))
    assert grid.starts_ns[0] >= -max(before, 0.5) * period_ns * (1 + 1e-9)
    assert grid.long_ends_ns[-1] <= max(after, 0.5) * period_ns * (1 + 1e-9)


def test_refined_grid_keeps_the_winner() -> None:
    grid = default_gate_grid(sample_period_ns=2.0, before_ns=40.0, after_ns=400.0)
    winner = gates(grid.starts_ns[1], grid.short_ends_ns[3], grid.long_ends_ns[-1])
    finer = grid.refined_around(winner)
    assert winner.gate_start_ns in finer.starts_ns
    assert winner.short_gate_end_ns in finer.short_ends_ns
    assert winner.long_gate_end_ns in finer.long_ends_ns
    assert min(finer.short_ends_ns) == grid.short_ends_ns[2]
    assert max(finer.short_ends_ns) == grid.short_ends_ns[4]


def test_gates_without_merit_are_never_the_best() -> None:
    pulses = np.ones((3, 40), np.float32)
    grid = GateGrid(starts_ns=(0.0,), short_ends_ns=(2.0, 4.0, 6.0), long_ends_ns=(20.0,))
    merits = iter([np.nan, 1.0, 0.5])
    found = best_gates(
        pulses,
        crossing=crossings(3, 5.0),
        sample_period_ns=1.0,
        merit=lambda _: next(merits),
        grid=grid,
        n_refinements=0,
    )
    assert found.gates.short_gate_end_ns == 4.0
    assert found.merit == 1.0
