"""Checks an installation: a small frozen network scores a simulated run, natively and in double precision alike.

It needs no network, no GPU and no training, and takes a few seconds; what it writes goes into a temporary folder.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import discrimen
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import chain
from discrimen.network.layers import Dense, Flatten
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import class_scores
from discrimen.network.preparation import one_channel
from discrimen.pulses.detector import DetectorSettings
from discrimen.scoring.scores import read_scores

N_PULSES, N_SAMPLES = 2_000, 64
PREPARATION = one_channel(
    sample_period_ns=10.0, polarity=-1, baseline_start=0, baseline_stop=10, window_start=0, window_length=N_SAMPLES
)


def main() -> None:
    """Check, and say what was seen."""
    with tempfile.TemporaryDirectory() as folder:
        run, model, scores = (Path(folder) / name for name in ("run.lh5", "model.discrimen", "scores.h5"))
        discrimen.simulate(run, N_PULSES, seed=1)
        samples = discrimen.read(run).pulses.samples
        freeze(model, samples)
        command = Path(sys.executable).with_name("discrimen")
        subprocess.run([command, "classify", model, run, "-o", scores], check=True, capture_output=True)
        subprocess.run(
            [command, "batch", "slurm", model, run, "-o", folder, "--jobs", f"{folder}/jobs", "--time", "00:10:00"],
            check=True,
            capture_output=True,
        )
        found = read_scores(scores).rows.score[:, 1]
        expected = ReferencePredictor(model).predict(samples)[:, 1]
    difference = float(np.nanmax(np.abs(found - expected)))
    if len(found) != N_PULSES or not difference < 1e-5:
        raise SystemExit(f"check: {len(found)} scores of {N_PULSES}, up to {difference:g} off the reference")
    print(f"check: {len(found)} pulses simulated and scored, at most {difference:.1g} off the reference")


def freeze(path: Path, samples: np.ndarray) -> None:
    """Freeze a network with random weights."""
    kernel = np.random.default_rng(2).standard_normal((N_SAMPLES, 2)).astype(np.float32)
    network = chain([Flatten(), Dense(kernel=kernel, bias=np.zeros(2, np.float32))])
    description = ModelDescription(
        preparation=PREPARATION,
        outputs=(class_scores(("gamma", "neutron")),),
        settings=DetectorSettings(),
        domain=None,
    )
    some = samples[:10].astype(np.int32)[:, np.newaxis]
    write_frozen(FrozenModel(description, network, golden_vectors(network, description, some)), path)


if __name__ == "__main__":
    main()
