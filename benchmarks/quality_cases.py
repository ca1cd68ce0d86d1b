"""The faults that the benchmark of the watch of signal quality looks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GAIN, NOISE = 3.75, 3.0
"""Of the simulated digitizer: ADC counts a keVee, and ADC counts."""


@dataclass(frozen=True)
class Case:
    """A fault that is looked for.

    Parameters
    ----------
    name : str
        For people.
    fault : str
        What it should be called.
    within : int
        Pulses in which it should be found.
    planted : tuple
        Name, size and options for :func:`~discrimen.simulation.faults.plant`; or none.
    simulated : mapping
        Changes of the simulation.
    """

    name: str
    fault: str
    within: int
    planted: tuple[str, float, Mapping[str, float]] | None = None
    simulated: Mapping[str, Any] = field(default_factory=dict)


def _planted(name: str, fault: str, size: float, label: str, **options: float) -> Case:
    return Case(f"{label}", fault, 1000, planted=(name, size, options))


CASES = (
    _planted("zeroed_samples", "missing_samples", 0.05, "3 samples zeroed in 5 % of the records"),
    _planted("held_samples", "missing_samples", 0.05, "15 samples held in 5 % of the records"),
    _planted("polarity", "polarity", 1.0, "polarity swapped"),
    _planted("polarity", "polarity", 0.05, "polarity swapped in 5 % of the records"),
    _planted("oscillation", "oscillation", 3.0, "oscillation, 3 ADC counts, 13 MHz"),
    _planted("oscillation", "oscillation", 3.0, "oscillation, 3 ADC counts, 2.2 MHz", per_sample=0.022),
    _planted("oscillation", "oscillation", 3.0, "oscillation, 3 ADC counts, 35 MHz", per_sample=0.35),
    _planted("noise", "noise", 0.3, "noise +30 %"),
    _planted("delay", "delay", 2.0, "delay 2 ns"),
    _planted("delay", "delay", -2.0, "delay -2 ns"),
    _planted("slope", "slope", 5.0, "slope 5 ADC counts a record"),
    _planted("slope", "slope", -5.0, "slope -5 ADC counts a record"),
    _planted("baseline", "baseline", 5.0, "baseline +5 ADC counts"),
    _planted("wander", "wander", 10.0, "baseline wander, 10 ADC counts"),
    Case("ADC gain -5 %", "adc_gain", 1000, simulated={"gain_adc_per_kevee": 0.95 * GAIN, "noise_adc": 0.95 * NOISE}),
    Case("ADC gain +5 %", "adc_gain", 1000, simulated={"gain_adc_per_kevee": 1.05 * GAIN, "noise_adc": 1.05 * NOISE}),
    Case("photomultiplier gain -20 %", "sensor_gain", 1000, simulated={"gain_adc_per_kevee": 0.8 * GAIN}),
    Case("photomultiplier gain -10 %", "sensor_gain", 5000, simulated={"gain_adc_per_kevee": 0.9 * GAIN}),
    Case("photomultiplier gain -5 %", "sensor_gain", 20_000, simulated={"gain_adc_per_kevee": 0.95 * GAIN}),
    Case("photomultiplier gain +20 %", "sensor_gain", 1000, simulated={"gain_adc_per_kevee": 1.2 * GAIN}),
    Case("pile-up in 3 % of the records", "pile_up", 1000, simulated={"pileup_fraction": 0.03}),
    Case("no fault: mean light 240 keVee", "other_spectrum", 5000, simulated={"exponential_slope_kevee": 240.0}),
    Case("no fault: 10 % neutrons, not 50", "other_mixture", 5000, simulated={"neutron_fraction": 0.1}),
)
