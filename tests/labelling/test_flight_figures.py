"""What time-of-flight labels show: leakage against the truth of a toy, accidentals counted slice by slice of energy."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.labelling.flight_figures import contamination_by_energy, leakages
from discrimen.labelling.flight_run import FlightTimes, find_run_flight
from discrimen.labelling.time_of_flight import FlightOptions
from discrimen.pulses import Label

OPTIONS = FlightOptions(neutron_window_ns=(8.0, 60.0), accidental_neutron_share=0.0)


def flown(seed: int) -> tuple[FlightTimes, np.ndarray]:
    """Return a list and what is accidental; accidental gammas have a softer spectrum than the prompt ones."""
    rng = np.random.default_rng(seed)
    n_gamma, n_neutron, n_accidental = 4000, 4000, 3000
    tof = np.concatenate(
        [rng.normal(0, 0.7, n_gamma), 10 + rng.gamma(2, 8, n_neutron), rng.uniform(-150, 200, n_accidental)]
    )
    energy = np.concatenate(
        [rng.exponential(600, n_gamma), rng.exponential(400, n_neutron), rng.exponential(120, n_accidental)]
    )
    neutron = np.arange(len(tof)) // n_gamma == 1
    neutron[n_gamma + n_neutron :] = False
    psd = rng.normal(np.where(neutron, 0.3, 0.2), 0.03)
    zero = np.zeros(len(tof), np.int32)
    return FlightTimes(tof_ns=tof, board=zero, channel=zero, energy=energy, psd=psd), neutron


def test_contamination_of_each_slice_covers_the_truth_whatever_the_spectrum_of_accidentals() -> None:
    inside, scaled = [], []
    for seed in range(12):
        times, neutron = flown(seed)
        rng = np.random.default_rng(seed)
        flight = find_run_flight(times, options=OPTIONS, rng=rng)
        labels = flight.labels(times)
        slices = contamination_by_energy(times, flight, rng=rng)
        assert sum(part.n_neutron for part in slices) == (labels == Label.NEUTRON).sum()
        for part in slices:
            assert times.energy is not None
            ours = (labels == Label.NEUTRON) & (times.energy >= part.energy_low) & (times.energy < part.energy_high)
            wrong = float((~neutron[ours]).mean())
            inside.append(part.neutron_low <= wrong <= part.neutron_high)
            # As if accidentals had the spectrum of all others: the contamination of the whole window everywhere.
            whole = flight.found.neutron
            scaled.append(whole.contamination_low <= wrong <= whole.contamination_high)
    assert np.mean(inside) > 0.88
    assert np.mean(scaled) < 0.5, "one contamination for all energies is wrong here: the check can fail"


def test_leakage_is_that_of_the_labelled_pulses() -> None:
    times, _ = flown(0)
    flight = find_run_flight(times, options=OPTIONS, rng=np.random.default_rng(0))
    labels = flight.labels(times)
    found = leakages(times, labels)
    assert set(found) == {"psd"}
    assert times.psd is not None
    cut = np.quantile(times.psd[labels == Label.NEUTRON], 0.05)
    assert found["psd"]["leakage"] == pytest.approx((times.psd[labels == Label.GAMMA] >= cut).mean(), abs=0.01)
    assert found["psd"]["low"] < found["psd"]["leakage"] < found["psd"]["high"]


def test_lists_without_energies_or_figures_have_none_of_it() -> None:
    times, _ = flown(0)
    bare = FlightTimes(tof_ns=times.tof_ns, board=times.board, channel=times.channel)
    flight = find_run_flight(bare, options=OPTIONS, rng=np.random.default_rng(0))
    assert contamination_by_energy(bare, flight, rng=np.random.default_rng(0)) == ()
    assert leakages(bare, flight.labels(bare)) == {}
