"""The light of a configuration's pulses."""

from __future__ import annotations

from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.sources import LightSpectrum, light_spectrum


def configured_light(config: SimulationConfig, *, neutron: bool) -> LightSpectrum:
    """Return the spectrum of light that a configuration draws one class from."""
    if config.spectrum == "run" and config.own is not None:
        return config.own.light.between(config.energy_min_kevee, config.energy_max_kevee)
    return light_spectrum(
        config.spectrum,
        neutron=neutron,
        range_kevee=(config.energy_min_kevee, config.energy_max_kevee),
        slope_kevee=config.exponential_slope_kevee,
        light_output=config.scintillator.light_output,
    )
