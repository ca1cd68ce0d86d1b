"""Auto-encoders beside each other: what their code keeps of a pulse, and whether its numbers say the same twice.

Simulated BC501A read by NUMEXO2. Every network is trained on the same pulses, judged on others against the clean
records by `discrimen.evaluate_waveforms`; the pictures are those of its report.

Usage: python benchmarks/autoencoders.py -o FOLDER [--training 60000] [--pulses 30000] [--epochs 40] [--code 6] [--json]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import discrimen
from discrimen.evaluation.waveforms import WaveformReport
from discrimen.training import Reconstruction

NETWORKS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "dense": ("dense_autoencoder", {"hidden": (64, 32)}),
    "dense, decorrelated": ("dense_autoencoder", {"hidden": (64, 32), "decorrelation": 1e-3}),
    "variational": ("variational_autoencoder", {"hidden": (64, 32)}),
    "variational, decorrelated": ("variational_autoencoder", {"hidden": (64, 32), "decorrelation": 1e-3}),
    "convolutional": ("conv_autoencoder", {}),
    "convolutional, variational": ("conv_variational_autoencoder", {}),
}
EDGES_KEVEE = (30.0, 50.0, 100.0, 200.0, 400.0)


def judged(
    name: str, folder: Path, *, training: discrimen.Dataset, options: argparse.Namespace
) -> tuple[WaveformReport, float]:
    """Train a network, freeze it and judge it; return also the seconds of an epoch."""
    architecture, own = NETWORKS[name]
    place = folder / name.replace(", ", "_")
    model = discrimen.train(
        training,
        place / "model",
        task=Reconstruction(),
        architecture=architecture,
        options={**own, "code": options.code},
        epochs=options.epochs,
        batch_size=256,
        learning_rate=0.003,
        learning_rate_decay="cosine",
        patience=None,
        seed=options.seed,
        overwrite=True,
    )
    epoch_s = np.median(np.genfromtxt(place / "model" / "history.csv", delimiter=",", names=True)["duration_s"])
    frozen = discrimen.freeze(model, place / "model.discrimen")
    test = discrimen.read(folder / "test.lh5", label_by="truth")
    report = discrimen.evaluate_waveforms(
        frozen,
        test,
        clean=discrimen.read(folder / "test.clean.lh5"),
        folder=place / "report",
        energy_edges_kevee=EDGES_KEVEE,
    )
    return report, float(epoch_s)


def figures_of(report: WaveformReport, epoch_s: float) -> dict[str, Any]:
    """Return what the table shows."""
    latents = report.latents
    assert latents is not None
    assert latents.class_auc is not None
    largest = latents.largest
    return {
        "gain_db": {part.name: part.figures["gain_db"].value for part in report.ranges[1:]},
        "nrmse_percent": {part.name: part.figures["nrmse"].value for part in report.ranges[1:]},
        "n_active": latents.n_active,
        "largest_correlation": 0.0 if largest is None else largest[0],
        "best_class_auc": float(latents.class_auc.max()),
        "epoch_s": epoch_s,
    }


def told(result: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table as text."""
    ranges = list(next(iter(result.values()))["nrmse_percent"])
    lines = [f"{'':28}{'active':>8}{'largest r':>11}{'AUC':>7}" + "".join(f"{name:>16}" for name in ranges)]
    for name, row in result.items():
        cells = "".join(f"{row['nrmse_percent'][part]:>8.2f}%{row['gain_db'][part]:>+5.1f}dB" for part in ranges)
        lines.append(
            f"{name:28}{row['n_active']:>8}{row['largest_correlation']:>+11.2f}{row['best_class_auc']:>7.3f}  {cells}"
        )
    return "\n".join(lines)


def main() -> None:
    """Simulate, train, judge and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--training", type=int, default=60_000)
    parser.add_argument("--pulses", type=int, default=30_000)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--code", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder: Path = options.output
    folder.mkdir(parents=True, exist_ok=True)
    discrimen.simulate(folder / "train.lh5", options.training, seed=10 * options.seed)
    discrimen.simulate(folder / "test.lh5", options.pulses, seed=10 * options.seed + 1, clean=folder / "test.clean.lh5")
    training = discrimen.read(folder / "train.lh5", label_by="truth")
    result = {name: figures_of(*judged(name, folder, training=training, options=options)) for name in NETWORKS}
    (folder / "autoencoders.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2) if options.json else told(result))


if __name__ == "__main__":
    main()
