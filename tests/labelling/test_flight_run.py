"""Time-of-flight labels of simulated runs: channels with delays of their own, contamination against the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.labelling.flight_run import FlightTimes, find_run_flight, times_of_pulses
from discrimen.labelling.places import joined
from discrimen.labelling.time_of_flight import FlightOptions
from discrimen.pulses import Label
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.flight import FlightModel
from discrimen.simulation.kinematics import light_flight_time_ns
from discrimen.simulation.setup import Setup

PATH_M = 1.5
CONFIG = SimulationConfig(
    n_pulses=15_000, spectrum="Cf-252", flight_path_m=PATH_M, accidental_fraction=0.2, n_channels=3,
    accidental_neutron_fraction=0.3, channel_delay_spread_ns=6.0,
)  # fmt: skip
OPTIONS = FlightOptions(flight_path_m=PATH_M, accidental_neutron_share=0.3)


def flown(seed: int, *, gamma_share: float = 0.5) -> tuple[FlightTimes, np.ndarray]:
    """Return the simulator's times and the truth, without the waveforms."""
    rng = np.random.default_rng(seed)
    model, n_pulses = FlightModel.of(CONFIG), CONFIG.n_pulses
    channel = rng.integers(CONFIG.n_channels, size=n_pulses).astype(np.int32)
    accidental = model.accidentals(n_pulses, rng=rng)
    neutron = rng.random(n_pulses) < np.where(accidental, 0.3, 1 - gamma_share)
    light = rng.uniform(50, 1000, n_pulses)
    flight = model.draw(light, neutron, accidental, Setup.of(CONFIG).delay_ns[channel], rng=rng)
    return FlightTimes(tof_ns=flight.tof_ns, board=np.zeros_like(channel), channel=channel), neutron.astype(np.int8)


def test_each_channel_has_its_flash() -> None:
    times, _ = flown(0)
    flight = find_run_flight(times, options=OPTIONS, rng=np.random.default_rng(0))
    delays = Setup.of(CONFIG).delay_ns
    assert np.ptp(delays) > 3
    for channel in range(3):
        expected = CONFIG.tof_delay_ns + delays[channel] + light_flight_time_ns(PATH_M)
        assert flight.flashes[0, channel].time_ns == pytest.approx(expected, abs=0.1)
    assert flight.found.flash.sigma_ns == pytest.approx(CONFIG.time_resolution_ns, rel=0.05)


def test_contamination_agrees_with_the_truth_of_the_simulation() -> None:
    inside = []
    for seed in range(12):
        times, truth = flown(seed)
        flight = find_run_flight(times, options=OPTIONS, rng=np.random.default_rng(seed))
        labels = flight.labels(times)
        for kind, window in ((Label.GAMMA, flight.found.gamma), (Label.NEUTRON, flight.found.neutron)):
            assert (labels == kind).sum() == window.n_pulses
            wrong = (truth[labels == kind] != kind).mean()
            inside.append(window.contamination_low <= wrong <= window.contamination_high)
        accuracy = (labels == truth)[labels != Label.UNKNOWN].mean()
        inside.append(flight.found.accuracy_ceiling_low <= accuracy <= flight.found.accuracy_ceiling_high)
    assert np.mean(inside) > 0.85


def test_weak_flash_is_found_and_none_is_refused() -> None:
    times, truth = flown(1, gamma_share=0.02)
    flight = find_run_flight(times, options=OPTIONS, rng=np.random.default_rng(0))
    labels = flight.labels(times)
    wrong = (truth[labels == Label.GAMMA] != Label.GAMMA).mean()
    assert flight.found.gamma.contamination_low <= wrong <= flight.found.gamma.contamination_high
    times, _ = flown(1, gamma_share=0.0)
    with pytest.raises(DataError, match=r"channel 0: no gamma flash.*channel 2"):
        find_run_flight(times, options=OPTIONS, rng=np.random.default_rng(0))


def test_channel_without_a_flash_stays_unknown() -> None:
    times, _ = flown(2)
    dead = np.random.default_rng(0).uniform(0, 400, 3000)
    other = FlightTimes(tof_ns=dead, board=np.ones(3000, np.int32), channel=np.zeros(3000, np.int32))
    both = joined([times, other])
    flight = find_run_flight(both, options=OPTIONS, rng=np.random.default_rng(0))
    assert set(flight.problems) == {(1, 0)}
    assert set(flight.labels(both)[both.board == 1]) == {Label.UNKNOWN}


def test_where_nothing_is_measured_before_the_flash_accidentals_are_counted_behind_the_neutrons() -> None:
    times, truth = flown(3)
    late = replace(times, tof_ns=np.where(times.tof_ns > 95, times.tof_ns, np.nan))
    flight = find_run_flight(late, options=OPTIONS, rng=np.random.default_rng(0))
    assert flight.found.flat_low_ns == pytest.approx(flight.found.neutron.high_ns)
    labels = flight.labels(late)
    wrong = (truth[labels == Label.NEUTRON] != Label.NEUTRON).mean()
    # Slow neutrons count as accidentals there: the estimate is a little too high, not too low.
    assert flight.found.neutron.contamination_low < wrong * 1.1
    assert wrong < flight.found.neutron.contamination_high


def test_times_without_a_flight_path_count_from_the_flash() -> None:
    times, _ = flown(4)
    options = FlightOptions(neutron_window_ns=(25.0, 150.0), accidental_neutron_share=0.3)
    flight = find_run_flight(times, options=options, rng=np.random.default_rng(0))
    known = find_run_flight(times, options=OPTIONS, rng=np.random.default_rng(0))
    assert flight.found.flash.time_ns == pytest.approx(0.0, abs=0.05)
    assert (flight.found.neutron.low_ns, flight.found.neutron.high_ns) == pytest.approx((25.0, 150.0), abs=0.1)
    assert np.array_equal(flight.labels(times) == Label.GAMMA, known.labels(times) == Label.GAMMA)


def test_times_without_a_column_are_refused() -> None:
    from discrimen.pulses import Pulses

    with pytest.raises(DataError, match="--branch tof_ns"):
        times_of_pulses(Pulses(samples=np.zeros((2, 4), np.uint16), sample_period_ns=1.0))
