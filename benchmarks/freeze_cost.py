"""What freezing a network costs: seconds and memory, for wide networks and for those of long records.

Each case is trained for one epoch on made-up pulses, which is enough to have weights, and frozen in a process of its
own. Printed are its processor time and the largest memory that it has held.

Usage: python benchmarks/freeze_cost.py [--only NAME] [--json]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.freezing.freeze import freeze
from discrimen.network.frozen_file import read_frozen
from discrimen.network.made_up import made_up_pulses
from discrimen.network.preparation import Scale
from discrimen.network.prepare import choose_preparation
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.training import Compression, Reconstruction, TrainingConfig, train

CASES: Mapping[str, tuple[int, TrainingConfig]] = {
    "dense 512-512, 400 samples": (
        400,
        TrainingConfig(
            task=Reconstruction(), architecture="dense_autoencoder", options={"code": 512, "hidden": (512,)}
        ),
    ),
    "dense 128-16, 5592 samples": (
        5592,
        TrainingConfig(task=Compression(), architecture="dense_autoencoder", options={"code": 16, "hidden": (128,)}),
    ),
    "dense 256-128-32, 8192 samples": (
        8192,
        TrainingConfig(
            task=Compression(), architecture="dense_autoencoder", options={"code": 32, "hidden": (256, 128)}
        ),
    ),
    "convolutional, code of 16, 5592 samples": (
        5592,
        TrainingConfig(task=Compression(), architecture="conv_autoencoder", options={"code": 16, "halvings": 4}),
    ),
}
N_PULSES = 1200
SETTINGS = DetectorSettings(sample_period_ns=16, polarity="positive", pretrigger_ns=640)


def train_briefly(name: str, folder: Path) -> None:
    """Train a case for one epoch."""
    n_samples, config = CASES[name]
    scale: Scale = "none" if isinstance(config.task, Compression) else "peak"
    preparation = choose_preparation(SETTINGS, n_samples=n_samples, scale=scale)
    samples = made_up_pulses(preparation, N_PULSES)[:, 0].astype(np.uint16)
    pulses = Pulses(samples=samples, sample_period_ns=SETTINGS.sample_period_ns)
    one_epoch = TrainingConfig(**{**vars_of(config), "epochs": 1, "batch_size": 32})
    train(pulses, preparation, one_epoch, folder=folder, settings=SETTINGS, overwrite=True)


def vars_of(config: TrainingConfig) -> dict[str, Any]:
    """Return what a case sets."""
    return {name: getattr(config, name) for name in ("task", "architecture", "options")}


def freeze_alone(folder: Path) -> dict[str, float]:
    """Freeze a trained model in this process and say what it took."""
    begin_s = time.process_time()
    frozen = folder / "frozen.discrimen"
    freeze(folder, frozen)
    return {
        "seconds": time.process_time() - begin_s,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "golden_vectors": len(read_frozen(frozen).golden.samples),
        "file_mib": frozen.stat().st_size / 2**20,
    }


def measure(name: str) -> dict[str, float]:
    """Train a case and freeze it in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        train_briefly(name, folder)
        command = [sys.executable, __file__, "--freeze", str(folder)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found: dict[str, float] = json.loads(done.stdout)
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=CASES)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--freeze", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.freeze:
        print(json.dumps(freeze_alone(given.freeze)))
        return
    found = {name: measure(name) for name in ([given.only] if given.only else CASES)}
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for name, row in found.items():
        print(
            f"{name:42s} {row['seconds']:6.1f} s {row['mib']:7.0f} MiB {row['golden_vectors']:4.0f} golden vectors "
            f"{row['file_mib']:6.1f} MiB"
        )


if __name__ == "__main__":
    main()
