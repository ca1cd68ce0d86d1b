"""Axes hold what comes, maps count it, and what goes to a screen keeps single pulses."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from discrimen.online.monitor.axes import Axis, energy_axis, linear_axis
from discrimen.online.monitor.history import N_STEPS, STEP_S, History
from discrimen.online.monitor.maps import HeatMap, logarithmic_bytes

X = Axis(label="x", low=1.0, high=1000.0, is_log=True, n_bins=30)
Y = Axis(label="y", low=0.0, high=1.0, n_bins=10)


def test_bins_are_those_of_numpy() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.lognormal(3, 1, 5000), rng.uniform(-0.2, 1.2, 5000)
    heat_map = HeatMap(X, Y)
    heat_map.add(np.zeros(5000, int), x, y)
    wanted, _, _ = np.histogram2d(y, x, bins=(Y.edges, X.edges))
    np.testing.assert_array_equal(heat_map.summed(None), wanted)
    assert heat_map.beyond(None) == 5000 - wanted.sum()


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=20))
def test_any_number_has_a_bin_or_none(values: list[float]) -> None:
    for axis in (X, Y):
        bins = axis.bins(np.array(values, np.float64))
        assert ((bins >= -1) & (bins < axis.n_bins)).all()


def test_channels_are_counted_apart_and_add_up() -> None:
    heat_map = HeatMap(X, Y)
    heat_map.add(np.array([0, 2, 2]), np.array([10.0, 20.0, np.nan]), np.array([0.5, 0.5, 0.5]))
    assert [int(heat_map.summed([slot]).sum()) for slot in (0, 1, 2)] == [1, 0, 1]
    assert heat_map.summed([0, 2]).sum() == 2
    assert heat_map.summed([7]).sum() == 0
    assert heat_map.beyond(None) == 0


def test_axes_hold_nearly_all_pulses() -> None:
    rng = np.random.default_rng(2)
    energy, psd = rng.lognormal(5, 1, 2000), rng.normal(0.2, 0.03, 2000)
    assert (energy_axis(np.append(energy, -5.0), "e").bins(energy) >= 0).mean() > 0.99
    assert (linear_axis(psd, "p").bins(psd) >= 0).mean() > 0.99


def test_a_single_pulse_is_seen_beside_a_million() -> None:
    levels, most = logarithmic_bytes(np.array([[0, 1, 10**9]]))
    assert most == 10**9
    assert levels.tolist()[0][0] == 0
    assert levels.tolist()[0][1] >= 1
    assert levels.tolist()[0][2] == 255
    assert logarithmic_bytes(np.zeros((2, 2)))[1] == 0


def test_rates_are_counts_by_time() -> None:
    history = History()
    for number in range(8):
        history.add(1000.0 + 0.5 * number, 0.5, {0: (5, 50), 3: (1, 0)}, {"n_waiting": float(number)})
    told = history.series(1003.6, None)
    np.testing.assert_allclose(told["time_s"], [1000.0, 1002.0])
    np.testing.assert_allclose(told["neutron"], [12.0, 12.0])
    np.testing.assert_allclose(history.series(1003.6, [0])["other"], [100.0, 100.0])
    np.testing.assert_allclose(told["n_waiting"], [3.0, 7.0])
    assert np.isnan(told["latency_99_ms"]).all()


def test_time_without_a_word_has_no_rate() -> None:
    history = History()
    history.add(1000.0, 0.5, {0: (5, 5)}, {})
    history.add(1007.0, 0.5, {0: (5, 5)}, {})
    assert np.isnan(history.series(1007.0, None)["neutron"]).tolist() == [False, True, True, False]


def test_what_is_older_than_half_an_hour_is_forgotten() -> None:
    history = History()
    history.add(1000.0, 0.5, {0: (5, 5)}, {})
    later_s = 1000.0 + STEP_S * N_STEPS
    history.add(later_s, 0.5, {0: (7, 7)}, {})
    told = history.series(later_s, None)
    assert len(told["time_s"]) == N_STEPS
    assert np.nansum(told["neutron"]) == 14
    far_s = later_s + 1e7
    assert np.isnan(history.series(far_s, None)["neutron"]).all()
