"""How near engine and ONNX Runtime come to what one core can multiply and add, for networks that separate pulses.

Networks of 75 samples and the given widths, which have learnt next to nothing: time does not depend on the weights.
Peak, engine and ONNX Runtime take turns, each timed by the best of many rounds, as the package calls them; the engine
also with results that are not made anew in each call.

Usage: python benchmarks/separate_speed.py -o FOLDER [--rounds 200]
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.inference import engine
from discrimen.inference.native import NativePredictor
from discrimen.inference.onnxruntime_predictor import OnnxRuntimePredictor
from discrimen.network.made_up import made_up_pulses

WIDTHS = ((64, 64), (512, 256))
BATCH_SIZES = (1000, 10_000)
N_SAMPLES, N_VALUES = 75, 153
"""Of a record; of both parts and the three probabilities."""


def command(*arguments: object) -> None:
    """Run discrimen."""
    subprocess.run([sys.executable, "-m", "discrimen", *map(str, arguments)], check=True, capture_output=True)


def models(folder: Path) -> dict[str, Path]:
    """Train and freeze a network of each size."""
    run, parts = folder / "run.lh5", folder / "parts.lh5"
    command("simulate", "-o", run, "--components", parts, "-n", 2000, "--pileup-fraction", 1)
    found = {}
    for widths in WIDTHS:
        name = "-".join(map(str, (N_SAMPLES, *widths)))
        how = ("--task", "separation", "--architecture", "mlp", "--option", f"hidden={','.join(map(str, widths))}")
        where = ("--epochs", 1, "--accept", "--overwrite", "-o", folder / name)
        command("train", run, "--components", parts, *how, *where)
        command("freeze", folder / name, "-o", folder / f"{name}.discrimen")
        found[name] = folder / f"{name}.discrimen"
    return found


def seconds_of(call: Callable[[], object]) -> float:
    """Time one call."""
    begin_s = time.perf_counter()
    call()
    return time.perf_counter() - begin_s


def measured(path: Path, widths: tuple[int, ...], n_records: int, n_rounds: int) -> dict[str, Any]:
    """Return times of a record in ns and the shares of the peak."""
    native, other = NativePredictor(path, threads=1), OnnxRuntimePredictor(path, threads=1)
    model = engine.Model.load(str(path), "", "cpu")
    pulses = made_up_pulses(native.description.preparation, 4096).astype(np.int16)
    samples = np.resize(pulses, (n_records, *pulses.shape[1:]))
    results = [np.empty((n_records, output.n_values), np.float32) for output in native.description.outputs]
    workspace, with_channels = engine.Workspace(model), samples.reshape(n_records, 1, -1)
    calls: dict[str, Callable[[], object]] = {
        "engine": lambda: native.run(samples),
        "engine, results kept": lambda: engine.run(model, workspace, with_channels, results),
        "ONNX Runtime": lambda: other.run(samples),
    }
    best_s, peak_hz = dict.fromkeys(calls, np.inf), 0.0
    for number in range(n_rounds):
        if number % 5 == 0:
            peak_hz = max(peak_hz, model.peak_multiply_adds_hz())
        for name, call in calls.items():
            best_s[name] = min(best_s[name], seconds_of(call))
    layers = (N_SAMPLES, *widths, N_VALUES)
    n_multiplications = sum(one * other for one, other in itertools.pairwise(layers))
    ns = {name: 1e9 * each / n_records for name, each in best_s.items()}
    return {
        "records": n_records,
        "multiply_adds": n_multiplications,
        "peak_multiply_adds_hz": peak_hz,
        "ns_at_peak": 1e9 * n_multiplications / peak_hz,
        "ns": ns,
        "share_of_peak": {name: 1e9 * n_multiplications / peak_hz / each for name, each in ns.items()},
        "onnxruntime_over_engine": ns["ONNX Runtime"] / ns["engine"],
    }


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    found = {}
    for (name, path), widths in zip(models(options.output).items(), WIDTHS, strict=True):
        found[name] = [measured(path, widths, size, options.rounds) for size in BATCH_SIZES]
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
