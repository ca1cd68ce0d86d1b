"""The learning rate from epoch to epoch, and what ends a training."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from discrimen.keras_jax import load_keras
from discrimen.network.outputs import class_scores
from discrimen.training import TrainingConfig
from discrimen.training.examples import Examples
from discrimen.training.fit import compiled_model, fit, half_cosine
from discrimen.training.history import EpochListener, EpochRecord

REPOSITORY = Path(__file__).parents[2]


class RatesSeen:
    """Notes the learning rate that the optimizer has at the end of each epoch."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.rates: list[float] = []

    def on_epoch(self, record: EpochRecord) -> None:
        self.rates.append(float(self.model.optimizer.learning_rate))


def rates_of(**config: Any) -> list[float]:
    seen: list[RatesSeen] = []

    def listener(model: Any) -> EpochListener:
        seen.append(RatesSeen(model))
        return seen[0]

    fitted(listener, **config)
    return seen[0].rates


def fitted(listener: Callable[[Any], EpochListener], **config: Any) -> str:
    session = load_keras("cpu")
    rng = np.random.default_rng(0)
    pulses = Examples(
        waveforms=rng.normal(size=(200, 1, 8)).astype(np.float32),
        targets=rng.integers(2, size=200).astype(np.int32),
        pulse=np.arange(200),
    )
    training = TrainingConfig(epochs=4, patience=None, **config)
    model = compiled_model(session, training, shape=(1, 8), outputs=(class_scores(("gamma", "neutron")),))
    return fit(session, model, training, training=pulses, validation=pulses, listeners=[listener(model.taught)])


def test_half_a_cosine_starts_at_the_rate_and_passes_half_of_it_midway() -> None:
    rate = half_cosine(0.004, epochs=10)
    assert rate(0) == 0.004
    assert rate(5) == pytest.approx(0.002)
    assert 0 < rate(9) < 0.0002
    assert all(rate(epoch) > rate(epoch + 1) for epoch in range(9))


def test_the_learning_rate_falls_only_if_asked() -> None:
    assert rates_of() == pytest.approx([0.001] * 4)
    falling = rates_of(learning_rate=0.01, learning_rate_decay="cosine")
    assert falling == pytest.approx([half_cosine(0.01, epochs=4)(epoch) for epoch in range(4)])


class SwallowsTheInterrupt:
    """Interrupts the process in the first epoch, and lets nobody hear of it."""

    def __init__(self) -> None:
        self.epochs = 0

    def on_epoch(self, record: EpochRecord) -> None:
        self.epochs = record.epoch
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def interrupted() -> None:
    """Train, and see that the interrupt is heard."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    listener = SwallowsTheInterrupt()
    assert fitted(lambda _: listener) == "interrupt"
    assert listener.epochs == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_that_gets_lost_ends_the_training_with_its_epoch() -> None:
    # In a process of its own: a signal is heard by whatever else runs in the one of the tests.
    script = "from tests.training.test_fit import interrupted; interrupted()"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
