"""What one model for each channel of an array brings against one for all, on channels that differ.

Simulated arrays of four channels, sampled as NUMEXO2 does. The reference network is trained on all channels together,
and on each alone for as many steps (epochs times channels); every seed has pulses, first weights and order of its own.
Test pulses have flat light from 50 to 150 keVee, half of them neutrons. Leakages are at 95 % neutron efficiency,
averaged over the channels:

    one, one        one network, one threshold for the whole array
    one, each       one network, a threshold for each channel
    each, each      a network and a threshold for each channel

and as ratios to the first: geometric mean over the seeds with Student's interval of the paired logarithms, at 95 %.

    OMP_NUM_THREADS=1 python benchmarks/each_channel.py [--pulses 10000 ...] [--test 20000] [--seeds 3] [--epochs 30]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.metrics import leakage_at_efficiency
from discrimen.network.prepare import choose_preparation
from discrimen.pulses import Label, Pulses, concatenate
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.digitizer import DIGITIZERS
from discrimen.simulation.own_detector import OwnDetector
from discrimen.simulation.scintillator import DETECTORS
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate
from discrimen.simulation.sources import LightSpectrum
from discrimen.training import TrainingConfig, train

EFFICIENCY = 0.95
RANGE_KEVEE = (50.0, 150.0)
N_CHANNELS = 4
NUMEXO2 = DIGITIZERS["NUMEXO2"]
_ANY_LIGHT = LightSpectrum(light_kevee=np.array([0.0, 1.0]), cumulative=np.array([0.0, 1.0]))


def gain_and_noise(channel: int) -> dict[str, Any]:
    """Gains over a factor of 2, noise over a factor of 1.7 the other way."""
    step = channel / (N_CHANNELS - 1) - 0.5
    return {
        "gain_adc_per_kevee": NUMEXO2.gain_adc_per_kevee * 2.0**step,
        "noise_adc": NUMEXO2.noise_adc * 1.7**-step,
    }


def front_end(channel: int) -> dict[str, Any]:
    """Low pass and smearing of the front end from 0.6 to 1.7 times those of NUMEXO2: cables, preamplifiers."""
    factor = 0.6 * (1.7 / 0.6) ** (channel / (N_CHANNELS - 1))
    known = NUMEXO2.front_end
    changed = replace(known, time_constant_ns=known.time_constant_ns * factor, sigma_ns=known.sigma_ns * factor)
    own = OwnDetector(
        name="BC501A behind a front end of its own",
        scintillator=DETECTORS["BC501A"],
        digitizer=replace(NUMEXO2, front_end=changed),
        light=_ANY_LIGHT,
    )
    return {"own": own}


def scintillators(channel: int) -> dict[str, Any]:
    """BC501A, EJ-309, stilbene and EJ-276 in one array."""
    return {"detector": ("BC501A", "EJ-309", "stilbene", "EJ-276")[channel]}


ARRAYS: dict[str, Callable[[int], dict[str, Any]]] = {
    "gain and noise": gain_and_noise,
    "front end": front_end,
    "scintillators": scintillators,
}


def pulses_of(array: str, channel: int, *, n_pulses: int, seed: int, **how: Any) -> Pulses:
    config = SimulationConfig(n_pulses=n_pulses, seed=seed * N_CHANNELS + channel, **ARRAYS[array](channel), **how)
    return simulate(config)


def trained(pulses: Pulses, folder: Path, *, seed: int, epochs: int) -> KerasPredictor:
    settings = detector_settings(SimulationConfig(n_pulses=1))
    preparation = choose_preparation(settings, n_samples=pulses.n_samples)
    config = TrainingConfig(architecture="mlp", epochs=epochs, seed=seed, split="pulse")
    train(pulses, preparation, config, folder=folder, settings=settings)
    return KerasPredictor(folder)


def neutron_scores(predictor: KerasPredictor, pulses: Pulses) -> NDArray[np.float64]:
    return np.asarray(predictor.predict(pulses.samples)[:, Label.NEUTRON], dtype=np.float64)


def mean_leakage(scores: list[NDArray[np.float64]], labels: list[NDArray[np.int8]]) -> float:
    """Return the mean over the parts, each with the threshold that keeps the wished share of its neutrons."""
    each = [leakage_at_efficiency(s, of, efficiency=EFFICIENCY).leakage for s, of in zip(scores, labels, strict=True)]
    return float(np.mean(each))


def compared(array: str, *, n_pulses: int, n_test: int, seed: int, epochs: int) -> dict[str, Any]:
    """Return the three leakages of one array, and what the one threshold keeps in each channel."""
    low, high = RANGE_KEVEE
    limits = {"energy_min_kevee": low, "energy_max_kevee": high, "spectrum": "flat"}
    channels = range(N_CHANNELS)
    training = [pulses_of(array, each, n_pulses=n_pulses, seed=100 + seed) for each in channels]
    tests = [pulses_of(array, each, n_pulses=n_test, seed=9000 + seed, **limits) for each in channels]
    labels = [each.column("label") for each in tests]
    with tempfile.TemporaryDirectory() as folder:
        mixed = concatenate(training)
        order = np.random.default_rng(seed).permutation(len(mixed))
        one = trained(mixed[order], Path(folder) / "one", seed=seed, epochs=epochs)
        by_one = [neutron_scores(one, each) for each in tests]
        by_each = [
            neutron_scores(trained(own, Path(folder) / str(at), seed=seed, epochs=epochs * N_CHANNELS), test)
            for at, (own, test) in enumerate(zip(training, tests, strict=True))
        ]
    pooled = leakage_at_efficiency(np.concatenate(by_one), np.concatenate(labels), efficiency=EFFICIENCY)
    kept = [
        float((scores[of == Label.NEUTRON] >= pooled.threshold).mean())
        for scores, of in zip(by_one, labels, strict=True)
    ]
    return {
        "one, one": pooled.leakage,
        "one, each": mean_leakage(by_one, labels),
        "each, each": mean_leakage(by_each, labels),
        "kept by one threshold": kept,
    }


def ratio(first: NDArray[np.float64], reference: NDArray[np.float64]) -> list[float]:
    """Return the geometric mean of the ratios and its interval."""
    logs = np.log(first / reference)
    reach = stats.t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs))
    return [float(np.exp(each)) for each in (logs.mean(), logs.mean() - reach, logs.mean() + reach)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arrays", nargs="+", default=list(ARRAYS), choices=list(ARRAYS))
    parser.add_argument("--pulses", type=int, nargs="+", default=[10_000], help="of each channel, to train on")
    parser.add_argument("--test", type=int, default=20_000, help="pulses of each channel")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    wished = parser.parse_args()
    for array in wished.arrays:
        for n_pulses in wished.pulses:
            runs = [
                compared(array, n_pulses=n_pulses, n_test=wished.test, seed=seed, epochs=wished.epochs)
                for seed in range(wished.seeds)
            ]
            leaked = {name: np.array([run[name] for run in runs]) for name in ("one, one", "one, each", "each, each")}
            kept = np.mean([run["kept by one threshold"] for run in runs], axis=0)
            row = {
                "array": array,
                "n_pulses": n_pulses,
                **{name: float(values.mean()) for name, values in leaked.items()},
                "thresholds": ratio(leaked["one, each"], leaked["one, one"]),
                "models": ratio(leaked["each, each"], leaked["one, one"]),
                "kept by one threshold": kept.tolist(),
            }
            if wished.json:
                print(json.dumps(row), flush=True)
                continue
            shares = ", ".join(f"{name}: {row[name]:.2%}" for name in leaked)
            of = "; ".join(
                f"{name} {value:.2f} ({low:.2f}-{high:.2f})"
                for name, (value, low, high) in ((name, row[name]) for name in ("thresholds", "models"))
            )
            print(
                f"{array}, {n_pulses} a channel: {shares}; ratios: {of}; one threshold keeps {kept.round(3)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
