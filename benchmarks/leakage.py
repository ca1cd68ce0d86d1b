"""Gamma leakage at 95 % neutron efficiency in 100-200 keVee: reference network, best-gate charge comparison, bound.

Simulated BC501A with NUMEXO2: 75 samples of 10 ns, 1.7 photoelectrons/keV, 3 ADC counts of noise. The network is
trained on the whole spectrum (30-2000 keVee), the gates are tuned on pulses of 100-200 keVee of the same training run,
and all are judged on a run of 100-200 keVee alone, large enough to see one leaked gamma in 100,000.

Usage: python benchmarks/leakage.py [--n-train N] [--n-test N] [--epochs N] [--json]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import discrimen
from discrimen.evaluation import METHODS

EFFICIENCY = 0.95


def main() -> None:
    """Simulate, train, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-train", type=int, default=400_000)
    parser.add_argument("--n-test", type=int, default=600_000)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        discrimen.simulate(folder / "train.lh5", arguments.n_train, seed=101)
        discrimen.simulate(
            folder / "test.lh5",
            arguments.n_test,
            seed=102,
            spectrum="flat",
            energy_min_kevee=100.0,
            energy_max_kevee=200.0,
        )
        train_set, test_set = discrimen.read(folder / "train.lh5"), discrimen.read(folder / "test.lh5")
        model = discrimen.train(train_set, folder / "model", architecture="mlp", epochs=arguments.epochs, seed=1)
        report = discrimen.evaluate(model, test_set, tuning=train_set, energy_edges_kevee=(100, 200))
    (part,) = report.bins
    rows = {}
    for method, result in part.computed().items():
        leakage = result.leakage_at(EFFICIENCY)
        rows[method] = {
            "leakage": leakage.leakage,
            "low": leakage.low,
            "high": leakage.high,
            "n_leaked": leakage.n_gamma_passing,
            "n_gamma": leakage.n_gamma,
        }
    ratio = rows["charge_best"]["leakage"] / rows["network"]["leakage"] if rows["network"]["leakage"] else None
    if arguments.json:
        print(json.dumps({"efficiency": EFFICIENCY, "methods": rows, "best_gates_over_network": ratio}, indent=2))
        return
    print(f"100-200 keVee, {part.n_gamma} gammas, {part.n_neutron} neutrons, {EFFICIENCY:.0%} neutron efficiency")
    for method, row in rows.items():
        interval = f"({100 * row['low']:.4f} to {100 * row['high']:.4f})"
        print(f"{METHODS[method]:<34}{100 * row['leakage']:>9.4f} % {interval:<22}{row['n_leaked']:>6} leaked")
    print(f"best-gate charge comparison leaks {ratio:.1f} times as much as the network" if ratio else "no gamma leaked")


if __name__ == "__main__":
    main()
