"""The bound of the record: what the likelihood ratio of the samples leaks, which no classifier of them can beat.

Simulated BC501A with NUMEXO2 (75 samples of 10 ns), the pulses of a range of true light from the run that
`benchmarks/methods.py` judges by; the prior of the light is the spectrum within the range. Printed are gamma leakage at
95 % neutron efficiency, counted and weighted (each pulse counts as neutron and as gamma by its own probability, which
spares the noise of counting labels where the ratio is right), the photon-level bound of the same pulses, and what tells
whether the ratio is right: whether it is calibrated, its second order and, for some pulses, how far the saddlepoint
lies from Markov chains that draw every photoelectron (`record_chains.py`), two for each pulse.

    python benchmarks/record_bound.py [--range 50-100] [--n-pulses 40000] [--n-chains 100] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from discrimen.metrics import EnergyBin, Leakage, leakage_at_efficiency
from discrimen.pulses import Label, Pulses, concatenate
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.record_likelihood import record_log_ratio
from discrimen.simulation.record_model import RecordModel
from discrimen.simulation.simulate import simulate_blocks
from record_chains import chain_log_ratios

EFFICIENCY = 0.95
TEST_RUN = SimulationConfig(n_pulses=600_000, seed=602)
_BLOCK_PULSES = 250
_N_BOOTSTRAP = 400
_UNSURE = 6.0
"""Log ratios that are compared with chains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighted:
    """Leakage by the probabilities of the pulses, with the standard error of a bootstrap."""

    leakage: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Logit of a neutron = intercept + slope x log ratio, fitted to the labels; 0 and 1 where the ratio is right."""

    intercept: float
    intercept_error: float
    slope: float
    slope_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chains:
    """How far the log ratio lies from that of Markov chains, for pulses that may be either.

    Parameters
    ----------
    n_pulses : int
        How many were compared.
    mean, mean_error : float
        Of log ratio minus chains.
    rms : float
        Of the same around its mean.
    chain_error : float
        Standard error of the mean of two chains, from their differences.
    """

    n_pulses: int
    mean: float
    mean_error: float
    rms: float
    chain_error: float


def pulses_of(energy: EnergyBin, n_pulses: int) -> Pulses:
    """Take the first pulses of a range of true light from the run that all methods are judged by."""
    return concatenate(_parts(energy, n_pulses))


def _parts(energy: EnergyBin, n_pulses: int) -> Iterator[Pulses]:
    missing = n_pulses
    for block in simulate_blocks(TEST_RUN):
        part = block[energy.contains(block.column("energy_kevee"))][:missing]
        yield part
        missing -= len(part)
        if missing <= 0:
            return


def range_config(energy: EnergyBin) -> SimulationConfig:
    """Return the configuration whose spectrum is that of the run within the range."""
    return replace(TEST_RUN, energy_min_kevee=energy.low_kevee, energy_max_kevee=energy.high_kevee)


def log_ratios(pulses: Pulses, config: SimulationConfig, *, processes: int) -> NDArray[np.float64]:
    """Return log ratio and its second order of each pulse: shape (2, pulse)."""
    blocks = [pulses.samples[at : at + _BLOCK_PULSES] for at in range(0, len(pulses), _BLOCK_PULSES)]
    parts, done = [], 0
    with ProcessPoolExecutor(processes) as pool:
        for part in pool.map(partial(_log_ratio, RecordModel.of(config)), blocks):
            parts.append(part)
            done += part.shape[1]
            print(f"\r{done} of {len(pulses)} pulses", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return np.concatenate(parts, axis=1)


def _log_ratio(model: RecordModel, samples: NDArray[Any]) -> NDArray[np.float64]:
    found = record_log_ratio(model, samples)
    return np.stack([found.log_ratio, found.second_order])


def weighted_leakage(log_ratio: NDArray[np.float64], *, rng: np.random.Generator) -> Weighted:
    """Count every pulse as neutron and as gamma, by its probability."""
    probability = 1 / (1 + np.exp(-log_ratio))
    order = np.argsort(-log_ratio)
    neutron, gamma = probability[order], 1 - probability[order]

    def leakage(counts: NDArray[Any]) -> float:
        kept = np.cumsum(counts * neutron)
        at = np.searchsorted(kept, EFFICIENCY * kept[-1])
        lost = np.cumsum(counts * gamma)
        return float(lost[at] / lost[-1])

    n_pulses = len(log_ratio)
    drawn = [leakage(rng.multinomial(n_pulses, np.full(n_pulses, 1 / n_pulses))) for _ in range(_N_BOOTSTRAP)]
    return Weighted(leakage=leakage(np.ones(n_pulses)), error=float(np.std(drawn)))


def calibration(log_ratio: NDArray[np.float64], is_neutron: NDArray[np.bool_]) -> Calibration:
    """Fit a line to the logit."""
    sign = np.where(is_neutron, -1.0, 1.0)
    found = minimize(lambda line: np.logaddexp(0, sign * (line[0] + line[1] * log_ratio)).sum(), [0.0, 1.0])
    probability = 1 / (1 + np.exp(-found.x[0] - found.x[1] * log_ratio))
    design = np.stack([np.ones_like(log_ratio), log_ratio])
    errors = np.sqrt(np.diag(np.linalg.inv((design * probability * (1 - probability)) @ design.T)))
    return Calibration(
        intercept=float(found.x[0]),
        intercept_error=float(errors[0]),
        slope=float(found.x[1]),
        slope_error=float(errors[1]),
    )


def chains(
    pulses: Pulses, config: SimulationConfig, log_ratio: NDArray[np.float64], options: argparse.Namespace
) -> Chains | None:
    """Compare pulses near the threshold with chains."""
    if not options.n_chains:
        return None
    chosen = np.flatnonzero(np.abs(log_ratio) < _UNSURE)[: options.n_chains]
    parts = np.array_split(chosen, max(1, len(chosen) // 5))
    with ProcessPoolExecutor(options.processes) as pool:
        tasks = [
            pool.submit(
                chain_log_ratios,
                RecordModel.of(config),
                pulses.samples[part],
                n_sweeps=options.n_sweeps,
                seed=1000 * at,
            )
            for at, part in enumerate(parts)
        ]
        first, second = np.concatenate([task.result() for task in tasks], axis=1)
    difference = log_ratio[chosen] - (first + second) / 2
    return Chains(
        n_pulses=len(chosen),
        mean=float(difference.mean()),
        mean_error=float(difference.std() / np.sqrt(len(chosen))),
        rms=float(difference.std()),
        chain_error=float(np.sqrt(np.mean((first - second) ** 2)) / 2),
    )


def judged(energy: EnergyBin, options: argparse.Namespace) -> dict[str, Any]:
    """Compute all figures of one range; keep the ratios, and take those that are there."""
    config, pulses = range_config(energy), pulses_of(energy, options.n_pulses)
    kept = options.output / f"{energy.low_kevee:g}-{energy.high_kevee:g}-{options.n_pulses}.npy"
    started_s = time.time()
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, log_ratios(pulses, config, processes=options.processes))
    ratio, second = np.load(kept)
    labels = pulses.column("label")
    return {
        "range": str(energy),
        "record": leakage_at_efficiency(ratio, labels, efficiency=EFFICIENCY),
        "record_weighted": weighted_leakage(ratio, rng=np.random.default_rng(1)),
        "photons": leakage_at_efficiency(pulses.column("photon_llr"), labels, efficiency=EFFICIENCY),
        "calibration": calibration(ratio, labels == Label.NEUTRON),
        "second_order_rms": float(np.std(second)),
        "chains": chains(pulses, config, ratio, options),
        "first_order": leakage_at_efficiency(ratio - second, labels, efficiency=EFFICIENCY),
        "wall_s": time.time() - started_s,
    }


def interval(leakage: Leakage) -> str:
    return f"{100 * leakage.leakage:.3g} % ({100 * leakage.low:.3g}-{100 * leakage.high:.3g})"


def say(found: dict[str, Any]) -> None:
    """Print the figures of one range."""
    record, weighted, line = found["record"], found["record_weighted"], found["calibration"]
    print(f"\n{found['range']}: {record.n_gamma} gammas, {record.n_neutron} neutrons, {found['wall_s']:.0f} s")
    print(f"bound of the record, counted   {interval(record)}")
    print(f"bound of the record, weighted  {100 * weighted.leakage:.3g} +- {100 * weighted.error:.2g} %")
    print(f"without the second order       {interval(found['first_order'])}, rms {found['second_order_rms']:.3f}")
    print(f"photon-level bound             {interval(found['photons'])}")
    print(
        f"calibration: intercept {line.intercept:.3f} +- {line.intercept_error:.3f}, "
        f"slope {line.slope:.3f} +- {line.slope_error:.3f}"
    )
    if found["chains"]:
        chain = found["chains"]
        print(
            f"against Markov chains ({chain.n_pulses} pulses): mean {chain.mean:.3f} +- {chain.mean_error:.3f}, "
            f"rms {chain.rms:.2f}, of which the chains' own error {chain.chain_error:.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("bench-output/record_bound"))
    parser.add_argument("--range", action="append", help="of true light in keVee; by default 50-100 and 30-50")
    parser.add_argument("--n-pulses", type=int, default=40_000, help="of each range")
    parser.add_argument("--n-chains", type=int, default=0, help="pulses that are compared with Markov chains")
    parser.add_argument("--n-sweeps", type=int, default=2500, help="of each chain, at each of five steps")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = []
    for text in options.range or ["50-100", "30-50"]:
        low, high = map(float, text.split("-"))
        found.append(judged(EnergyBin(low, high), options))
        if not options.json:
            say(found[-1])
    if options.json:
        print(json.dumps(found, default=asdict, indent=1))


if __name__ == "__main__":
    main()
