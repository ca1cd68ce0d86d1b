"""How far off a threshold is that was chosen without labels, and whether its intervals hold the truth.

Networks are trained on simulated BC501A and shown unlabelled pulses of BC501A, of EJ-276 (half and one fifth of them
neutrons), and of BC501A with 0.4 times the gain and twice the noise. Each of them is cut into runs; for each run the
threshold for 95 % neutron efficiency is concluded, over all heights and above those of 100 keVee, and judged by the
truth of all pulses.

Usage: nice -n 15 taskset -c 0 python benchmarks/transfer_unlabelled.py [--networks N] [--sizes 50000,15000,5000]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import discrimen
from discrimen.adaptation.measured import Measured, measure
from discrimen.adaptation.recalibrate import Recalibration, Wishes, recalibrate_unlabelled
from discrimen.adaptation.unlabelled import Estimate
from discrimen.errors import DataError
from discrimen.pulses import Label

WISHED = 0.95
N_TRAINING, N_PULSES = 60_000, 100_000
MOST_RUNS = 3
TARGETS: dict[str, dict[str, Any]] = {
    "BC501A": {},
    "EJ-276, 1/2 neutrons": {"detector": "EJ-276"},
    "EJ-276, 1/5 neutrons": {"detector": "EJ-276", "neutron_fraction": 0.2},
    "0.4 x gain, 2 x noise": {"gain_adc_per_kevee": 1.5, "noise_adc": 6.0},
}


def main() -> None:
    """Train, simulate, conclude, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=int, default=2)
    parser.add_argument("--sizes", default="50000,15000,5000")
    arguments = parser.parse_args()
    counts = {"runs": 0, "refused": 0, "efficiency inside": 0, "leakage inside": 0}
    with tempfile.TemporaryDirectory() as name:
        for seed in range(arguments.networks):
            for run in _runs(Path(name), seed, [int(size) for size in arguments.sizes.split(",")]):
                _judge(*run, counts)
    print(", ".join(f"{count} {what}" for what, count in counts.items()))


def _runs(folder: Path, seed: int, sizes: list[int]) -> Iterator[tuple[str, Measured, Measured]]:
    discrimen.simulate(folder / "source.lh5", N_TRAINING, seed=1000 + seed)
    source = discrimen.read(folder / "source.lh5", label_by="truth")
    model = discrimen.train(
        source,
        folder / "model",
        architecture="mlp",
        epochs=25,
        patience=10,
        seed=seed,
        overwrite=True,
        accept=True,
    )
    for number, (target, options) in enumerate(TARGETS.items()):
        discrimen.simulate(folder / "target.lh5", N_PULSES, seed=3000 + 10 * seed + number, **options)
        dataset = discrimen.read(folder / "target.lh5", label_by="truth")
        everything = measure(dataset.pulses, model.predictor)
        for least_adc in (0.0, 100 * options.get("gain_adc_per_kevee", 3.75)):
            high = everything[everything.peak_adc >= least_adc]
            for size in sizes:
                for first in range(0, min(len(high) // size, MOST_RUNS) * size, size):
                    what = f"net {seed}, {target}, above {least_adc:4.0f} ADC, {size} pulses"
                    yield what, high[first : first + size], high


def _judge(what: str, run: Measured, truth: Measured, counts: dict[str, int]) -> None:
    counts["runs"] += 1
    try:
        found = recalibrate_unlabelled(run, Wishes(rescale=False), rng=np.random.default_rng(0))
    except DataError as error:
        counts["refused"] += 1
        print(f"{what}: refused: {str(error).split(':')[0]}", flush=True)
        return
    efficiency, leakage = _truth(found, truth)
    (threshold,) = found.thresholds.values()
    told = []
    for name, share, estimate in (
        ("efficiency", efficiency, threshold.efficiency),
        ("leakage", leakage, threshold.leakage),
    ):
        assert isinstance(estimate, Estimate)
        inside = estimate.low <= share <= estimate.high
        counts[f"{name} inside"] += inside
        told.append(f"{name} {share:.4f} in {estimate.low:.4f}-{estimate.high:.4f} {'' if inside else 'OUTSIDE'}")
    print(f"{what}: {', '.join(told)}", flush=True)


def _truth(found: Recalibration, truth: Measured) -> tuple[float, float]:
    (threshold,) = found.thresholds.values()
    passing = truth.logit >= np.log(threshold.value) - np.log1p(-threshold.value)
    neutron = truth.label == Label.NEUTRON
    return float(passing[neutron].mean()), float(passing[~neutron].mean())


if __name__ == "__main__":
    main()
