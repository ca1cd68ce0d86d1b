"""Several channels and runs: each has a gain, a baseline and a noise of its own."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from discrimen.errors import SettingsError
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.setup import Setup
from discrimen.simulation.simulate import simulate

WIDE = SimulationConfig(
    n_pulses=4000, n_channels=400, n_runs=5, channel_gain_spread=0.2, channel_noise_spread=0.3, seed=1,
    channel_baseline_spread_adc=50.0, run_gain_spread=0.05, run_noise_spread=0.1, run_baseline_spread_adc=8.0,
)  # fmt: skip


def test_the_spreads_are_those_asked_for() -> None:
    setup = Setup.of(WIDE)
    of_channel = setup.baseline_shift_adc.mean(axis=0)
    assert of_channel.std() == pytest.approx(np.hypot(50, 8 / np.sqrt(5)), rel=0.12)
    assert setup.baseline_shift_adc.std(axis=0, ddof=1).mean() == pytest.approx(8, rel=0.12)
    for values, channel_spread, run_spread in ((setup.gain, 0.2, 0.05), (setup.noise, 0.3, 0.1)):
        assert np.log(values).std() == pytest.approx(np.hypot(channel_spread, run_spread), rel=0.1)
        assert np.log(values).std(axis=0, ddof=1).mean() == pytest.approx(run_spread, rel=0.12)


def test_channels_stay_the_same_whatever_is_beside_them() -> None:
    whole = Setup.of(WIDE)
    fewer = Setup.of(dataclasses.replace(WIDE, n_channels=7, n_runs=1, first_run=3))
    np.testing.assert_array_equal(fewer.gain[0], whole.gain[3, :7])
    np.testing.assert_array_equal(fewer.noise[0], whole.noise[3, :7])
    other = Setup.of(dataclasses.replace(WIDE, seed=99, setup_seed=1))
    np.testing.assert_array_equal(other.gain, whole.gain)


def test_pulses_show_the_set_up_of_their_channel_and_run() -> None:
    config = SimulationConfig(
        n_pulses=4000, n_channels=2, n_runs=2, spectrum="flat", energy_min_kevee=1000, energy_max_kevee=1001,
        neutron_fraction=0, photoelectrons_per_kev=100, baseline_spread_adc=0, channel_gain_spread=0.2,
        channel_baseline_spread_adc=100.0, channel_noise_spread=0.5, run_gain_spread=0.1, seed=5,
    )  # fmt: skip
    setup, pulses = Setup.of(config), simulate(config)
    before = pulses.samples[:, :12].astype(np.float64)
    height = before.mean(axis=1) - pulses.samples.min(axis=1)
    run, channel = pulses.column("run"), pulses.column("channel")
    first = height[(run == 0) & (channel == 0)].mean()
    for number in np.ndindex(2, 2):
        chosen = (run == number[0]) & (channel == number[1])
        assert before[chosen].mean() == pytest.approx(15_000 + setup.baseline_shift_adc[number], abs=0.3)
        assert before[chosen].std(axis=1, ddof=1).mean() == pytest.approx(3 * setup.noise[number], rel=0.06)
        assert height[chosen].mean() / first == pytest.approx(setup.gain[number] / setup.gain[0, 0], rel=0.01)


def test_runs_follow_each_other() -> None:
    pulses = simulate(SimulationConfig(n_pulses=10, n_runs=3, first_run=7))
    assert pulses.column("run").tolist() == [7, 7, 7, 7, 8, 8, 8, 9, 9, 9]
    assert (np.diff(pulses.column("timestamp_ps")) > 0).all()


def test_a_single_run_may_have_a_number() -> None:
    assert simulate(SimulationConfig(n_pulses=3)).run is None
    assert simulate(SimulationConfig(n_pulses=3, first_run=4)).column("run").tolist() == [4, 4, 4]


def test_without_spreads_channels_and_runs_change_no_pulse() -> None:
    plain = simulate(SimulationConfig(n_pulses=50))
    dealt = simulate(SimulationConfig(n_pulses=50, n_channels=3, n_runs=2))
    np.testing.assert_array_equal(plain.samples, dealt.samples)


def test_more_runs_than_pulses_are_refused() -> None:
    with pytest.raises(SettingsError, match="every run needs a pulse: 5 runs of 4 pulses"):
        SimulationConfig(n_pulses=4, n_runs=5)
