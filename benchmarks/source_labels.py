"""Labels by source: bias and coverage of the neutron share, and networks trained without the label of any pulse.

Simulated BC501A with NUMEXO2. A gamma run and a mixed run, of the same spectrum (exponential, 30-2000 keVee) or of
different ones (Co-60 against Cf-252), with 10, 30 and 60 % of neutrons in the mixed run. The share is estimated in
repeated runs. Then the reference network learns, for each share, from labels by source with the corrected and with the
plain loss, and from the truth of as many pulses; another run with equal classes judges them, scores turned from the
share of neutrons that the network believes in to one half.

    taskset -c 0 python benchmarks/source_labels.py [--repetitions 10] [--pulses 30000] [--epochs 15]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from discrimen.labelling.source import SourceLabels, SourceOptions, find_source_labels
from discrimen.labelling.source_shape import RunShapes, shape_preparation, shapes_of_pulses
from discrimen.pulses import Label, Pulses, concatenate
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate
from discrimen.training import TrainingConfig, train
from label_noise import LEARNING_RATE, Test

SHARES = (0.1, 0.3, 0.6)
SPECTRA = {"same": ("exponential", "exponential"), "Co-60, Cf-252": ("Co-60", "Cf-252")}


def run(n_pulses: int, *, share: float, spectrum: str, seed: int) -> tuple[Pulses, RunShapes]:
    config = SimulationConfig(n_pulses=n_pulses, neutron_fraction=share, spectrum=spectrum, seed=seed)
    pulses, settings = simulate(config), detector_settings(config)
    return pulses, shapes_of_pulses(pulses, shape_preparation(pulses, settings), settings)


def shares(*, n_pulses: int, repetitions: int) -> None:
    print("| spectra | true share | estimate - truth, mean ± standard error | of a single run | intervals that hold |")
    print("|---|---|---|---|---|")
    for name, (of_gammas, of_mixed) in SPECTRA.items():
        for share in SHARES:
            errors, held = [], 0
            for repetition in range(repetitions):
                seed = 1000 + 10 * repetition + int(10 * share)
                _, gamma = run(n_pulses, share=0.0, spectrum=of_gammas, seed=2 * seed)
                pulses, mixed = run(n_pulses, share=share, spectrum=of_mixed, seed=2 * seed + 1)
                rng = np.random.default_rng(seed)
                found = find_source_labels(gamma, mixed, options=SourceOptions(), rng=rng)
                truth = true_share(found, pulses, mixed)
                errors.append(found.neutron_share - truth)
                held += found.neutron_share_low <= truth <= found.neutron_share_high
            spread = np.std(errors, ddof=1)
            mean = f"{np.mean(errors):+.4f} ± {spread / np.sqrt(repetitions):.4f}"
            print(f"| {name} | {share} | {mean} | {spread:.4f} | {held} of {repetitions} |", flush=True)


def true_share(found: SourceLabels, pulses: Pulses, shapes: RunShapes) -> float:
    """Return the share of neutrons among the mixed pulses in the slices."""
    low = min(part.energy_low for part in found.slices)
    high = max(part.energy_high for part in found.slices)
    inside = (shapes.energy >= low) & (shapes.energy < high)
    return float((pulses.column("label")[inside] == Label.NEUTRON).mean())


def trainings(test: Test, *, n_pulses: int, epochs: int) -> None:
    edges = " | ".join(("30-50", "50-100", "100-200", "200-400"))
    print("\ngamma leakage (%) at 95 % neutron efficiency in keVee, accuracy and calibration error (%)\n")
    print(f"| true share | learned from | {edges} | accuracy | calibration error |")
    print("|---" * 8 + "|")
    with tempfile.TemporaryDirectory() as folder:
        for share in SHARES:
            gammas, gamma = run(n_pulses, share=0.0, spectrum="exponential", seed=31)
            pulses, mixed = run(n_pulses, share=share, spectrum="exponential", seed=32)
            rng = np.random.default_rng(1)
            found = find_source_labels(gamma, mixed, options=SourceOptions(), rng=rng)
            both = concatenate([gammas, pulses])
            labels = np.concatenate(
                [found.labels(gamma, mixed=False, rng=rng), found.labels(mixed, mixed=True, rng=rng)]
            )
            for name, given, known in (
                ("source, corrected loss", labels, {"neutron": found.contamination}),
                ("source, plain loss", labels, None),
                ("truth", np.where(labels == Label.UNKNOWN, labels, both.column("label")), None),
            ):
                config = TrainingConfig(
                    architecture="mlp",
                    epochs=epochs,
                    patience=None,
                    learning_rate=LEARNING_RATE,
                    contamination=known,
                    split="pulse",
                    seed=1,
                )
                place = Path(folder) / "model"
                result = train(both.replace(label=given), test.preparation, config, folder=place, overwrite=True)
                believed = (given[given != Label.UNKNOWN] == Label.NEUTRON).mean() * (
                    1 - (known or {}).get("neutron", 0.0)
                )
                judged = test.judge(
                    result.model,
                    neutron_share=float(believed),
                    seed=1,
                    kind=name,
                    contamination=share,
                    corrected=known is not None,
                )
                leakage = " | ".join(f"{100 * value:.3g}" for value in judged.leakage[:4])
                print(
                    f"| {share} | {name} | {leakage} | {100 * judged.accuracy:.2f} | "
                    f"{100 * judged.calibration_error:.2f} |",
                    flush=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=10)
    parser.add_argument("--pulses", type=int, default=30_000, help="of each run")
    parser.add_argument("--test-pulses", type=int, default=100_000)
    parser.add_argument("--epochs", type=int, default=15)
    options = parser.parse_args()
    if options.repetitions:
        shares(n_pulses=options.pulses, repetitions=options.repetitions)
    trainings(Test(options.test_pulses), n_pulses=options.pulses, epochs=options.epochs)


if __name__ == "__main__":
    main()
