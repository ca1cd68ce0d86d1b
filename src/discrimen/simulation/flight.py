"""Time of flight: when each particle reaches the detector after the beam pulse or fission that it comes from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.kinematics import light_flight_time_ns, neutron_flight_time_ns
from discrimen.simulation.scintillator import LightOutput
from discrimen.simulation.sources import neutron_density

_NEUTRON_MEV = np.geomspace(0.01, 60.0, 6000)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Flight:
    """The flight of each pulse of one block.

    Parameters
    ----------
    tof_ns : ndarray of float64, shape (pulse,)
        What the digitizer measures: time since the reference, with delay and resolution; NaN beyond the window.
    neutron_energy_mev : ndarray of float32, shape (pulse,)
        Truth: kinetic energy; NaN for gammas.
    is_accidental : ndarray of bool, shape (pulse,)
        Truth: the pulse has nothing to do with its reference.
    """

    tof_ns: NDArray[np.float64]
    neutron_energy_mev: NDArray[np.float32]
    is_accidental: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FlightModel:
    """From class and light to the time of flight.

    Gammas fly at the speed of light: the flash. A neutron flies with its kinetic energy, of which its light shows only
    the recoil of one proton. Elastic scattering of a neutron of energy E gives every recoil from 0 to E with the same
    density 1/E (isotropic in the centre of mass, as n-p scattering is below about 10 MeV; G. F. Knoll, Radiation
    Detection and Measurement, ch. 15). So given a recoil, the density of E is that of the source's neutrons divided by
    E, above the recoil. This is the joint distribution that the light of the sources is drawn from; for a spectrum of
    light without a source (exponential, flat), the neutrons are those of Cf-252.

    Parameters
    ----------
    config : SimulationConfig
        With a flight path.
    light_output : LightOutput
        Of protons.
    energy_mev : ndarray of float64, shape (point,)
        Rising.
    beyond : ndarray of float64, shape (point,)
        Integral of the neutrons' density divided by E, from each energy upwards.
    """

    config: SimulationConfig
    light_output: LightOutput
    energy_mev: NDArray[np.float64]
    beyond: NDArray[np.float64]

    @classmethod
    def of(cls, config: SimulationConfig) -> FlightModel:
        """Tabulate the neutrons of a configuration."""
        density = neutron_density(config.spectrum, _NEUTRON_MEV) / _NEUTRON_MEV
        steps = 0.5 * (density[1:] + density[:-1]) * np.diff(_NEUTRON_MEV)
        beyond = np.append(np.cumsum(steps[::-1])[::-1], 0.0)
        return cls(config=config, light_output=config.scintillator.light_output, energy_mev=_NEUTRON_MEV, beyond=beyond)

    def accidentals(self, n_pulses: int, *, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Draw which pulses belong to no reference; shape (pulse,)."""
        return rng.random(n_pulses) < self.config.accidental_fraction

    def draw(
        self,
        light_kevee: NDArray[np.float64],
        is_neutron: NDArray[np.bool_],
        is_accidental: NDArray[np.bool_],
        offset_ns: NDArray[np.float64],
        *,
        rng: np.random.Generator,
    ) -> Flight:
        """Draw energies of neutrons and measured times.

        Parameters
        ----------
        light_kevee : ndarray of float64, shape (pulse,)
            True light.
        is_neutron, is_accidental : ndarray of bool, shape (pulse,)
            Class, and whether the time says nothing of it.
        offset_ns : ndarray of float64, shape (pulse,)
            Delay of the pulse's channel, beside the one of all.
        rng : numpy.random.Generator
            Source of the numbers.
        """
        config, n_pulses = self.config, len(light_kevee)
        assert config.flight_path_m is not None
        energy = np.full(n_pulses, np.nan)
        energy[is_neutron] = self.neutron_energies_mev(light_kevee[is_neutron], rng=rng)
        flight = np.full(n_pulses, light_flight_time_ns(config.flight_path_m))
        flight[is_neutron] = neutron_flight_time_ns(energy[is_neutron], flight_path_m=config.flight_path_m)
        measured = config.tof_delay_ns + offset_ns + flight + config.time_resolution_ns * rng.standard_normal(n_pulses)
        anywhere = config.tof_window_ns * rng.random(n_pulses)
        tof = np.where(is_accidental, anywhere, measured)
        inside = (tof >= 0) & (tof < config.tof_window_ns)
        return Flight(
            tof_ns=np.where(inside, tof, np.nan),
            neutron_energy_mev=energy.astype(np.float32),
            is_accidental=is_accidental,
        )

    def neutron_energies_mev(
        self, light_kevee: NDArray[np.float64], *, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Draw the kinetic energies of neutrons whose recoil gave this light; same shape, in MeV."""
        recoil = self.light_output.proton_energy_mev(light_kevee)
        at_recoil = np.interp(recoil, self.energy_mev, self.beyond)
        wanted = at_recoil * (1 - rng.random(len(recoil)))
        drawn = np.interp(wanted, self.beyond[::-1], self.energy_mev[::-1])
        # Beyond the end of the source's spectrum the table knows of no faster neutron than the recoil itself.
        return np.maximum(drawn, recoil)
