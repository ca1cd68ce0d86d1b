"""Time of one training epoch: this package (Keras on JAX) against Keras on TensorFlow, in one run.

126,000 signals of 75 samples, the reference network 75-10-4-2, Adam, batches of 100, on the CPU. TensorFlow lives in a
virtual environment of its own, which is made on the first run. Rounds of both take turns, so that whatever else the
machine does meets both; the first epoch of each round (compilation) is left out and the median taken.

    python benchmarks/train_epoch.py [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TENSORFLOW_VENV = ROOT / ".venv-tensorflow"
N_SIGNALS, N_SAMPLES, BATCH = 126_000, 75, 100

PACKAGE = "discrimen (Keras on JAX)"
PLAIN = "Keras on TensorFlow, fit() as it is"
TUNED = "Keras on TensorFlow, steps_per_execution=64"
ROUNDS = {PACKAGE: ("jax", 64), PLAIN: ("tensorflow", 1), TUNED: ("tensorflow", 64)}


def time_epochs(backend: str, steps_per_execution: int, epochs: int) -> list[float]:
    """Train in this process and return the time of each epoch in s, the first left out."""
    import time

    import numpy as np

    rng = np.random.default_rng(0)
    waveforms = rng.normal(size=(N_SIGNALS, N_SAMPLES)).astype(np.float32)
    labels = (waveforms[:, :10].sum(axis=1) > 0).astype(np.int32)
    started_s: list[float] = []
    ended_s: list[float] = []
    if backend == "jax":
        from discrimen.keras_jax import load_keras
        from discrimen.network.outputs import class_scores
        from discrimen.training import TrainingConfig
        from discrimen.training.fit import compiled_model

        session = load_keras("cpu")
        keras = session.keras
        waveforms, scores = waveforms[:, np.newaxis], (class_scores(("gamma", "neutron")),)
        config = TrainingConfig(architecture="mlp")
        model = compiled_model(session, config, shape=(1, N_SAMPLES), outputs=scores).taught
    else:
        os.environ["KERAS_BACKEND"] = "tensorflow"
        import keras

        model = keras.Sequential(
            [
                keras.Input((N_SAMPLES,)),
                keras.layers.Dense(10, activation="relu"),
                keras.layers.Dense(4, activation="relu"),
                keras.layers.Dense(2, activation="softmax"),
            ]
        )
        loss = "sparse_categorical_crossentropy"
        model.compile("adam", loss, metrics=["accuracy"], steps_per_execution=steps_per_execution)
    assert keras.backend.backend() == backend
    assert model.count_params() == 814
    clock = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: started_s.append(time.perf_counter()),
        on_epoch_end=lambda *_: ended_s.append(time.perf_counter()),
    )
    model.fit(waveforms, labels, batch_size=BATCH, epochs=epochs, shuffle=True, verbose=0, callbacks=[clock])
    return [end - start for start, end in zip(started_s, ended_s, strict=True)][1:]


def tensorflow_python() -> Path:
    """Make the virtual environment of TensorFlow if need be; its Keras is of the same version as ours."""
    python = TENSORFLOW_VENV / "bin" / "python"
    ready = TENSORFLOW_VENV / ".ready"
    if not ready.exists():
        from importlib.metadata import version

        print(f"making {TENSORFLOW_VENV}: a large download", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", TENSORFLOW_VENV], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "tensorflow-cpu", f"keras=={version('keras')}"]
        subprocess.run(install, check=True)
        ready.touch()
    return python


def run_round(name: str, epochs: int) -> list[float]:
    """Time some epochs in a fresh process of the right virtual environment."""
    backend, steps_per_execution = ROUNDS[name]
    python = sys.executable if backend == "jax" else str(tensorflow_python())
    command = [python, __file__, "--round", backend, str(steps_per_execution), "--epochs", str(epochs)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    return [float(time_s) for time_s in json.loads(done.stdout)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=3, help="how often each takes its turn")
    parser.add_argument("--epochs", type=int, default=5, help="epochs in a round, the first not counted")
    parser.add_argument("--round", nargs=2, metavar=("BACKEND", "STEPS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.round:
        backend, steps = options.round
        print(json.dumps(time_epochs(backend, int(steps), options.epochs)))
        return
    times_s: dict[str, list[float]] = {name: [] for name in ROUNDS}
    for _ in range(options.rounds):
        for name in ROUNDS:
            times_s[name] += run_round(name, options.epochs)
    median_s = {name: statistics.median(values) for name, values in times_s.items()}
    if options.json:
        rows = {
            name: {
                "epoch_s": median_s[name],
                "ratio_to_discrimen": median_s[name] / median_s[PACKAGE],
                "epochs_s": times_s[name],
            }
            for name in ROUNDS
        }
        print(json.dumps({"n_signals": N_SIGNALS, "n_samples": N_SAMPLES, "batch_size": BATCH, "rows": rows}, indent=2))
        return
    print(f"{N_SIGNALS} signals of {N_SAMPLES} samples, batch {BATCH}, median of {len(times_s[PACKAGE])} epochs")
    for name in ROUNDS:
        spread = f"{min(times_s[name]):.3f} to {max(times_s[name]):.3f}"
        print(f"{name:46s} {median_s[name]:7.3f} s ({spread}) {median_s[name] / median_s[PACKAGE]:6.2f} x")


if __name__ == "__main__":
    main()
