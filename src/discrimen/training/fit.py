"""The epochs themselves: Keras trains, listeners hear of each epoch."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from discrimen.keras_jax import KerasSession, forbid_cudnn
from discrimen.models import build_model
from discrimen.models.heads import unit_layer_name
from discrimen.network.outputs import Output
from discrimen.training.config import TrainingConfig
from discrimen.training.epoch_feed import EpochFeed, plain_feed
from discrimen.training.examples import Examples
from discrimen.training.history import EpochListener, EpochRecord
from discrimen.training.interruption import remembered_interruption
from discrimen.training.loss import HARD_LOSS
from discrimen.training.tasks import Learning

StopReason = Literal["epochs", "patience", "divergence", "interrupt"]

STEPS_PER_EXECUTION = 64
"""Steps between two returns to Keras' callbacks; a return after each step costs more than the step itself."""
VALIDATION_BATCH = 4096

OF_HARD_LABELS = Learning(loss=HARD_LOSS, loss_label="cross-entropy (nats)", metrics=("accuracy",))


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A network, and the part of it that is compiled and fitted.

    Parameters
    ----------
    model : keras.Model
        With all its outputs.
    taught : keras.Model
        The same layers with what has targets as its only output; it is the model itself where that is all.
    """

    model: Any
    taught: Any


def compiled_model(
    session: KerasSession,
    config: TrainingConfig,
    *,
    shape: tuple[int, int],
    outputs: Sequence[Output],
    learning: Learning = OF_HARD_LABELS,
    start: Callable[[Any], None] | None = None,
) -> Fitted:
    """Build the network and give it optimizer, loss and metrics.

    Parameters
    ----------
    session : KerasSession
        Where.
    config : TrainingConfig
        Architecture and optimizer.
    shape : tuple of int
        Channels and samples of a prepared pulse.
    outputs : sequence of Output
        What the model gives.
    learning : Learning
        Loss and metrics of the task.
    start : callable, optional
        Gives the network other weights than random ones before it is compiled.
    """
    keras = session.keras
    if learning.build is not None:
        model = learning.build(keras, config, shape)
    else:
        model = build_model(
            keras,
            config.architecture,
            config.options,
            shape=shape,
            outputs=outputs,
            input_spread=learning.input_spread,
            stabilised_unit=learning.stabilised_unit,
        )
    forbid_cudnn(model)
    for number, (mean, spread) in learning.units.items():
        _set_unit(model.get_layer(unit_layer_name(outputs[number])), outputs[number], mean, spread)
    if start is not None:
        start(model)
    taught = _taught(keras, model, learning)
    optimizer = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[config.optimizer]
    rate = {} if config.learning_rate is None else {"learning_rate": config.learning_rate}
    taught.compile(
        optimizer=optimizer(**rate),
        loss=learning.loss,
        metrics=list(learning.metrics),
        steps_per_execution=STEPS_PER_EXECUTION,
    )
    return Fitted(model, taught)


def fit(
    session: KerasSession,
    fitted: Fitted,
    config: TrainingConfig,
    *,
    training: Examples,
    validation: Examples,
    listeners: Sequence[EpochListener],
    learning: Learning = OF_HARD_LABELS,
    feed: EpochFeed | None = None,
    begun: Sequence[EpochRecord] = (),
) -> StopReason:
    """Train until the epochs are over, the patience ends, the loss is no number, or the user interrupts.

    Listeners are called in their order at the end of each epoch. A feed tells what the training part looks like in
    each epoch; without one it is always the same. Where a training goes on, `begun` are the epochs before: what an
    epoch draws follows from the seed and its number alone, so that it comes out as if nothing had happened.
    """
    feed = plain_feed(training, config, targets=learning.packed(training.targets)) if feed is None else feed
    model, keras = fitted.taught, session.keras
    relay = _Relay(model, listeners, feed, config, best=_best_of(begun))
    callbacks = [keras.callbacks.LambdaCallback(on_epoch_begin=relay.begin, on_epoch_end=relay.end)]
    if config.learning_rate_decay == "cosine":
        first = config.learning_rate or float(type(model.optimizer)().learning_rate)
        rate = half_cosine(first, epochs=config.epochs)
        # Keras' own LearningRateScheduler reads the rate in a way that NumPy warns of.
        callbacks.append(keras.callbacks.LambdaCallback(on_epoch_begin=_set_rate(model, rate)))
    if learning.begin_epoch is not None:
        begin = partial(learning.begin_epoch, model)
        callbacks.append(keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, *_: begin(epoch)))
    try:
        with remembered_interruption() as interruption:
            callbacks.append(keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: interruption.insist()))
            model.fit(
                **feed.arguments(keras),
                validation_data=(validation.waveforms, learning.packed(validation.targets)),
                validation_batch_size=VALIDATION_BATCH,
                initial_epoch=len(begun),
                epochs=config.epochs,
                callbacks=callbacks,
                verbose=0,
            )
    except KeyboardInterrupt:
        return "interrupt"
    return relay.stopped_by


def half_cosine(first: float, *, epochs: int) -> Callable[[int], float]:
    """Return the learning rate of each epoch, counted from 0: `first`, then less and less, next to 0 in the last.

    Half a period of a cosine, after I. Loshchilov and F. Hutter, arXiv:1608.03983, without their restarts.
    """
    return lambda epoch: first * (1 + math.cos(math.pi * epoch / epochs)) / 2


def first_output(model: Any, examples: Examples) -> NDArray[np.float32]:
    """Return what the first output of a model gives for each example, by the model as it is now."""
    return all_outputs(model, examples)[0]


def all_outputs(model: Any, examples: Examples) -> tuple[NDArray[np.float32], ...]:
    """Return what each output of a model gives for each example, by the model as it is now."""
    given = model.predict(examples.waveforms, batch_size=VALIDATION_BATCH, verbose=0)
    return tuple(given) if isinstance(given, list | tuple) else (given,)


def _taught(keras: ModuleType, model: Any, learning: Learning) -> Any:
    if learning.taught is not None:
        return learning.taught(model)
    if len(model.outputs) == 1:
        return model
    taught = [model.outputs[number] for number in learning.trained]
    if len(taught) == 1:
        return keras.Model(model.inputs[0], taught[0])
    rows = [each if len(each.shape) == 2 else keras.layers.Flatten()(each) for each in taught]
    return keras.Model(model.inputs[0], keras.layers.Concatenate()(rows))


def _set_unit(layer: Any, output: Output, mean: NDArray[np.float64], spread: NDArray[np.float64]) -> None:
    """Let the last layer of a quantity turn units of the spread into the quantity's own; see `add_units`."""
    nothing = np.zeros_like(mean)
    scale = np.concatenate([spread, spread]) if output.with_error else spread
    layer.set_weights([np.diag(scale), np.concatenate([mean, nothing]) if output.with_error else mean])


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


def _best_of(records: Sequence[EpochRecord]) -> EpochRecord | None:
    best = None
    for record in records:
        if best is None or record.val_loss < best.val_loss:
            best = record
    return best


@dataclass(slots=True)
class _Relay:
    """Turns Keras' calls, which count epochs from 0, into those of listeners, and ends the training."""

    model: Any
    listeners: Sequence[EpochListener]
    feed: EpochFeed
    config: TrainingConfig
    best: EpochRecord | None
    stopped_by: StopReason = "epochs"
    started_s: float = field(default_factory=time.perf_counter)

    def begin(self, epoch: int, *_: object) -> None:
        self.started_s = time.perf_counter()
        # Keras draws the order of an epoch from here; it must follow from the number of the epoch alone.
        state = np.random.SeedSequence([self.config.seed, 3, epoch]).generate_state(1)[0]
        np.random.seed(state)  # noqa: NPY002
        self.feed.begin_epoch(epoch)

    def end(self, epoch: int, logs: Mapping[str, float]) -> None:
        figures = {name: float(value) for name, value in logs.items()}
        record = EpochRecord(
            epoch=epoch + 1,
            loss=figures.pop("loss"),
            val_loss=figures.pop("val_loss"),
            metrics=figures,
            duration_s=time.perf_counter() - self.started_s,
        )
        for listener in self.listeners:
            listener.on_epoch(record)
        if self.best is None or record.val_loss < self.best.val_loss:
            self.best = record
        if not (math.isfinite(record.loss) and math.isfinite(record.val_loss)):
            self._stop("divergence")
        elif self.config.patience is not None and record.epoch - self.best.epoch >= self.config.patience:
            self._stop("patience")

    def _stop(self, reason: StopReason) -> None:
        self.stopped_by = reason
        self.model.stop_training = True
