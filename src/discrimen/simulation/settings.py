"""The detector settings that describe a simulated run, ready for an analysis of it."""

from __future__ import annotations

import numpy as np

from discrimen.errors import SettingsError
from discrimen.pulses.detector import DetectorSettings, GatesNs, LightCalibration, WindowNs
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.digitizer import CROSSING_FRACTION, Digitizer
from discrimen.simulation.pulse_model import MeanPulseShape

GATE_START_NS = -20.0
SHORT_GATE_END_NS = 30.0
LONG_GATE_END_NS = 150.0
_QUIET_BEFORE_TRIGGER_NS = 15.0


def detector_settings(config: SimulationConfig) -> DetectorSettings:
    """Return sampling period, polarity, pre-trigger, ADC bits, baseline window, gates and calibration.

    The gates part the prompt light from the delayed light well enough to start from; they are not tuned. The
    calibration is that of the long-gate charge of the mean gamma pulse.

    Raises
    ------
    SettingsError
        If the record is too short for the gates.
    """
    digitizer = config.digitizer_as_run
    gates = gates_ns(digitizer)
    return DetectorSettings(
        name=f"{config.name} (simulated)",
        sample_period_ns=digitizer.sample_period_ns,
        polarity=digitizer.polarity,
        pretrigger_ns=digitizer.pretrigger_ns,
        adc_bits=digitizer.adc_bits,
        baseline=_baseline_window(digitizer),
        gates=gates,
        calibration=LightCalibration(
            quantity="long_charge_adc_ns",
            gain_kevee_per_unit=1 / _long_charge_adc_ns_per_kevee(config, gates.long_gate_end_ns),
        ),
    )


def gates_ns(digitizer: Digitizer) -> GatesNs:
    """Return charge-comparison gates that fit the record.

    Raises
    ------
    SettingsError
        If it ends before the short gate.
    """
    room_ns = digitizer.record_ns - digitizer.pretrigger_ns - digitizer.sample_period_ns
    long_end_ns = min(LONG_GATE_END_NS, room_ns)
    if long_end_ns <= SHORT_GATE_END_NS:
        raise SettingsError(
            f"the record must go on for more than {SHORT_GATE_END_NS:g} ns after the trigger, got {room_ns:g} ns: "
            "raise n_samples or lower pretrigger_ns"
        )
    return GatesNs(gate_start_ns=GATE_START_NS, short_gate_end_ns=SHORT_GATE_END_NS, long_gate_end_ns=long_end_ns)


def _baseline_window(digitizer: Digitizer) -> WindowNs | None:
    stop_ns = digitizer.pretrigger_ns - _QUIET_BEFORE_TRIGGER_NS
    n_samples = int(stop_ns // digitizer.sample_period_ns)
    if n_samples < 2:
        return None
    return WindowNs(start_ns=0.0, stop_ns=n_samples * digitizer.sample_period_ns)


def _long_charge_adc_ns_per_kevee(config: SimulationConfig, long_gate_end_ns: float) -> float:
    digitizer = config.digitizer_as_run
    step_ns = 0.05
    time = np.arange(-30.0, long_gate_end_ns + 30.0, step_ns)
    pulse = MeanPulseShape.of(config.scintillator, config.photosensor, digitizer, time).gamma()
    crossing_ns = time[np.argmax(pulse >= CROSSING_FRACTION * pulse.max())]
    inside = (time >= crossing_ns + GATE_START_NS) & (time < crossing_ns + long_gate_end_ns)
    return float(digitizer.gain_adc_per_kevee * pulse[inside].sum() * step_ns / pulse.max())
