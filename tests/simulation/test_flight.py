"""Time of flight: the flash, the neutrons' energies, accidentals, the window, and what stays as it was."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import SettingsError
from discrimen.formats.table import open_reader
from discrimen.labelling import label_by_truth
from discrimen.pulses import Label, concatenate
from discrimen.runs.simulated import simulate_run
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.flight import Flight, FlightModel
from discrimen.simulation.kinematics import light_flight_time_ns, neutron_energy_mev, neutron_flight_time_ns
from discrimen.simulation.simulate import simulate, simulate_blocks_with_truth
from discrimen.simulation.sources import neutron_density
from discrimen.simulation.truth import read_truth

CONFIG = SimulationConfig(
    n_pulses=4000, flight_path_m=2.0, time_resolution_ns=0.8, tof_delay_ns=60.0, energy_max_kevee=200, seed=3
)


def flown(config: SimulationConfig) -> tuple[np.ndarray, Flight]:
    (block,) = simulate_blocks_with_truth(config)
    assert block.flight is not None
    return block.pulses.column("label"), block.flight


def test_the_flash_lies_at_the_flight_of_light_with_its_resolution() -> None:
    label, flight = flown(CONFIG)
    flash = flight.tof_ns[label == Label.GAMMA]
    assert flash.mean() == pytest.approx(60 + 2.0 / 0.299792458, abs=5 * 0.8 / np.sqrt(len(flash)))
    assert flash.std() == pytest.approx(0.8, rel=0.08)


def test_neutrons_fly_with_their_energy() -> None:
    label, flight = flown(dataclasses.replace(CONFIG, time_resolution_ns=0.0))
    neutron = label == Label.NEUTRON
    energy = neutron_energy_mev(flight.tof_ns[neutron] - 60, flight_path_m=2.0)
    assert np.isfinite(energy).mean() > 0.98
    known = np.isfinite(energy)
    np.testing.assert_allclose(energy[known], flight.neutron_energy_mev[neutron][known], rtol=1e-5)
    assert np.isnan(flight.neutron_energy_mev[~neutron]).all()


def test_no_neutron_gives_more_light_than_a_recoil_of_its_whole_energy() -> None:
    pulses = simulate(CONFIG)
    (block,) = simulate_blocks_with_truth(CONFIG)
    assert block.flight is not None
    neutron = pulses.column("label") == Label.NEUTRON
    most = CONFIG.scintillator.light_output.light_kevee(block.flight.neutron_energy_mev[neutron])
    assert (pulses.column("energy_kevee")[neutron] <= most + 0.5).all()


@pytest.mark.parametrize("spectrum", ["Cf-252", "AmBe"])
def test_the_neutrons_of_a_source_have_its_spectrum_above_the_threshold(spectrum: str) -> None:
    config = SimulationConfig(
        n_pulses=1, spectrum=spectrum, flight_path_m=1.0, energy_min_kevee=100, energy_max_kevee=8000
    )
    rng = np.random.default_rng(0)
    model = FlightModel.of(config)
    # Recoils of the source, drawn in another way: first the neutron, then a uniform share of its energy.
    grid = np.linspace(0.01, 20, 20_000)
    cumulative = np.cumsum(neutron_density(config.spectrum, grid))
    neutrons = np.interp(rng.random(60_000), cumulative / cumulative[-1], grid)
    recoils = neutrons * rng.random(len(neutrons))
    light = config.scintillator.light_output.light_kevee(recoils)
    seen = (light > 100) & (light < 8000)
    drawn = model.neutron_energies_mev(light[seen], rng=rng)
    for level in (0.1, 0.5, 0.9):
        assert np.quantile(drawn, level) == pytest.approx(np.quantile(neutrons[seen], level), rel=0.03)
    # And not only the quantiles: fast recoils belong to fast neutrons.
    assert np.corrcoef(recoils[seen], drawn)[0, 1] == pytest.approx(
        np.corrcoef(recoils[seen], neutrons[seen])[0, 1], abs=0.03
    )


def test_neutrons_beyond_the_spectrum_have_the_energy_of_their_recoil() -> None:
    config = SimulationConfig(n_pulses=1, spectrum="AmBe", flight_path_m=1.0, energy_max_kevee=8000)
    light = config.scintillator.light_output.light_kevee(np.array([12.0]))
    drawn = FlightModel.of(config).neutron_energies_mev(light, rng=np.random.default_rng(0))
    assert drawn == pytest.approx(12.0, rel=1e-3)


def test_accidentals_are_uniform_and_as_many_as_asked_for() -> None:
    config = dataclasses.replace(CONFIG, accidental_fraction=0.4, accidental_neutron_fraction=0.1)
    label, flight = flown(config)
    accidental = flight.is_accidental
    assert accidental.mean() == pytest.approx(0.4, abs=0.03)
    counts = np.histogram(flight.tof_ns[accidental], 10, range=(0, 400))[0]
    assert counts.sum() == accidental.sum()
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 27.9  # 0.1 % of chi-squared, 9 degrees of freedom
    assert label[accidental].mean() == pytest.approx(0.1, abs=0.03)
    assert label[~accidental].mean() == pytest.approx(0.5, abs=0.04)


def test_late_neutrons_have_no_time() -> None:
    label, flight = flown(dataclasses.replace(CONFIG, tof_window_ns=100.0))
    missing = np.isnan(flight.tof_ns)
    assert missing[label == Label.NEUTRON].mean() > 0.5
    assert not missing[label == Label.GAMMA].any()
    assert np.nanmax(flight.tof_ns) < 100


def test_channels_have_delays_of_their_own() -> None:
    config = dataclasses.replace(CONFIG, n_channels=3, channel_delay_spread_ns=5.0, neutron_fraction=0.0)
    pulses = simulate(config)
    tof, channel = pulses.column("tof_ns"), pulses.column("channel")
    means = np.array([tof[channel == number].mean() for number in range(3)])
    assert np.ptp(means) > 1
    assert max(tof[channel == number].std() for number in range(3)) < 1


def test_a_flight_path_leaves_the_pulses_as_they_are() -> None:
    without = simulate(dataclasses.replace(CONFIG, flight_path_m=None))
    with_path = simulate(CONFIG)
    assert without.tof_ns is None
    np.testing.assert_array_equal(without.samples, with_path.samples)
    np.testing.assert_array_equal(without.column("label"), with_path.column("label"))


def test_what_a_format_cannot_hold_comes_back_from_the_truth(tmp_path: Path) -> None:
    done = simulate_run(dataclasses.replace(CONFIG, n_pulses=60, n_runs=2), tmp_path / "run.BIN")
    read = concatenate(open_reader(done.run).chunks())
    assert read.tof_ns is None
    truth = read_truth(done.truth)
    labelled = label_by_truth(read, truth)
    np.testing.assert_array_equal(labelled.column("tof_ns"), simulate(dataclasses.replace(CONFIG, n_pulses=60)).tof_ns)
    assert labelled.column("run").tolist() == [0] * 30 + [1] * 30
    assert set(truth.flight) == {"neutron_energy_mev", "is_accidental"}


def test_without_a_flight_path_the_truth_knows_of_none(tmp_path: Path) -> None:
    done = simulate_run(SimulationConfig(n_pulses=20), tmp_path / "run.lh5")
    truth = read_truth(done.truth)
    assert truth.flight == {}
    assert not {"tof_ns", "run"} & set(truth.columns)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"accidental_fraction": 0.1}, "give flight_path_m"),
        ({"flight_path_m": 1.0, "tof_window_ns": 100.0}, "must lie within tof_window_ns"),
        ({"flight_path_m": 0.0}, "flight_path_m must be a number"),
        ({"flight_path_m": 1.0, "spectrum": "Co-60", "accidental_neutron_fraction": 0.5}, "has no neutrons"),
    ],
)
def test_flights_that_do_not_fit_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        SimulationConfig(n_pulses=10, **values)  # type: ignore[arg-type]


def test_energy_and_time_are_each_other_s_inverse() -> None:
    energy = np.geomspace(1e-6, 500, 60)
    time = neutron_flight_time_ns(energy, flight_path_m=3.0)
    assert (time > light_flight_time_ns(3.0)).all()
    np.testing.assert_allclose(neutron_energy_mev(time[20:], flight_path_m=3.0), energy[20:], rtol=1e-6)
    # 2200 m/s at 25.3 meV
    assert neutron_flight_time_ns(25.3e-9, flight_path_m=2.2) == pytest.approx(1e6, rel=1e-3)
