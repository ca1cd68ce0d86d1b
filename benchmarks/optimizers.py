"""SGD as in the reference against Adam on the same simulated pulses, weights and split: curves as PNG, figures as text.

Both train the reference network 75-10-4-2 for 200 epochs with batches of 100, at the optimizers' own learning rates
and without early stopping.

    python benchmarks/optimizers.py [--pulses 60000] [--epochs 200] [-o docs/pictures/optimizers.png]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from discrimen.network.prepare import choose_preparation
from discrimen.output.files import complete_or_absent
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate
from discrimen.training import TrainingConfig, TrainingResult, train

STYLES = {"adam": ("#0072B2", "-"), "sgd": ("#D55E00", "--")}


def run(optimizer: str, *, pulses: int, epochs: int, seed: int, folder: Path) -> TrainingResult:
    simulation = SimulationConfig(n_pulses=pulses, seed=seed)
    preparation = choose_preparation(detector_settings(simulation), n_samples=75)
    config = TrainingConfig(architecture="mlp", optimizer=optimizer, epochs=epochs, patience=None, seed=seed)
    return train(simulate(simulation), preparation, config, folder=folder / optimizer)


def draw(results: dict[str, TrainingResult], *, title: str, path: Path) -> None:
    figure = Figure(figsize=(8, 7), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    loss_axes, accuracy_axes = figure.subplots(2, 1, sharex=True)
    for axes, name, label in (
        (loss_axes, "loss", "cross-entropy (nats)"),
        (accuracy_axes, "accuracy", "accuracy"),
    ):
        for optimizer, result in results.items():
            colour, style = STYLES[optimizer]
            epochs = [record.epoch for record in result.history]
            training = [getattr(record, name) for record in result.history]
            validation = [getattr(record, f"val_{name}") for record in result.history]
            axes.plot(epochs, training, color=colour, linestyle=style, alpha=0.35, linewidth=1)
            axes.plot(
                epochs, validation, color=colour, linestyle=style, label=f"{optimizer}, validation (training pale)"
            )
            axes.plot(result.best_epoch, validation[result.best_epoch - 1], "o", color=colour)
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
    loss_axes.set_yscale("log")
    loss_axes.legend()
    accuracy_axes.set_xlabel("epoch")
    # The first epochs would leave no room for the difference.
    accuracy_axes.set_ylim(np.percentile([record.accuracy for r in results.values() for record in r.history], 2), None)
    with complete_or_absent(path) as part:
        figure.savefig(part, format="png", dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pulses", type=int, default=60_000, help="pulses to simulate")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/pictures/optimizers.png"))
    options = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for optimizer in STYLES:
            results[optimizer] = run(
                optimizer, pulses=options.pulses, epochs=options.epochs, seed=options.seed, folder=Path(folder)
            )
    for optimizer, result in results.items():
        best = result.best
        print(
            f"{optimizer:5s} best epoch {best.epoch:4d}: validation loss {best.val_loss:.5f}, "
            f"accuracy {best.val_accuracy:.5f}; {np.median(result.epoch_duration_s):.3f} s an epoch"
        )
    better = results["adam"].history
    target = results["sgd"].best.val_loss
    reached = next((record.epoch for record in better if record.val_loss <= target), None)
    print(f"adam reaches the best validation loss of sgd in epoch {reached} (sgd: {results['sgd'].best_epoch})")
    title = f"{options.pulses} simulated BC501A pulses, 75-10-4-2, batch 100"
    draw(results, title=title, path=options.output)


if __name__ == "__main__":
    main()
