"""The epochs themselves: Keras trains, listeners hear of each epoch."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from discrimen.keras_jax import KerasSession, forbid_cudnn
from discrimen.models import build_model
from discrimen.pulses import Label
from discrimen.training.config import TrainingConfig
from discrimen.training.epoch_feed import EpochFeed, plain_feed
from discrimen.training.examples import Examples
from discrimen.training.history import EpochListener, EpochRecord
from discrimen.training.loss import HARD_LOSS, Loss, targets_of

StopReason = Literal["epochs", "patience", "divergence", "interrupt"]

STEPS_PER_EXECUTION = 64
"""Steps between two returns to Keras' callbacks; a return after each step costs more than the step itself."""
VALIDATION_BATCH = 4096


def compiled_model(
    session: KerasSession,
    config: TrainingConfig,
    *,
    window_length: int,
    n_classes: int,
    loss: Loss = HARD_LOSS,
    start: Callable[[Any], None] | None = None,
) -> Any:
    """Build the network and give it optimizer, loss (see :mod:`discrimen.training.loss`) and accuracy.

    Where a training does not start from random weights, `start` gives the network others before it is compiled.
    """
    keras = session.keras
    model = build_model(keras, config.architecture, config.options, window_length=window_length, n_classes=n_classes)
    forbid_cudnn(model)
    if start is not None:
        start(model)
    optimizer = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[config.optimizer]
    rate = {} if config.learning_rate is None else {"learning_rate": config.learning_rate}
    model.compile(
        optimizer=optimizer(**rate),
        loss=loss,
        metrics=["accuracy"],
        steps_per_execution=STEPS_PER_EXECUTION,
    )
    return model


def fit(
    session: KerasSession,
    model: Any,
    config: TrainingConfig,
    *,
    training: Examples,
    validation: Examples,
    listeners: Sequence[EpochListener],
    feed: EpochFeed | None = None,
) -> StopReason:
    """Train until the epochs are over, the patience ends, the loss is no number, or the user interrupts.

    Listeners are called in their order at the end of each epoch. A feed tells what the training part looks like in
    each epoch; without one it is always the same.
    """
    feed = plain_feed(training, config) if feed is None else feed
    relay = _Relay(model, listeners, feed)
    keras = session.keras
    callbacks = [keras.callbacks.LambdaCallback(on_epoch_begin=relay.begin, on_epoch_end=relay.end)]
    if config.learning_rate_decay == "cosine":
        rate = half_cosine(float(model.optimizer.learning_rate), epochs=config.epochs)
        # Keras' own LearningRateScheduler reads the rate in a way that NumPy warns of.
        callbacks.append(keras.callbacks.LambdaCallback(on_epoch_begin=_set_rate(model, rate)))
    patience = None
    if config.patience is not None:
        patience = keras.callbacks.EarlyStopping(monitor="val_loss", mode="min", patience=config.patience)
        callbacks.append(patience)
    try:
        model.fit(
            **feed.arguments(keras),
            validation_data=(validation.waveforms, targets_of(validation)),
            validation_batch_size=VALIDATION_BATCH,
            epochs=config.epochs,
            callbacks=callbacks,
            verbose=0,
        )
    except KeyboardInterrupt:
        return "interrupt"
    if relay.diverged:
        return "divergence"
    return "patience" if patience is not None and patience.stopped_epoch > 0 else "epochs"


def half_cosine(first: float, *, epochs: int) -> Callable[[int], float]:
    """Return the learning rate of each epoch, counted from 0: `first`, then less and less, next to 0 in the last.

    Half a period of a cosine, after I. Loshchilov and F. Hutter, arXiv:1608.03983, without their restarts.
    """
    return lambda epoch: first * (1 + math.cos(math.pi * epoch / epochs)) / 2


def neutron_scores(model: Any, examples: Examples) -> NDArray[np.float32]:
    """Return the neutron score of each example, shape (example,), by the model as it is now."""
    scores: NDArray[np.float32] = model.predict(examples.waveforms, batch_size=VALIDATION_BATCH, verbose=0)
    return scores[:, Label.NEUTRON]


def _set_rate(model: Any, rate: Callable[[int], float]) -> Callable[..., None]:
    def begin(epoch: int, *_: object) -> None:
        model.optimizer.learning_rate = rate(epoch)

    return begin


@contextmanager
def seeded(keras: ModuleType, seed: int) -> Iterator[None]:
    """Give Keras a seed; it draws from the global generators of Python and NumPy, which are put back afterwards."""
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002


@dataclass(slots=True)
class _Relay:
    """Turns Keras' calls, which count epochs from 0, into those of listeners."""

    model: Any
    listeners: Sequence[EpochListener]
    feed: EpochFeed
    diverged: bool = False
    started_s: float = field(default_factory=time.perf_counter)

    def begin(self, epoch: int, *_: object) -> None:
        self.started_s = time.perf_counter()
        self.feed.begin_epoch(epoch)

    def end(self, epoch: int, logs: Mapping[str, float]) -> None:
        record = EpochRecord(
            epoch=epoch + 1,
            loss=float(logs["loss"]),
            accuracy=float(logs["accuracy"]),
            val_loss=float(logs["val_loss"]),
            val_accuracy=float(logs["val_accuracy"]),
            duration_s=time.perf_counter() - self.started_s,
        )
        for listener in self.listeners:
            listener.on_epoch(record)
        if not (math.isfinite(record.loss) and math.isfinite(record.val_loss)):
            self.diverged = True
            self.model.stop_training = True
