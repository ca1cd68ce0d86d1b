"""Labels by time of flight on a toy: gamma flash, neutrons of a Maxwell spectrum, flat accidentals."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.labelling.gamma_flash import find_gamma_flash
from discrimen.labelling.time_of_flight import FlightOptions, find_flight_labels
from discrimen.pulses import Label
from discrimen.simulation.kinematics import LIGHT_M_PER_NS, neutron_energy_mev, neutron_flight_time_ns

PATH_M, FLASH_NS, SIGMA_NS, TEMPERATURE_MEV = 1.5, 83.0, 0.7, 1.42
OPTIONS = FlightOptions(flight_path_m=PATH_M, accidental_neutron_share=0.4)


def toy(
    seed: int = 0, *, n_gamma: int = 4000, n_neutron: int = 6000, n_accidental: int = 3000
) -> tuple[NDArray[np.float64], NDArray[np.int8], NDArray[np.float64]]:
    """Return raw times from 0 to 300 ns, what made each pulse, and the energies of the neutrons."""
    rng = np.random.default_rng(seed)
    energy = rng.gamma(1.5, TEMPERATURE_MEV, n_neutron)
    flight = neutron_flight_time_ns(np.maximum(energy, 0.05), flight_path_m=PATH_M)
    neutron = FLASH_NS - PATH_M / LIGHT_M_PER_NS + flight + rng.normal(0, SIGMA_NS, n_neutron)
    gamma = rng.normal(FLASH_NS, SIGMA_NS, n_gamma)
    accidental = rng.uniform(0, 300, n_accidental)
    label = np.concatenate([np.zeros(n_gamma), np.ones(n_neutron), rng.random(n_accidental) < 0.4]).astype(np.int8)
    return np.concatenate([gamma, neutron, accidental]), label, energy


def test_flash_is_found_with_its_width() -> None:
    flash = find_gamma_flash(np.sort(toy()[0]))
    assert flash.time_ns == pytest.approx(FLASH_NS, abs=5 * SIGMA_NS / np.sqrt(4000))
    assert flash.sigma_ns == pytest.approx(SIGMA_NS, rel=0.05)
    assert flash.n_pulses == pytest.approx(4000, rel=0.05)


def test_energy_is_relativistic() -> None:
    time = neutron_flight_time_ns(14.1, flight_path_m=PATH_M)
    assert neutron_energy_mev(np.atleast_1d(time), flight_path_m=PATH_M)[0] == pytest.approx(14.1)
    classical = 0.5 * 939.56542 * (PATH_M / time / LIGHT_M_PER_NS) ** 2
    assert classical == pytest.approx(14.1 * (1 - 1.5 * 14.1 / 939.565), rel=1e-3)
    assert np.isnan(neutron_energy_mev(np.array([PATH_M / LIGHT_M_PER_NS]), flight_path_m=PATH_M)[0])


def test_calibrated_energies_are_those_of_the_neutrons() -> None:
    tof_ns, _, energy = toy()
    found = find_flight_labels(tof_ns, options=OPTIONS, rng=np.random.default_rng(0))
    measured = found.neutron_energy_mev(tof_ns[4000:10_000])
    middle = (energy > 1) & (energy < 3)
    assert np.median(measured[middle] / energy[middle]) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("share", [0.4, None])
def test_contamination_covers_the_truth(share: float | None) -> None:
    inside = []
    for seed in range(30):
        tof_ns, label, _ = toy(seed)
        options = FlightOptions(flight_path_m=PATH_M, accidental_neutron_share=share)
        found = find_flight_labels(tof_ns, options=options, rng=np.random.default_rng(seed))
        labels = found.labels(tof_ns)
        for kind, window in ((Label.GAMMA, found.gamma), (Label.NEUTRON, found.neutron)):
            ours = labels == kind
            wrong = (label[ours] != kind).mean()
            assert ours.sum() == window.n_pulses
            if share is None:
                # Every accidental counts as wrong, so that the estimate is a limit.
                assert wrong < window.contamination_high
            else:
                inside.append(window.contamination_low <= wrong <= window.contamination_high)
        accuracy = (labels == label)[labels != Label.UNKNOWN].mean()
        if share is not None:
            inside.append(found.accuracy_ceiling_low <= accuracy <= found.accuracy_ceiling_high)
        else:
            assert accuracy > found.accuracy_ceiling_low
    if inside:
        assert np.mean(inside) > 0.88


def test_more_accidentals_lower_the_ceiling() -> None:
    ceilings = [
        find_flight_labels(toy(n_accidental=n)[0], options=OPTIONS, rng=np.random.default_rng(0)).accuracy_ceiling
        for n in (1000, 3000, 9000)
    ]
    assert ceilings == sorted(ceilings, reverse=True)


def test_outside_of_the_windows_stays_unknown() -> None:
    found = find_flight_labels(toy()[0], options=OPTIONS, rng=np.random.default_rng(0))
    labels = found.labels(np.array([10.0, FLASH_NS, FLASH_NS + 3.5 * SIGMA_NS, FLASH_NS + 60, 299.0, np.nan]))
    assert labels.tolist() == [-1, 0, -1, 1, -1, -1]


def test_shifted_times_give_the_same_labels() -> None:
    tof_ns = toy()[0]
    here, there = (
        find_flight_labels(tof_ns + shift, options=OPTIONS, rng=np.random.default_rng(0)) for shift in (0.0, -512.0)
    )
    assert np.mean(here.labels(tof_ns) != there.labels(tof_ns - 512.0)) < 2e-3


def test_time_that_runs_backwards_is_noticed() -> None:
    with pytest.raises(DataError, match="runs backwards"):
        find_flight_labels(-toy()[0], options=OPTIONS, rng=np.random.default_rng(0))


def test_spectrum_without_a_flash_is_refused() -> None:
    with pytest.raises(DataError, match="no gamma flash"):
        find_gamma_flash(np.sort(np.random.default_rng(0).uniform(0, 300, 20_000)))


def test_flat_region_over_the_flash_is_refused() -> None:
    options = FlightOptions(flight_path_m=PATH_M, flat_range_ns=(-60.0, 40.0))
    with pytest.raises(DataError, match="holds the gamma flash"):
        find_flight_labels(toy()[0], options=options, rng=np.random.default_rng(0))


def test_flight_path_must_be_positive() -> None:
    with pytest.raises(SettingsError, match="flight path"):
        FlightOptions(flight_path_m=0.0)
