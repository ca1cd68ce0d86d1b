from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discrimen.errors import SettingsError
from discrimen.simulation.photons import PhotonModel
from discrimen.simulation.scintillator import (
    DETECTORS,
    WELDON_PROTON_ENERGY_MEV,
    WELDON_TAIL_FRACTION,
    relative_tail,
)

names = pytest.mark.parametrize("name", DETECTORS)


@names
def test_light_output_rises_and_is_less_than_the_energy(name: str) -> None:
    energy_mev = np.linspace(0.3, 20, 500)
    light = DETECTORS[name].light_output.light_kevee(energy_mev)
    assert (np.diff(light) > 0).all()
    assert (light < 1000 * energy_mev).all()
    assert (light > 0).all()


@given(st.sampled_from(sorted(DETECTORS)), st.floats(30, 10_000))
def test_proton_energy_inverts_the_light_output(name: str, light_kevee: float) -> None:
    output = DETECTORS[name].light_output
    back = output.light_kevee(output.proton_energy_mev(np.array([light_kevee])))
    np.testing.assert_allclose(back, light_kevee, rtol=1e-3)


def test_light_output_of_ne213_is_that_of_cecil() -> None:
    light = DETECTORS["BC501A"].light_output.light_kevee(np.array([2.0]))
    assert light[0] == pytest.approx(1000 * (0.83 * 2 - 2.82 * (1 - np.exp(-0.25 * 2**0.93))))


def test_light_beyond_the_table_is_refused_with_the_limits() -> None:
    with pytest.raises(SettingsError, match=r"within 0\.00379\.\.4\.698e\+04 keVee, got 0\.001"):
        DETECTORS["BC501A"].light_output.proton_energy_mev(np.array([0.001]))


@names
def test_shares_sum_to_one_and_are_not_negative(name: str) -> None:
    detector = DETECTORS[name]
    shares = detector.neutron_shares(np.geomspace(30, 5000, 50))
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert detector.gamma_shares().sum() == pytest.approx(1)
    assert (shares >= 0).all()
    assert (detector.gamma_shares() >= 0).all()


@names
def test_the_neutron_tail_is_larger_than_the_gamma_tail(name: str) -> None:
    detector = DETECTORS[name]
    assert (detector.neutron_shares(np.geomspace(30, 5000, 50))[:, 2] > detector.gamma_shares()[2]).all()
    assert (detector.neutron_shares(np.geomspace(30, 5000, 50))[:, 0] < detector.gamma_shares()[0]).all()


def test_the_tail_of_stilbene_is_the_measured_one() -> None:
    stilbene = DETECTORS["stilbene"]
    light = stilbene.light_output.light_kevee(np.array(WELDON_PROTON_ENERGY_MEV))
    delayed = 1 - stilbene.neutron_shares(light)[:, 0]
    np.testing.assert_allclose(delayed, WELDON_TAIL_FRACTION, rtol=1e-3)


def test_the_tail_depends_on_the_proton_energy() -> None:
    tail = relative_tail(np.array([0.1, 1.33, 2.0, 10.0, 50.0]))
    assert tail[2] == pytest.approx(1.0)
    assert tail[1] > tail[0]
    assert tail[3] == tail[4] < 0.8


@names
def test_the_gamma_tail_rises_below_300_kevee_where_it_is_asked_to(name: str) -> None:
    rising = replace(DETECTORS[name], gamma_tail_rise=0.1)
    shares = rising.gamma_shares(np.array([2000.0, 300.0, 300 / np.e, 300 / np.e**2]))
    delayed = (1 - shares[:, 0]) / (1 - DETECTORS[name].gamma_shares()[0])
    np.testing.assert_allclose(delayed, [1, 1, 1.1, 1.2])
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def photon_leakage(name: str) -> float:
    """Share of gammas of 40 keVee above 95 % of the neutrons, by photon arrival times at the cathode."""
    detector, rng, n_pulses = DETECTORS[name], np.random.default_rng(8), 40_000
    edges = np.concatenate([np.arange(-4.0, 40.0, 0.5), np.geomspace(40.0, 600.0, 60)])
    photons = PhotonModel.of(detector, edges, transit_time_spread_ns=0.8)
    is_neutron = np.arange(n_pulses) % 2 == 1
    _, ratio = photons.draw(np.full(n_pulses, 40.0), is_neutron, rng=rng)
    return float((ratio[~is_neutron] >= np.quantile(ratio[is_neutron], 0.05)).mean())


def test_stilbene_parts_best_then_ej301_then_ej309_then_the_plastic() -> None:
    leaked = [photon_leakage(name) for name in ("stilbene", "EJ-301", "EJ-309", "EJ-276")]
    assert leaked == sorted(leaked)
    assert leaked[0] < 0.85 * leaked[2]


def test_ej301_is_bc501a() -> None:
    assert DETECTORS["EJ-301"] is DETECTORS["BC501A"]
