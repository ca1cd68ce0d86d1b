"""From what was measured and fitted to a detector file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.detector_fit.front_end import ShapeFit
from discrimen.detector_fit.measure import Measured
from discrimen.detector_fit.records import Records
from discrimen.errors import DataError
from discrimen.pulses.detector import DetectorSettings, LightCalibration, WindowNs
from discrimen.simulation.detector_file import DetectorFile, SimulationSection
from discrimen.simulation.digitizer import Digitizer
from discrimen.simulation.settings import gates_ns

RELATIVE_MEDIAN_KEVEE = 300.0
"""Without a calibration the median height is said to be this light."""

MOST_SAMPLES = 4096
_FEW_PULSES = 200
_LOWER, _HIGHER = 0.7, 1.4
_LIGHT_POINTS = 65
_LEAST_KEVEE, _MOST_KEVEE = 10.0, 19_000.0
_HIGHEST_SUM = 65535
_SIGNIFICANT = 6


def gain_of(measured: Measured, records: Records, told_adc_per_kevee: float | None) -> tuple[float, bool]:
    """Return the peak height of 1 keVee in ADC counts, and whether it is only relative."""
    if told_adc_per_kevee is not None:
        return told_adc_per_kevee, False
    known = _calibrated_gain(measured, records.settings)
    if known is not None:
        return known, False
    return float(np.median(measured.heights_adc)) / RELATIVE_MEDIAN_KEVEE, True


def light_of(heights_adc: NDArray[np.float64], gain_adc_per_kevee: float) -> float:
    """Return the light that a mean pulse stands for, in keVee: the mean weighted with the height itself."""
    weighted = float((heights_adc**2).sum() / heights_adc.sum())
    return float(np.clip(weighted / gain_adc_per_kevee, _LEAST_KEVEE, _MOST_KEVEE))


def _calibrated_gain(measured: Measured, settings: DetectorSettings) -> float | None:
    calibration: LightCalibration | None = settings.calibration
    kevee_per_unit = None if calibration is None else calibration.gain_kevee_per_unit
    if calibration is None or kevee_per_unit is None:
        return None
    if calibration.quantity == "peak_adc":
        return 1 / kevee_per_unit
    if calibration.quantity == "long_charge_adc_ns" and settings.gates is not None:
        traces, period = measured.traces, measured.sample_period_ns
        time_ns = (np.arange(traces.waves_adc.shape[1]) - traces.crossing[:, None]) * period
        inside = (time_ns >= settings.gates.gate_start_ns) & (time_ns < settings.gates.long_gate_end_ns)
        charge = np.where(inside, traces.waves_adc, 0).sum(axis=1)[traces.clean] * period
        return float(np.median(measured.heights_adc / charge)) / kevee_per_unit
    return None


def detector_file(
    measured: Measured, shape: ShapeFit, records: Records, *, gain_adc_per_kevee: float | None
) -> DetectorFile:
    """Return a detector file with the pre-trigger as the crossings have it, without jitter and pile-up.

    Raises
    ------
    DataError
        If the records are longer than the simulator makes them.
    """
    n_samples, period = records.samples.shape[1], measured.sample_period_ns
    if n_samples > MOST_SAMPLES:
        raise DataError(f"records of {n_samples} samples; the simulator makes {MOST_SAMPLES} at most")
    gain, relative = gain_of(measured, records, gain_adc_per_kevee)
    trigger = measured.trigger
    section = {
        "scintillator": shape.scintillator.name,
        "gamma_tail": shape.tails[0],
        "neutron_tail": shape.tails[1],
        "front_end": _front_end(shape),
        "n_samples": n_samples,
        "baseline_adc": measured.noise.baseline_adc,
        "baseline_spread_adc": measured.noise.baseline_spread_adc,
        "noise_adc": measured.noise.sigma_adc,
        "noise_power": measured.noise.power.tolist() if measured.noise.is_coloured else [],
        "adc_step": measured.adc_step,
        "gain_adc_per_kevee": gain,
        "gain_is_relative": relative,
        "light": _light(measured.heights_adc / gain),
        "trigger": "constant_fraction" if trigger.threshold_adc is None else "leading_edge",
        "threshold_adc": 1.0 if trigger.threshold_adc is None else trigger.threshold_adc,
        "charge_divisor": max(1, 2 ** math.ceil(math.log2(2**measured.adc_bits * 60 / period / _HIGHEST_SUM))),
    }
    # The crossings scatter by one period, the phase of the clock.
    pretrigger_ns = max((trigger.mean - 0.5) * period, 0.0)
    settings = records.settings.model_copy(
        update={
            "name": f"{shape.scintillator.name}, like {', '.join(Path(source).name for source in records.sources)}",
            "polarity": measured.polarity,
            "pretrigger_ns": round(pretrigger_ns, 4),
            "adc_bits": measured.adc_bits,
            "baseline": WindowNs(start_ns=0.0, stop_ns=measured.traces.baseline_stop * period),
        }
    )
    file = DetectorFile(settings=settings, simulation=SimulationSection.model_validate(_rounded(section)))
    return file if settings.gates else _with_gates(file)


def _front_end(shape: ShapeFit) -> dict[str, Any]:
    front_end = shape.front_end
    ringing = front_end.ringing
    return {
        "time_constant_ns": front_end.time_constant_ns,
        "second_time_constant_ns": front_end.second_time_constant_ns,
        "sigma_ns": front_end.sigma_ns,
        "ringing": None
        if ringing is None
        else {
            "cosine_per_ns": ringing.cosine_per_ns,
            "sine_per_ns": ringing.sine_per_ns,
            "decay_ns": ringing.decay_ns,
            "period_ns": ringing.period_ns,
        },
    }


def _light(light_kevee: NDArray[np.float64]) -> dict[str, list[float]]:
    """Return the spectrum as a table; of few pulses a flat one that covers them with room on both sides."""
    inside = np.clip(light_kevee, _LEAST_KEVEE, _MOST_KEVEE)
    if len(inside) < _FEW_PULSES:
        low, high = max(_LOWER * inside.min(), _LEAST_KEVEE), min(_HIGHER * inside.max(), _MOST_KEVEE)
        return {"kevee": [float(low), float(high)], "cumulative": [0.0, 1.0]}
    cumulative = np.linspace(0, 1, _LIGHT_POINTS)
    kevee, first = np.unique(np.round(np.quantile(inside, cumulative), 3), return_index=True)
    shares = cumulative[first]
    shares[-1] = 1.0
    return {"kevee": kevee.tolist(), "cumulative": shares.tolist()}


def _with_gates(file: DetectorFile) -> DetectorFile:
    digitizer: Digitizer = file.config(1).digitizer_as_run
    return file.model_copy(update={"settings": file.settings.merged(gates=gates_ns(digitizer))})


def _rounded(value: Any) -> Any:
    """Keep as many digits as anybody can read."""
    if isinstance(value, float):
        return float(f"{value:.{_SIGNIFICANT}g}")
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value
