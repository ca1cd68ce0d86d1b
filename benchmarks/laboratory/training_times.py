"""Time per signal of training against batch size: Keras on JAX, as the package trains."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np

from discrimen.errors import SettingsError
from discrimen.network.model_description import ModelDescription
from laboratory.result import TrainingRow

BACKEND = "keras on jax"
_MOST_SIGNALS = 200_000
_LEAST_STEPS = 64
"""Steps of an epoch at small batches: as many as Keras makes between two callbacks."""
_LEAST_EPOCHS, _MOST_EPOCHS = 3, 20


def time_training(
    description: ModelDescription,
    *,
    batch_sizes: Sequence[int],
    seconds: float,
    rng: np.random.Generator,
    on_step: Callable[[str], None],
) -> tuple[TrainingRow, ...]:
    """Time whole epochs on random waveforms, shuffled, by Adam; the first epoch of each batch size compiles.

    Parameters
    ----------
    description : ModelDescription
        Of the model: its architecture is built anew.
    batch_sizes : sequence of int
        Signals to a step.
    seconds : float
        How long the epochs may take in all, about, compilation not counted.
    rng : Generator
        Makes waveforms and labels.
    on_step : callable
        Hears of each batch size.

    Raises
    ------
    SettingsError
        If the model does not say what architecture it has.
    MissingExtraError
        If Keras or JAX is not installed.
    """
    name, options = architecture_of(description)
    # Imported here: they bring Keras' dependencies along.
    from discrimen.keras_jax import load_keras
    from discrimen.training import TrainingConfig
    from discrimen.training.fit import compiled_model

    session = load_keras("cpu")
    config = TrainingConfig(architecture=name, options=options)
    shape, n_classes = description.preparation.shape, len(description.classes)
    rows = []
    with session.on_device():
        for batch_size in batch_sizes:
            on_step(f"training, batch {batch_size}")
            n_signals = signals_of_epoch(batch_size)
            waveforms = rng.standard_normal((n_signals, *shape), np.float32)
            labels = rng.integers(0, n_classes, n_signals).astype(np.int32)
            model = compiled_model(session, config, shape=shape, outputs=(description.scores,)).taught
            epochs_ns = _epochs_ns(model, waveforms, labels, batch_size, seconds / len(batch_sizes))
            rows.append(
                TrainingRow(
                    backend=BACKEND,
                    batch_size=batch_size,
                    n_signals=n_signals,
                    best_ns_per_signal=min(epochs_ns) / n_signals,
                    median_ns_per_signal=median(epochs_ns) / n_signals,
                    n_epochs=len(epochs_ns),
                )
            )
    return tuple(rows)


def architecture_of(description: ModelDescription) -> tuple[str, Mapping[str, Any]]:
    """Return name and options that built the network.

    Raises
    ------
    SettingsError
        If the model does not say.
    """
    name = description.architecture.get("name")
    if not name:
        raise SettingsError(
            "the model does not say what architecture it has, so that it cannot be trained again: "
            "give the folder of the trained model with --keras, or leave out --train"
        )
    return name, description.architecture.get("options", {})


def signals_of_epoch(batch_size: int) -> int:
    """Return a multiple of the batch size: enough steps for small batches, not too many signals for large ones."""
    n_steps = max(1, min(4 * _LEAST_STEPS, _MOST_SIGNALS // batch_size))
    return n_steps * batch_size


def _epochs_ns(model: Any, waveforms: Any, labels: Any, batch_size: int, seconds: float) -> list[float]:
    epochs_ns: list[float] = []
    fit = {"batch_size": batch_size, "epochs": 1, "shuffle": True, "verbose": 0}
    model.fit(waveforms, labels, **fit)
    end_s = time.perf_counter() + seconds
    while len(epochs_ns) < _LEAST_EPOCHS or (time.perf_counter() < end_s and len(epochs_ns) < _MOST_EPOCHS):
        start_ns = time.perf_counter_ns()
        model.fit(waveforms, labels, **fit)
        epochs_ns.append(time.perf_counter_ns() - start_ns)
    return epochs_ns
