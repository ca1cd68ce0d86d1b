"""The float network from which the few bits start, and which is their measure: ReLU, without biases.

Without biases the network is scale-invariant: twice the pulse gives twice the logits and the same decision. It needs no
division by the peak, which no fabric does cheaply. What it sees are counts above the baseline, divided by a power of
two, which moves the binary point and costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.fpga.architectures import DEFAULT_ARCHITECTURE, LayerKinds, build_chip_network
from discrimen.keras_jax import KerasSession

INPUT_FRACTION_BITS = 10
"""The network sees counts / 1024: the binary point of its input lies so many bits from the right."""
N_CLASSES = 2
_STEPS_PER_EXECUTION = 64
_VALIDATION_BATCH = 4096


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Labelled:
    """Windows with their truth.

    Parameters
    ----------
    values : ndarray of int32, shape (window, sample)
        Counts above the baseline.
    label : ndarray of int8, shape (window,)
        Gamma or neutron.
    light_kevee : ndarray of float32, shape (window,), or None
        Light of the pulse, where it is known.
    """

    values: NDArray[np.int32]
    label: NDArray[np.int8]
    light_kevee: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True, eq=False)
class FloatTraining:
    """One float training.

    Parameters
    ----------
    model : keras.Model
        From input in units of 1024 counts to two logits.
    seed : int
        Of weights and order.
    validation_loss : float
        Cross-entropy in nats at the end.
    """

    model: Any
    seed: int
    validation_loss: float


def network_input(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return what the Keras models see of windows, exactly: counts / 1024, shape (window, sample)."""
    return np.ldexp(values.astype(np.float32), -INPUT_FRACTION_BITS)


def float_model(session: KerasSession, *, length: int, architecture: str = DEFAULT_ARCHITECTURE, **options: Any) -> Any:
    """Return the untrained network of an architecture of :data:`~discrimen.fpga.architectures.CHIP_ARCHITECTURES`."""
    layers = session.keras.layers
    kinds = LayerKinds(layers, layers.Dense, layers.Conv1D)
    return build_chip_network(kinds, session.keras, architecture, options, length=length, n_outputs=N_CLASSES)


def train_float(
    session: KerasSession,
    training: Labelled,
    validation: Labelled,
    *,
    architecture: str,
    options: Mapping[str, Any],
    epochs: int,
    batch_size: int,
    seed: int,
) -> FloatTraining:
    """Train one float network."""
    session.keras.utils.set_random_seed(seed)
    model = float_model(session, length=training.values.shape[1], architecture=architecture, **options)
    fit(session, model, training, epochs=epochs, batch_size=batch_size, learning_rate=2e-3, callbacks=())
    loss = cross_entropy(logits_of(model, validation.values), validation.label)
    return FloatTraining(model, seed, loss)


def best_of(
    session: KerasSession,
    training: Labelled,
    validation: Labelled,
    *,
    architecture: str,
    options: Mapping[str, Any],
    epochs: int,
    batch_size: int,
    seeds: Sequence[int],
    on_trained: Callable[[FloatTraining], None] = lambda _: None,
) -> tuple[FloatTraining, ...]:
    """Train a network for each seed; the one of least loss on the validation run comes first.

    Raises
    ------
    SettingsError
        If there are no seeds.
    """
    if not seeds:
        raise SettingsError("the float network needs at least one training")
    done = []
    for seed in seeds:
        one = train_float(
            session,
            training,
            validation,
            architecture=architecture,
            options=options,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
        )
        on_trained(one)
        done.append(one)
    return tuple(sorted(done, key=lambda each: each.validation_loss))


def fit(
    session: KerasSession,
    model: Any,
    training: Labelled,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    callbacks: Sequence[Any],
) -> None:
    """Train with Adam and a rate that falls towards 0, on logits."""
    keras = session.keras
    steps = max(1, len(training) // batch_size) * epochs
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=_STEPS_PER_EXECUTION,
    )
    model.fit(
        network_input(training.values),
        training.label.astype(np.int32),
        epochs=epochs,
        batch_size=min(batch_size, len(training)),
        callbacks=list(callbacks),
        verbose=0,
    )


def logits_of(model: Any, values: NDArray[Any]) -> NDArray[np.float32]:
    """Return the two logits of each window, shape (window, class)."""
    found: NDArray[np.float32] = model.predict(network_input(values), batch_size=_VALIDATION_BATCH, verbose=0)
    return found


def cross_entropy(logits: NDArray[Any], label: NDArray[Any]) -> float:
    """Mean cross-entropy in nats."""
    wide = logits.astype(np.float64)
    total = np.logaddexp.reduce(wide, axis=1)
    return float(np.mean(total - wide[np.arange(len(wide)), label]))


def neutron_score(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Return what the chip compares with its threshold: logit of the neutron minus that of the gamma."""
    return logits[:, 1].astype(np.float64) - logits[:, 0].astype(np.float64)
