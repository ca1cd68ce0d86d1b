from __future__ import annotations

import numpy as np
import pytest

from discrimen.errors import SettingsError
from discrimen.simulation.scintillator import DETECTORS
from discrimen.simulation.sources import (
    LightSpectrum,
    SpectrumName,
    ambe_neutron_density,
    cf252_neutron_density,
    compton_density,
    light_spectrum,
    recoil_density,
)

ENERGY_MEV = np.linspace(0.005, 20, 4000)


def spectrum(
    name: SpectrumName, *, neutron: bool = False, low: float = 30, high: float = 2000, slope: float = 300
) -> LightSpectrum:
    output = DETECTORS["BC501A"].light_output
    return light_spectrum(name, neutron=neutron, range_kevee=(low, high), slope_kevee=slope, light_output=output)


def mean_mev(density: np.ndarray) -> float:
    return float((ENERGY_MEV * density).sum() / density.sum())


def test_flat_is_flat() -> None:
    light = spectrum("flat").draw(50_000, rng=np.random.default_rng(1))
    counts, _ = np.histogram(light, bins=10, range=(30, 2000))
    assert np.abs(counts - 5000).max() < 5 * np.sqrt(5000)


def test_exponential_has_its_slope_and_limits() -> None:
    light = spectrum("exponential", high=20_000).draw(50_000, rng=np.random.default_rng(1))
    assert light.min() >= 30
    assert light.mean() == pytest.approx(330, abs=8)


def test_both_classes_share_the_benchmark_spectra() -> None:
    for name in ("flat", "exponential"):
        gamma, neutron = (spectrum(name, neutron=which) for which in (False, True))
        np.testing.assert_array_equal(gamma.cumulative, neutron.cumulative)


def test_mean_neutron_energies_of_the_sources() -> None:
    assert mean_mev(cf252_neutron_density(ENERGY_MEV)) == pytest.approx(2.13, abs=0.02)
    assert mean_mev(ambe_neutron_density(ENERGY_MEV)) == pytest.approx(3.54, abs=0.02)


def test_one_neutron_energy_gives_flat_recoils() -> None:
    neutrons = np.zeros(len(ENERGY_MEV))
    neutrons[1000] = 1.0
    recoils = recoil_density(ENERGY_MEV, neutrons)
    np.testing.assert_allclose(recoils[:1001], recoils[0])
    assert (recoils[1001:] == 0).all()


def test_a_fast_neutron_spreads_its_recoils_thinner() -> None:
    neutrons = np.zeros(len(ENERGY_MEV))
    neutrons[[500, 2000]] = 1.0
    recoils = recoil_density(ENERGY_MEV, neutrons)
    assert recoils[0] / recoils[1000] == pytest.approx(1 + ENERGY_MEV[2000] / ENERGY_MEV[500])


def test_klein_nishina_is_symmetric_at_low_energy() -> None:
    # Thomson limit: the density is proportional to 1 + cos^2 of the angle, with cos = 1 - 2 T / T_edge.
    gamma_kev = 0.5
    edge = gamma_kev * 2 * (gamma_kev / 511) / (1 + 2 * gamma_kev / 511)
    electron = np.linspace(0, 0.999 * edge, 50)
    cosine = 1 - 2 * electron / edge
    density = compton_density(electron, gamma_kev)
    np.testing.assert_allclose(density / density[0], (1 + cosine**2) / 2, rtol=0.01)


@pytest.mark.parametrize(("name", "edge_kev"), [("Cs-137", 477.3), ("Co-60", 1118.1)])
def test_compton_continua_end_at_their_edges(name: SpectrumName, edge_kev: float) -> None:
    light = spectrum(name).draw(100_000, rng=np.random.default_rng(2))
    assert light.max() == pytest.approx(edge_kev, rel=3e-3)


def test_californium_is_softer_than_americium_beryllium() -> None:
    rng = np.random.default_rng(3)
    cf, ambe = (spectrum(name, neutron=True, high=5000).draw(20_000, rng=rng) for name in ("Cf-252", "AmBe"))
    assert cf.mean() < 0.7 * ambe.mean()


def test_a_range_above_the_source_is_refused() -> None:
    with pytest.raises(SettingsError, match="Cs-137 gives no light between 600"):
        spectrum("Cs-137", low=600)
