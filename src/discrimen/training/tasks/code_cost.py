"""How an auto-encoder is taught whose code costs something: a variational one, or one without correlated latents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import prod
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.models.code_cost import COLUMNS, CodeCost, set_epoch, with_code_cost
from discrimen.models.options import AutoencoderOptions, VariationalOptions
from discrimen.training.examples import Examples
from discrimen.training.tasks.base import Learning

_LEAST_NOISE_SHARE = 1e-3
"""Of the root mean square of the pulses: pulses without any noise have this one."""

Residual = Callable[[Any, Any], Any]
"""From targets and waveforms, shape (pulse, channel, sample), to a number for each pulse."""


def learning_with_cost(
    keras: ModuleType, plain: Learning, residuals: tuple[Residual, Residual], options: AutoencoderOptions, of: Examples
) -> Learning:
    """Return how a network is taught whose loss has the cost of its code besides the residual.

    Parameters
    ----------
    keras : module
        From :func:`discrimen.keras_jax.load_keras`.
    plain : Learning
        Without the cost.
    residuals : tuple of callable
        Its loss and its metric.
    options : AutoencoderOptions
        What costs how much.
    of : Examples
        Trained on.
    """
    shape = of.waveforms.shape[1:]
    n_values = prod(shape)
    cost = code_cost(options, of.waveforms / plain.input_spread)
    square, absolute = (partial(_of_rows, keras.ops, residual, shape) for residual in residuals)

    def loss(targets: Any, values: Any) -> Any:
        return square(targets, values) + values[:, n_values]

    named: dict[str, Residual] = {"absolute_error": absolute, "mean_square": square}
    if cost.kl is not None:
        named["kl_nats"] = _column(n_values + COLUMNS.index("kl_nats"))
    if cost.decorrelation:
        named["squared_correlation"] = _column(n_values + COLUMNS.index("squared_correlation"))
    return replace(
        plain,
        loss=loss,
        loss_label=f"{plain.loss_label} and cost of the code",
        metrics=tuple(keras.metrics.MeanMetricWrapper(each, name=name) for name, each in named.items()),
        packed=_in_rows,
        taught=partial(with_code_cost, keras, cost=cost),
        begin_epoch=partial(set_epoch, cost),
    )


def code_cost(options: AutoencoderOptions, waveforms: NDArray[np.float32]) -> CodeCost:
    """Return the weights of the cost in units of the mean square of the residual.

    The evidence lower bound of a pulse with Gaussian noise is, but for a constant, the sum of squares over twice the
    variance of the noise, and the divergence; times twice that variance over the number of samples, it is the mean
    square and the divergence with the weight that is returned, times beta.

    Parameters
    ----------
    options : AutoencoderOptions
        Checked.
    waveforms : ndarray of float32, shape (pulse, channel, sample)
        Trained on, in the scale of the loss.
    """
    if not isinstance(options, VariationalOptions):
        return CodeCost(kl=None, decorrelation=options.decorrelation)
    weight = 2 * noise_variance(waveforms) / prod(waveforms.shape[1:])
    return CodeCost(
        kl=options.beta * weight, decorrelation=options.decorrelation, warm_up_epochs=options.warm_up_epochs
    )


def noise_variance(waveforms: NDArray[np.float32]) -> float:
    """Return the variance of the noise: that of the quietest sample over the pulses, averaged over the channels.

    Before the pulse, where the baseline was subtracted, nothing but noise moves a sample.

    Parameters
    ----------
    waveforms : ndarray of float32, shape (pulse, channel, sample)
        Prepared.
    """
    values = waveforms.astype(np.float64)
    least = _LEAST_NOISE_SHARE**2 * np.square(values).mean()
    return max(float(values.var(axis=0).min(axis=1).mean()), float(least))


def _of_rows(ops: Any, residual: Residual, shape: tuple[int, ...], targets: Any, values: Any) -> Any:
    waveforms = ops.reshape(values[:, : prod(shape)], (-1, *shape))
    return residual(ops.reshape(targets, (-1, *shape)), waveforms)


def _column(number: int) -> Residual:
    def of_pulses(_: Any, values: Any) -> Any:
        return values[:, number]

    return of_pulses


def _in_rows(targets: NDArray[Any]) -> NDArray[Any]:
    return targets.reshape(len(targets), -1)
