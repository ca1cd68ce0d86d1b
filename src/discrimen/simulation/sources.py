"""Energy spectra: how much light the pulses of each class give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.simulation.scintillator import LightOutput

SpectrumName = Literal["exponential", "flat", "Cf-252", "AmBe", "Co-60", "Cs-137", "Na-22", "run"]
SPECTRA: tuple[str, ...] = get_args(SpectrumName)

GAMMA_LINES_KEV: Mapping[str, tuple[float, ...]] = {
    "Co-60": (1173.2, 1332.5),
    "Cs-137": (661.7,),
    "Na-22": (511.0, 511.0, 1274.5),
    "AmBe": (4438.0,),
}
"""Gamma lines in keV, of equal intensity; each positron of Na-22 gives two. AmBe: the first excited state of C-12; the
60 keV of Am-241 is shielded."""

ELECTRON_MASS_KEV = 511.0
CF252_WATT_A_MEV, CF252_WATT_B_PER_MEV = 1.18, 1.03419
"""Watt spectrum exp(-E/a) sinh(sqrt(b E)) of Cf-252 (the values of the MCNP manual; mean 2.13 MeV)."""
CF252_GAMMA_MEAN_KEV = 900.0
"""Prompt fission gammas of Cf-252 as one exponential of about this mean: a simplification."""

# fmt: off
_AMBE_MEV = (
    0.1, 0.125, 0.158, 0.199, 0.251, 0.316, 0.398, 0.501, 0.63, 0.794, 1.0,
    1.25, 1.58, 1.99, 2.51, 3.16, 3.98, 5.01, 6.3, 7.94, 10.0,
)
_AMBE_PER_LETHARGY = (
    0.0166, 0.0221, 0.0287, 0.0367, 0.0465, 0.0577, 0.0706, 0.0848, 0.0961, 0.106, 0.118,
    0.127, 0.181, 0.243, 0.421, 0.571, 0.686, 0.65, 0.578, 0.166, 0.0172,
)
# fmt: on

_NEUTRON_MEV = np.linspace(0.01, 20.0, 4000)


@dataclass(frozen=True, slots=True, eq=False)
class LightSpectrum:
    """A distribution of light, as a table of its cumulative probability.

    Parameters
    ----------
    light_kevee : ndarray of float64, shape (point,)
        Rising.
    cumulative : ndarray of float64, shape (point,)
        From 0 to 1; linear in between.
    """

    light_kevee: NDArray[np.float64]
    cumulative: NDArray[np.float64]

    def draw(self, n_pulses: int, *, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw the light of this many pulses, in keVee; shape (pulse,)."""
        return np.interp(rng.random(n_pulses), self.cumulative, self.light_kevee)

    def density(self, light_kevee: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability density at some light, in 1/keVee; same shape, 0 outside."""
        at = np.searchsorted(self.light_kevee, light_kevee, side="right")
        slopes = np.concatenate([[0.0], np.diff(self.cumulative) / np.diff(self.light_kevee), [0.0]])
        return np.asarray(slopes[at])

    def between(self, low_kevee: float, high_kevee: float) -> LightSpectrum:
        """Return what lies between two limits.

        Raises
        ------
        SettingsError
            If nothing does.
        """
        light = np.unique(np.clip(self.light_kevee, low_kevee, high_kevee))
        cumulative = np.interp(light, self.light_kevee, self.cumulative)
        return _cut(light, cumulative, "the run of the detector file", (low_kevee, high_kevee))


def light_spectrum(
    name: SpectrumName,
    *,
    neutron: bool,
    range_kevee: tuple[float, float],
    slope_kevee: float,
    light_output: LightOutput,
) -> LightSpectrum:
    """Return the spectrum of light of one class between two limits.

    Flat and exponential are the same for both classes. From a source, a gamma scatters once (Compton continuum after
    Klein and Nishina) and a neutron once on hydrogen (recoil energies uniform up to the neutron's: scattering is
    isotropic in the centre of mass), with equal probability at all energies; multiple scattering, carbon, walls and
    the resolution of the light collection are left out.

    Parameters
    ----------
    name : str
        One of :data:`SPECTRA`.
    neutron : bool
        Class.
    range_kevee : tuple of float
        Lowest and highest light; the rest of the spectrum is cut off.
    slope_kevee : float
        Mean of the exponential before the cut.
    light_output : LightOutput
        Of protons.

    Raises
    ------
    SettingsError
        If the source has no light of this class in this range.
    """
    low, high = range_kevee
    if name == "flat":
        return LightSpectrum(np.array([low, high]), np.array([0.0, 1.0]))
    if name == "exponential":
        light = np.linspace(low, high, 4000)
        return _cut(light, -np.expm1(-(light - low) / slope_kevee), name, range_kevee)
    light, cumulative = _neutron_light(name, light_output) if neutron else _gamma_light(name)
    inside = np.linspace(low, high, 4000)
    return _cut(inside, np.interp(inside, light, cumulative), name, range_kevee)


def has_neutrons(name: SpectrumName) -> bool:
    """Tell whether this spectrum has neutrons."""
    return name not in ("Co-60", "Cs-137", "Na-22")


def cf252_neutron_density(energy_mev: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Watt spectrum of Cf-252, not normalised; same shape."""
    density: NDArray[np.float64] = np.exp(-energy_mev / CF252_WATT_A_MEV)
    density *= np.sinh(np.sqrt(CF252_WATT_B_PER_MEV * energy_mev))
    return density


def ambe_neutron_density(energy_mev: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ISO 8529 spectrum of AmBe, not normalised; same shape.

    From a tabulation per unit lethargy (IAEA TRS-403, table 4.V, column Am-Be, 0.1-10 MeV), interpolated in log
    energy; nothing outside. Its mean is 3.5 MeV, lower than the 4.2 MeV that is often quoted for the source: the
    values were taken from a transcription, not from the report itself.
    """
    per_lethargy = np.interp(np.log(energy_mev), np.log(_AMBE_MEV), _AMBE_PER_LETHARGY, left=0.0, right=0.0)
    return per_lethargy / energy_mev


_NEUTRON_DENSITY: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "Cf-252": cf252_neutron_density,
    "AmBe": ambe_neutron_density,
}


def neutron_density(name: SpectrumName, energy_mev: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the spectrum of a source's neutrons, not normalised; same shape. Without a source, that of Cf-252."""
    return _NEUTRON_DENSITY.get(name, cf252_neutron_density)(energy_mev)


def recoil_density(energy_mev: NDArray[np.float64], neutron_density: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the density of proton recoils on an even grid of energies from that of the neutrons; same shape.

    A neutron of energy E gives every recoil from 0 to E with density 1/E.
    """
    share = neutron_density / energy_mev
    density: NDArray[np.float64] = np.cumsum(share[::-1])[::-1] * (energy_mev[1] - energy_mev[0])
    return density


def compton_density(electron_kev: NDArray[np.float64], gamma_kev: float) -> NDArray[np.float64]:
    """Return the density of Compton electrons of one gamma energy after Klein and Nishina, not normalised; same shape.

    dsigma/dT with s = T/E, a = E/mc2: 2 + s^2/(a^2 (1-s)^2) + s/(1-s) (s - 2/a), up to the edge 2 a E/(1 + 2 a).
    """
    a = gamma_kev / ELECTRON_MASS_KEV
    s = np.minimum(electron_kev / gamma_kev, 0.999)
    density = 2 + s**2 / (a * (1 - s)) ** 2 + s / (1 - s) * (s - 2 / a)
    edge = gamma_kev * 2 * a / (1 + 2 * a)
    return np.where(electron_kev <= edge, density / gamma_kev**2, 0.0)


def _gamma_light(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if name == "Cf-252":
        gammas = np.linspace(150.0, 8000.0, 160)
        weights = np.exp(-gammas / CF252_GAMMA_MEAN_KEV)
    else:
        gammas = np.array(GAMMA_LINES_KEV[name])
        weights = np.ones(len(gammas))
    light = np.linspace(0.0, gammas.max(), 6000)
    density = np.sum([w * compton_density(light, g) for g, w in zip(gammas, weights, strict=True)], axis=0)
    return light, np.cumsum(density) / density.sum()


def _neutron_light(name: str, light_output: LightOutput) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    recoils = recoil_density(_NEUTRON_MEV, _NEUTRON_DENSITY[name](_NEUTRON_MEV))
    # The light of the slowest recoils is not known; it lies far below any threshold.
    light = np.maximum.accumulate(light_output.light_kevee(_NEUTRON_MEV))
    return light, np.cumsum(recoils) / recoils.sum()


def _cut(
    light: NDArray[np.float64], cumulative: NDArray[np.float64], name: str, range_kevee: tuple[float, float]
) -> LightSpectrum:
    span = cumulative[-1] - cumulative[0]
    if not span > 0:
        raise SettingsError(
            f"{name} gives no light between {range_kevee[0]:g} and {range_kevee[1]:g} keVee: lower energy_min_kevee"
        )
    return LightSpectrum(light, (cumulative - cumulative[0]) / span)
