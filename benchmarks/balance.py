"""What balancing the training part brings, range by range, against training on pulses as they came.

Simulated BC501A with NUMEXO2, an exponential spectrum that falls fast (mean 150 keVee above 30), one neutron in five,
3 % of the records with a second pulse: high energies and odd shapes are rare. Each variant trains the reference network
on the same pulses; the test has as many pulses of both classes in every range, and piled-up records as a range of their
own. Leakage over that of the unbalanced network, geometric mean over the seeds, each of which has pulses, first weights
and order of its own; the interval is Student's, of the paired logarithms, at 95 %.

    OMP_NUM_THREADS=1 python benchmarks/balance.py [--pulses 60000] [--seeds 4] [--epochs 30] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from scipy import stats

from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.metrics import leaked_share
from discrimen.network.prepare import choose_preparation
from discrimen.pulses import Label, Pulses
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate
from discrimen.training import TrainingConfig, balance, train

VARIANTS: dict[str, dict[str, Any]] = {
    "none": {},
    "class": {"balance": "class"},
    "energy": {"balance": "energy"},
    "shape": {"balance": "shape"},
    "shape, each class by itself": {"balance": "shape"},
}
RANGES = {
    "30-50": {"energy_min_kevee": 30.0, "energy_max_kevee": 50.0},
    "50-100": {"energy_min_kevee": 50.0, "energy_max_kevee": 100.0},
    "100-200": {"energy_min_kevee": 100.0, "energy_max_kevee": 200.0},
    "200-400": {"energy_min_kevee": 200.0, "energy_max_kevee": 400.0},
    "400-2000": {"energy_min_kevee": 400.0, "energy_max_kevee": 2000.0},
    "piled up, 100-2000": {"energy_min_kevee": 100.0, "energy_max_kevee": 2000.0, "pileup_fraction": 1.0},
}
EFFICIENCIES = (0.95, 0.99, 0.999)


def training_pulses(n_pulses: int, seed: int) -> SimulationConfig:
    return SimulationConfig(
        n_pulses=n_pulses,
        exponential_slope_kevee=150.0,
        neutron_fraction=0.2,
        pileup_fraction=0.03,
        seed=seed,
    )


def test_pulses(n_pulses: int) -> dict[str, Pulses]:
    return {
        name: simulate(SimulationConfig(n_pulses=n_pulses, spectrum="flat", seed=9000 + number, **limits))
        for number, (name, limits) in enumerate(RANGES.items())
    }


def leakages(folder: Path, tests: dict[str, Pulses]) -> dict[str, dict[str, float]]:
    """Leakage in each range at each efficiency; half a gamma is added, so that no logarithm is infinite."""
    predictor = KerasPredictor(folder)
    found = {}
    for name, pulses in tests.items():
        scores = predictor.predict(pulses.samples)[:, Label.NEUTRON].astype(np.float64)
        gamma, neutron = (scores[pulses.column("label") == label] for label in (Label.GAMMA, Label.NEUTRON))
        found[name] = {
            str(efficiency): leaked_share(gamma, neutron, efficiency=efficiency) + 0.5 / len(gamma)
            for efficiency in EFFICIENCIES
        }
    return found


def add_seed(
    found: dict[str, list[dict[str, dict[str, float]]]],
    seed: int,
    tests: dict[str, Pulses],
    options: argparse.Namespace,
) -> None:
    simulation = training_pulses(options.pulses, 100 + seed)
    pulses, settings = simulate(simulation), detector_settings(simulation)
    preparation = choose_preparation(settings, n_samples=pulses.n_samples)
    with tempfile.TemporaryDirectory() as scratch:
        for variant, changes in VARIANTS.items():
            config = TrainingConfig(architecture="mlp", epochs=options.epochs, patience=None, seed=seed, **changes)
            folder = Path(scratch) / variant
            with each_class_by_itself(variant.endswith("by itself")):
                train(pulses, preparation, config, folder=folder, settings=settings)
            found[variant].append(leakages(folder, tests))
            print(f"seed {seed} {variant}: {found[variant][-1]}", flush=True)


@contextmanager
def each_class_by_itself(wanted: bool) -> Iterator[None]:
    """Balance the shape as the package does not: for each class on its own, which hides what the shape tells."""

    def flattened(plane: Any, labels: Any, *, name: str, cap: float) -> tuple[Any, int]:
        weights, n_cells = natural(plane, labels, name="energy", cap=cap)
        energy, shape = balance._cut(np.log(plane.energy), 12), balance._cut(plane.psd, 12)
        return balance.equal_cells(2 * energy + labels, shape, weights, cap=cap), n_cells

    natural = balance.shared_out
    with mock.patch.object(balance, "shared_out", flattened if wanted else natural):
        yield


def ratio(found: dict[str, Any], variant: str, where: str, efficiency: str) -> tuple[float, float, float]:
    logs = [
        np.log(one[where][efficiency] / plain[where][efficiency])
        for one, plain in zip(found[variant], found["none"], strict=True)
    ]
    middle, error = float(np.mean(logs)), float(np.std(logs, ddof=1) / np.sqrt(len(logs)))
    reach = float(stats.t.ppf(0.975, len(logs) - 1)) * error
    return tuple(float(np.exp(value)) for value in (middle, middle - reach, middle + reach))  # type: ignore[return-value]


def print_tables(found: dict[str, Any]) -> dict[str, Any]:
    others = [variant for variant in VARIANTS if variant != "none"]
    ratios: dict[str, Any] = {}
    for efficiency in map(str, EFFICIENCIES):
        print(f"\nleakage at {float(efficiency):.1%} efficiency: unbalanced, then balanced over unbalanced")
        for where in RANGES:
            plain = np.exp(np.mean([np.log(one[where][efficiency]) for one in found["none"]]))
            of_range = {variant: ratio(found, variant, where, efficiency) for variant in others}
            told = "  ".join(f"{name} {r:.2f} ({lo:.2f}-{hi:.2f})" for name, (r, lo, hi) in of_range.items())
            print(f"{where:<20}{100 * plain:9.4f} %  {told}", flush=True)
            ratios.setdefault(efficiency, {})[where] = of_range
    return ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pulses", type=int, default=60_000)
    parser.add_argument("--test-pulses", type=int, default=40_000, help="in each range")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    tests = test_pulses(options.test_pulses)
    found: dict[str, list[dict[str, dict[str, float]]]] = {name: [] for name in VARIANTS}
    for seed in range(options.seeds):
        add_seed(found, seed, tests, options)
        if seed > 0:
            print(f"\n{seed + 1} seeds")
            ratios = print_tables(found)
            if options.json is not None:
                options.json.write_text(json.dumps({"leakage": found, "over_unbalanced": ratios}, indent=1))


if __name__ == "__main__":
    main()
