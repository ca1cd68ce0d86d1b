"""Speed and private memory of `discrimen classify` on a CoMPASS file in the page cache.

Writes CoMPASS files of 1 and 4 million simulated pulses (75 samples of 10 ns), freezes a network 75-10-4-2 with random
weights, classifies each file in a process of its own, and takes the best of several turns. Two speeds are shown: what
the command itself reports (reading, scoring and writing), and that of the whole process, the start of Python included.

With --stand-in, two samples of each pulse take the place of the network: what is left is the path around it.

Usage: python benchmarks/classify_speed.py [--folder FOLDER] [--millions 1 4] [--turns 3] [--threads N] [--stand-in]
       [--to h5|parquet|root] [--compress] [--no-psd] [--json]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from classify_memory import private_memory_mb, write_run
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import chain
from discrimen.network.layers import Dense, Flatten
from discrimen.network.model_description import ModelDescription
from discrimen.network.prepare import choose_preparation
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate

RECORD_BYTES = 175

STAND_IN = """
import dataclasses, sys
import numpy as np
import discrimen.scoring.discriminator as command
from discrimen.cli.main import main
from discrimen.inference.base import ScoresOfRun

class TwoSamples(ScoresOfRun):
    backend = "two samples"
    def __init__(self, description):
        self.description = description
    def predict(self, samples):
        scores = np.empty((len(samples), 2), np.float32)
        np.multiply(samples[:, 20], np.float32(1 / 65536), out=scores[:, 1])
        np.subtract(np.float32(1), scores[:, 1], out=scores[:, 0])
        return scores

load = command.load_model
def load_stand_in(*arguments, **options):
    model = load(*arguments, **options)
    return dataclasses.replace(model, predictor=TwoSamples(model.description))
command.load_model = load_stand_in
main()
"""


def write_model(path: Path) -> None:
    """Freeze a network 75-10-4-2 with random weights: how good it is does not matter here."""
    rng = np.random.default_rng(1)
    config = SimulationConfig(n_pulses=300, seed=1)
    settings = detector_settings(config)
    description = ModelDescription(preparation=choose_preparation(settings, n_samples=75), settings=settings)
    layers = [
        Dense(
            kernel=(rng.standard_normal((n_in, n_out)) / np.sqrt(n_in)).astype(np.float32),
            bias=np.zeros(n_out, np.float32),
            activation=activation,
        )
        for n_in, n_out, activation in ((75, 10, "relu"), (10, 4, "relu"), (4, 2, "linear"))
    ]
    network = chain([Flatten(), *layers])
    samples = simulate(config).samples.astype(np.int32)[:, np.newaxis]
    write_frozen(FrozenModel(description, network, golden_vectors(network, description, samples)), path)


def classify(command: list[str]) -> dict[str, Any]:
    """Run the command once; return what it says, the wall time of the process in s and its highest RssAnon in MB."""
    begin_s = time.perf_counter()
    highest_mb = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        while process.poll() is None:
            highest_mb = max(highest_mb, private_memory_mb(process.pid))
            time.sleep(0.005)
        wall_s = time.perf_counter() - begin_s
        assert process.stdout is not None
        (done,) = json.loads(process.stdout.read())["files"]
    return done | {"wall_s": wall_s, "rss_anon_max_mb": highest_mb}


def measure(run: Path, n_pulses: int, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Classify one file several times and return the best turn."""
    program = ["-c", STAND_IN] if arguments.stand_in else ["-m", "discrimen"]
    scores = folder / f"scores.{arguments.to}"
    command = [sys.executable, *program, "classify", str(folder / "x.discrimen"), str(run), "-o", str(scores), "--json"]
    command += ["--threads", str(arguments.threads)] if arguments.threads else []
    command += ["--compress"] if arguments.compress else []
    command += [] if arguments.psd else ["--no-psd"]
    turns = []
    subprocess.run(["cat", str(run)], stdout=subprocess.DEVNULL, check=True)  # into the page cache
    for _ in range(arguments.turns):
        turns.append(classify(command) | {"scores_mb": scores.stat().st_size / 1e6})
        assert turns[-1]["n_pulses"] == n_pulses
        scores.unlink()
    return {
        "n_pulses": n_pulses,
        "n_pulses_per_s": max(turn["n_pulses_per_s"] for turn in turns),
        "n_pulses_per_s_whole_process": n_pulses / min(turn["wall_s"] for turn in turns),
        "start_s": min(turn["wall_s"] - turn["seconds"] for turn in turns),
        "rss_anon_max_mb": max(turn["rss_anon_max_mb"] for turn in turns),
        "scores_mb": turns[-1]["scores_mb"],
    }


def main() -> None:
    """Write, classify, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 4])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--stand-in", action="store_true")
    parser.add_argument("--to", choices=("h5", "parquet", "root"), default="h5")
    parser.add_argument("--compress", action="store_true")
    parser.add_argument("--no-psd", dest="psd", action="store_false", help="no light and PSD beside the scores")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        write_model(folder / "x.discrimen")
        for millions in arguments.millions:
            run = folder / f"run_of_{millions:g}_million.BIN"
            n_pulses = write_run(run, int(millions * 1e6) * RECORD_BYTES)
            rows.append(measure(run, n_pulses, folder, arguments))
            run.unlink()
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'pulses':>10} {'pulses/s':>12} {'with start':>12} {'start':>8} {'highest RssAnon':>16} {'scores':>9}")
    for row in rows:
        print(
            f"{row['n_pulses']:>10} {row['n_pulses_per_s']:>12,.0f} {row['n_pulses_per_s_whole_process']:>12,.0f} "
            f"{row['start_s']:>6.2f} s {row['rss_anon_max_mb']:>13.0f} MB {row['scores_mb']:>6.1f} MB"
        )


if __name__ == "__main__":
    main()
