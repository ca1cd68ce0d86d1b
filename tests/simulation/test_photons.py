from __future__ import annotations

import numpy as np
import pytest

from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.photons import PhotonModel
from discrimen.simulation.photosensor import PHOTOMULTIPLIER, Photosensor, arrival_cell_edges, arrival_probabilities
from discrimen.simulation.pulse_model import build_pulse_model
from discrimen.simulation.scintillator import DETECTORS

FEW = SimulationConfig(n_pulses=1, photoelectrons_per_kev=0.08)


@pytest.fixture(scope="module")
def few_photons() -> PhotonModel:
    """So few photoelectrons that the two classes overlap."""
    return build_pulse_model(FEW).photons


def draw(model: PhotonModel, n_pulses: int, *, neutron: bool, light_kevee: float = 60.0, seed: int = 1):
    light = np.full(n_pulses, light_kevee)
    return model.draw(light, np.full(n_pulses, neutron), rng=np.random.default_rng(seed))


def test_arrival_probabilities_follow_the_decay() -> None:
    edges = np.array([-5.0, 20.0, 40.0, 60.0, 1e5])
    row = arrival_probabilities(edges, (30.0,), transit_time_spread_ns=0.5)[0]
    np.testing.assert_allclose(row.sum(), 1.0, rtol=1e-9)
    smear = np.exp(0.5 * (0.5 / 30) ** 2)
    np.testing.assert_allclose(row[1], smear * (np.exp(-20 / 30) - np.exp(-40 / 30)), rtol=1e-6)


def test_cells_grow_but_not_beyond_their_limit() -> None:
    edges = arrival_cell_edges(stop_ns=600, transit_time_spread_ns=0.8, coarsest_cell_ns=5.0)
    widths = np.diff(edges)
    assert widths.min() == pytest.approx(0.25)
    assert widths.max() == pytest.approx(5.0)
    assert (np.diff(widths) > -1e-9).all()
    assert edges[-1] >= 600


@pytest.mark.parametrize("neutron", [False, True])
def test_the_mean_number_follows_the_light(neutron: bool) -> None:
    model = build_pulse_model(SimulationConfig(n_pulses=1)).photons
    counts, _ = draw(model, 2000, neutron=neutron, light_kevee=200.0)
    seen = 340 * (model.neutron_cells if neutron else model.gamma_cells).sum(axis=1)
    shares = model.scintillator.neutron_shares(np.array([200.0]))[0] if neutron else model.scintillator.gamma_shares()
    total = counts.sum(axis=1)
    assert total.mean() == pytest.approx(float(seen @ shares), abs=5 * np.sqrt(340 / 2000))
    assert total.var() == pytest.approx(total.mean(), rel=0.15)


def test_charges_have_the_mean_and_spread_of_their_number() -> None:
    charges = Photosensor(transit_time_spread_ns=1.0, single_electron_sigma_ns=1.0, charge_spread=0.4).charges(
        np.full(100_000, 4), rng=np.random.default_rng(1)
    )
    assert charges.mean() == pytest.approx(4, rel=0.01)
    assert charges.std() == pytest.approx(0.4 * 2, rel=0.02)


def test_empty_cells_hold_no_charge() -> None:
    counts = np.array([[0, 3, 0, 1]])
    assert (PHOTOMULTIPLIER.charges(counts, rng=np.random.default_rng(1))[counts == 0] == 0).all()


def test_without_spread_the_charge_is_the_number() -> None:
    exact = Photosensor(transit_time_spread_ns=1.0, single_electron_sigma_ns=1.0, charge_spread=0.0)
    np.testing.assert_array_equal(exact.charges(np.arange(5), rng=np.random.default_rng(1)), np.arange(5))


def test_the_likelihood_ratio_has_unit_mean_under_gamma(few_photons: PhotonModel) -> None:
    _, ratio = draw(few_photons, 40_000, neutron=False, light_kevee=35.0)
    likelihood = np.exp(ratio)
    assert likelihood.mean() == pytest.approx(1.0, abs=5 * likelihood.std() / np.sqrt(len(likelihood)))
    assert likelihood.std() / np.sqrt(len(likelihood)) < 0.03


def test_the_likelihood_ratio_is_calibrated(few_photons: PhotonModel) -> None:
    _, gamma = draw(few_photons, 40_000, neutron=False, seed=1)
    _, neutron = draw(few_photons, 40_000, neutron=True, seed=2)
    for low, high in ((-1.0, -0.5), (-0.5, 0.5), (0.5, 1.5), (1.5, 3.0)):
        inside_g, inside_n = (part[(part > low) & (part < high)] for part in (gamma, neutron))
        both = np.concatenate([inside_g, inside_n])
        assert len(both) > 500
        share = len(inside_n) / len(both)
        expected = (1 / (1 + np.exp(-both))).mean()
        assert share == pytest.approx(expected, abs=5 * np.sqrt(0.25 / len(both)))


def test_the_likelihood_ratio_is_that_of_poisson_numbers(few_photons: PhotonModel) -> None:
    light = np.array([45.0])
    counts, ratio = few_photons.draw(light, np.array([True]), rng=np.random.default_rng(5))
    scintillator = few_photons.scintillator
    yield_ = 0.08 * 45.0
    neutron = yield_ * (scintillator.neutron_shares(light)[0] @ few_photons.neutron_cells)
    gamma = yield_ * (scintillator.gamma_shares() @ few_photons.gamma_cells)
    exact = (counts[0] * np.log(neutron / gamma)).sum() - (neutron.sum() - gamma.sum())
    assert ratio[0] == pytest.approx(exact, rel=1e-4)
    np.testing.assert_allclose(few_photons.log_likelihood_ratio(light, counts), ratio)


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_separates(name: str) -> None:
    model = build_pulse_model(SimulationConfig(n_pulses=1, detector=name)).photons
    _, gamma = draw(model, 500, neutron=False, light_kevee=300.0)
    _, neutron = draw(model, 500, neutron=True, light_kevee=300.0)
    assert gamma.mean() < -5
    assert neutron.mean() > 5
