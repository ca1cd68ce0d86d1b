"""Quantisation-aware training with HGQ2: every weight and every sample of the window gets bits of its own.

The bits are trained with the weights: each bit operation costs `beta` in the loss, which grows over the epochs, so that
the network gives up first what it needs least. EBOPs, effective bit operations, are HGQ2's measure of the fabric; a
look-up table of a 7-series FPGA does about one.

Weights saturate and are rounded. Values between the layers wrap and are cut off, which costs no gate; their integer
bits are therefore set afterwards by the largest values that can come, and never by the training run alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import require_module
from discrimen.fpga.architectures import DEFAULT_ARCHITECTURE, LayerKinds, build_chip_network
from discrimen.fpga.float_network import INPUT_FRACTION_BITS, N_CLASSES, Labelled, fit, network_input
from discrimen.keras_jax import KerasSession

_FIRST_BETA = 1e-9
_RAMP_SHARE = 0.6
_LEARNING_RATE = 5e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class FewBits:
    """How the bits are trained.

    Parameters
    ----------
    beta : float
        What an effective bit operation costs in the loss in the end.
    epochs, batch_size : int
        Of the training.
    seed : int
        Of the order of the pulses.
    """

    beta: float
    epochs: int = 200
    batch_size: int = 250
    seed: int = 0


def load_hgq() -> ModuleType:
    """Import HGQ2, after Keras.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    return require_module("hgq", extra="fpga")


@contextmanager
def few_bits_scope(session: KerasSession) -> Iterator[LayerKinds]:
    """Within it, layers of HGQ2 learn their bits as the module says; gives the kinds of layers."""
    hgq = load_hgq()
    scope = hgq.config.QuantizerConfigScope
    with ExitStack() as stack:
        stack.enter_context(scope(q_type="kbi", place="weight", overflow_mode="SAT_SYM", round_mode="RND", b0=8, i0=2))
        stack.enter_context(
            scope(q_type="kif", place="datalane", overflow_mode="WRAP", round_mode="TRN", i0=4, f0=INPUT_FRACTION_BITS)
        )
        stack.enter_context(hgq.config.LayerConfigScope(enable_ebops=True, beta0=_FIRST_BETA))
        yield LayerKinds(session.keras.layers, hgq.layers.QDense, hgq.layers.QConv1D)


def quantised_model(
    session: KerasSession, *, length: int, architecture: str = DEFAULT_ARCHITECTURE, **options: Any
) -> Any:
    """Return an untrained network of HGQ2 of the form of :func:`~discrimen.fpga.float_network.float_model`."""
    with few_bits_scope(session) as kinds:
        return build_chip_network(kinds, session.keras, architecture, options, length=length, n_outputs=N_CLASSES)


def warm_start(model: Any, float_model: Any) -> None:
    """Give a quantised network a copy of the weights of a float one."""
    for layer in float_model.layers:
        if layer.weights:
            model.get_layer(layer.name).kernel.assign(np.array(layer.kernel))


def train_quantised(
    session: KerasSession,
    float_network: Any,
    training: Labelled,
    *,
    architecture: str,
    options: Mapping[str, Any],
    worst: NDArray[Any],
    how: FewBits,
) -> Any:
    """Train a network of few bits, starting from a float one.

    Parameters
    ----------
    session : KerasSession
        Keras.
    float_network : keras.Model
        Of :func:`~discrimen.fpga.float_network.train_float`.
    training : Labelled
        Windows to learn from.
    architecture, options
        Those of the float network.
    worst : ndarray of int, shape (window, sample)
        Windows that hold the largest values which must not wrap.
    how : FewBits
        Cost of a bit and length of the training.

    Returns
    -------
    keras.Model
        Its integer bits hold the values of `training` and `worst`.
    """
    session.keras.utils.set_random_seed(how.seed)
    model = quantised_model(session, length=training.values.shape[1], architecture=architecture, **options)
    warm_start(model, float_network)
    trace(model, training.values)
    fit(
        session,
        model,
        training,
        epochs=how.epochs,
        batch_size=how.batch_size,
        learning_rate=_LEARNING_RATE,
        callbacks=beta_callbacks(how),
    )
    trace(model, np.concatenate([training.values, worst]))
    return model


def beta_callbacks(how: FewBits) -> tuple[Any, ...]:
    """Return the callbacks that raise the cost of a bit over the epochs and count the EBOPs."""
    sugar = require_module("hgq.utils.sugar", extra="fpga")
    ramp = max(1, round(_RAMP_SHARE * how.epochs))
    schedule = sugar.PieceWiseSchedule([(0, _FIRST_BETA, "linear"), (ramp, how.beta, "constant")])
    return sugar.BetaScheduler(schedule), sugar.FreeEBOPs()


def trace(model: Any, values: NDArray[Any]) -> int:
    """Set the integer bits between the layers so that these windows do not wrap; return the EBOPs."""
    return int(load_hgq().utils.trace_minmax(model, network_input(values), batch_size=8192))


def ebops_of(model: Any) -> int:
    """Return the effective bit operations of a network, as the last trace found them."""
    return int(sum(float(layer.ebops) for layer in model.layers if getattr(layer, "enable_ebops", False)))
