"""Simulate with what was fitted, measure that alike, and correct by what differs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.detector_fit.measure import Measured
from discrimen.detector_fit.traces import Traces, second_pulses, trace
from discrimen.detector_fit.trigger import Phases, measure_trigger
from discrimen.simulation.detector_file import DetectorFile
from discrimen.simulation.simulate import simulate

_N_PULSES = 4000
_LEAST_POWER = 0.1
_PILED_UP = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class PileUpFit:
    """Share of records with a second pulse.

    Parameters
    ----------
    share, error : float
        Corrected for what is not seen and what is seen wrongly.
    seen_of_real, seen_of_none : float
        Share that is seen of simulated second pulses, and of single ones.
    """

    share: float
    error: float
    seen_of_real: float
    seen_of_none: float


def with_simulation(file: DetectorFile, **changes: object) -> DetectorFile:
    """Return a detector file with some values of its section `simulation` changed."""
    return file.model_copy(update={"simulation": file.simulation.model_copy(update=changes)})


def correct_trigger(
    file: DetectorFile, measured: Measured, *, phases: Phases, seed: int
) -> tuple[DetectorFile, NDArray[np.float64]]:
    """Correct pre-trigger and jitter by the crossings of simulated pulses; return their heights too."""
    simulated, period = simulated_traces(file, measured, seed=seed), measured.sample_period_ns
    run, seen = (
        measure_trigger(traces, threshold_adc=measured.trigger.threshold_adc, phases=phases)
        for traces in (measured.traces, simulated)
    )
    pretrigger_ns = (file.settings.pretrigger_ns or 0.0) + (run.mean - seen.mean) * period
    more = run.spread**2 - seen.spread**2
    settings = file.settings.merged(pretrigger_ns=round(max(pretrigger_ns, 0.0), 4))
    corrected = with_simulation(file, trigger_jitter_ns=round(float(np.sqrt(max(more, 0.0))) * period, 4))
    return corrected.model_copy(update={"settings": settings}), simulated.height_adc[simulated.clean]


def fit_pile_up(file: DetectorFile, measured: Measured, *, seed: int) -> PileUpFit | None:
    """Return the share of records with a second pulse; None where too few of them would be seen."""
    alone, piled = (_seen(file, measured, fraction, seed=seed) for fraction in (0.0, _PILED_UP))
    power = (piled - alone) / _PILED_UP
    if power < _LEAST_POWER:
        return None
    seen = measured.second_share
    share = float(np.clip((seen - alone) / power, 0, 1))
    of_run = max(seen * (1 - seen), 1 / measured.n_single) / measured.n_single
    of_simulated = (piled * (1 - piled) + alone * (1 - alone)) / _N_PULSES * (share / _PILED_UP) ** 2
    return PileUpFit(
        share=share,
        error=float(np.sqrt(of_run + of_simulated) / power),
        seen_of_real=power + alone,
        seen_of_none=alone,
    )


def _seen(file: DetectorFile, measured: Measured, fraction: float, *, seed: int) -> float:
    traces = simulated_traces(file, measured, seed=seed, pileup_fraction=fraction)
    return float(second_pulses(traces)[traces.clean].mean())


def simulated_traces(file: DetectorFile, measured: Measured, *, seed: int, pileup_fraction: float = 0.0) -> Traces:
    """Simulate a detector file and measure its records as those of the run were."""
    pulses = simulate(file.config(_N_PULSES, seed=seed, pileup_fraction=pileup_fraction))
    return trace(pulses.samples, sign=measured.sign, highest_adc=2**measured.adc_bits - 1)
