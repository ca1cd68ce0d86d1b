"""How often the drift statistic cries for nothing, and which changes it sees in how many pulses.

A linear score of simulated BC501A pulses stands for a network's (any score will do; this one needs no training). False
alarms are counted over clean windows, each set of them with a reference of its own; the power over windows of runs in
which one thing has changed.

Usage: nice -n 15 taskset -c 0 python benchmarks/drift_power.py [--pulses N]
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics.drift import DriftCounts, DriftReference
from discrimen.network.preparation import one_channel
from discrimen.network.prepare import prepare, subtract_baseline
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.simulate import simulate_blocks_with_truth

PREPARATION = one_channel(
    sample_period_ns=10.0, polarity=-1, baseline_start=0, baseline_stop=13, window_start=0, window_length=75
)
SPLIT = {"logit": "peak_adc"}
WINDOWS = (1000, 5000, 20_000)
RATE = 1e-3
CHANGES: dict[str, dict[str, Any]] = {
    "gain -2 %": {"gain_adc_per_kevee": 3.75 * 0.98},
    "gain -5 %": {"gain_adc_per_kevee": 3.75 * 0.95},
    "gain -10 %": {"gain_adc_per_kevee": 3.75 * 0.90},
    "noise +10 %": {"noise_adc": 3.3},
    "noise +50 %": {"noise_adc": 4.5},
    "baseline -1 ADC": {"baseline_adc": 14_999.0},
    "baseline -5 ADC": {"baseline_adc": 14_995.0},
    "45 % neutrons, not 50": {"neutron_fraction": 0.45},
}

Figures = dict[str, NDArray[np.float64]]


def main() -> None:
    """Simulate, count, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pulses", type=int, default=200_000)
    n_pulses = parser.parse_args().pulses
    clean = _figures(n_pulses, seed=1)
    for window in WINDOWS:
        alarms, n_windows = _false_alarms(clean, window)
        print(f"false alarms in windows of {window}: {alarms} of {n_windows}, stated rate {RATE:g}", flush=True)
    reference = DriftReference.of(clean, split=SPLIT)
    for number, (change, options) in enumerate(CHANGES.items()):
        changed = _figures(n_pulses // 2, seed=2 + number, **options)
        told = []
        for window in WINDOWS:
            verdicts = [
                DriftCounts.none(reference).with_pulses(_part(changed, slice(first, first + window))).drift()
                for first in range(0, n_pulses // 2 - window + 1, window)
            ]
            seen = sum(bool(verdict.drifted) for verdict in verdicts)
            told.append(f"{seen / len(verdicts):.0%} of {len(verdicts)} windows of {window}")
        print(f"{change}: {', '.join(told)}", flush=True)


def _false_alarms(clean: Figures, window: int) -> tuple[int, int]:
    """Deal the clean pulses anew into a reference of half of them and windows, until there are 2000 windows or more."""
    rng, n_pulses = np.random.default_rng(7), len(clean["logit"])
    alarms = n_windows = 0
    while n_windows < 2000:
        order = rng.permutation(n_pulses)
        half = n_pulses // 2
        reference = DriftReference.of(_part(clean, order[:half]), split=SPLIT)
        for first in range(half, n_pulses - window + 1, window):
            counts = DriftCounts.none(reference).with_pulses(_part(clean, order[first : first + window]))
            alarms += bool(counts.drift(false_alarm_rate=RATE).drifted)
            n_windows += 1
    return alarms, n_windows


def _part(figures: Figures, rows: slice | NDArray[np.int64]) -> Figures:
    return {name: values[rows] for name, values in figures.items()}


def _figures(n_pulses: int, *, seed: int, **options: Any) -> Figures:
    parts = [
        _of_samples(block.pulses.samples)
        for block in simulate_blocks_with_truth(SimulationConfig(n_pulses=n_pulses, seed=seed, **options))
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _of_samples(samples: NDArray[Any]) -> Figures:
    upright, baseline = subtract_baseline(samples, start=0, stop=PREPARATION.baseline_stop, polarity=-1)
    prepared = prepare(samples, PREPARATION)
    tail = prepared.waveforms[:, 0, 20:50].sum(axis=1, dtype=np.float64)
    return {
        "logit": np.where(prepared.valid, 10 * (tail - 1), np.nan),
        "peak_adc": upright.max(axis=1).astype(np.float64),
        "baseline_adc": baseline.astype(np.float64),
        "noise_adc": upright[:, : PREPARATION.baseline_stop].std(axis=1, dtype=np.float64),
    }


if __name__ == "__main__":
    main()
