"""Variational codes: a mean and a variance for each number of a code, a draw of them, and what they cost.

D. P. Kingma and M. Welling, arXiv:1312.6114: the encoder gives a normal distribution for each pulse, the decoder sees
a draw of it, and the loss adds the Kullback-Leibler divergence from the standard normal distribution, times a factor
beta (I. Higgins et al., Int. Conf. Learn. Represent. (2017)).

Only Keras' own layers are used, so that a saved network is data without code; noise is drawn in training alone.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

LARGEST_LOG_VARIANCE = 10.0
"""In size: variances between 5e-5 and 2e4, so that no exponential overflows early in a training."""


def mean_and_log_variance(keras: ModuleType, values: Any, width: int, *, name: str = "code") -> tuple[Any, Any]:
    """Take twice as many values as a code has numbers apart.

    Parameters
    ----------
    keras : module
        From :func:`discrimen.keras_jax.load_keras`.
    values : KerasTensor, shape (pulse, 2 x width)
        What an encoder gives.
    width : int
        Numbers of the code.
    name : str
        Of the layers.

    Returns
    -------
    mean, log_variance : KerasTensor, shape (pulse, width)
        The logarithm is kept within :data:`LARGEST_LOG_VARIANCE`, smoothly.
    """
    layers = keras.layers
    mean = part_of_row(keras, values, 0, width, name=f"{name}_mean")
    bounded = part_of_row(keras, values, width, 2 * width, name=f"{name}_log_variance_free")
    bounded = layers.Rescaling(1 / LARGEST_LOG_VARIANCE, name=f"{name}_log_variance_scaled")(bounded)
    bounded = layers.Activation("tanh", name=f"{name}_log_variance_bounded")(bounded)
    return mean, layers.Rescaling(LARGEST_LOG_VARIANCE, name=f"{name}_log_variance")(bounded)


def part_of_row(keras: ModuleType, values: Any, start: int, stop: int, *, name: str) -> Any:
    """Return the numbers from `start` to before `stop` of values of shape (pulse, number), by plain layers."""
    layers, length = keras.layers, values.shape[1]
    steps = layers.Reshape((length, 1), name=f"{name}_steps")(values)
    cropped = layers.Cropping1D((start, length - stop), name=f"{name}_cropped")(steps)
    return layers.Flatten(data_format="channels_last", name=name)(cropped)


def drawn_code(keras: ModuleType, mean: Any, log_variance: Any, *, name: str = "code") -> Any:
    """Return a draw of the code in training, its mean elsewhere; see :func:`mean_and_log_variance`."""
    layers = keras.layers
    nothing = layers.Rescaling(0.0, name=f"{name}_nothing")(mean)
    noise = layers.GaussianNoise(1.0, name=f"{name}_noise")(nothing)
    spread = layers.Rescaling(0.5, name=f"{name}_log_spread")(log_variance)
    spread = layers.Activation("exponential", name=f"{name}_spread")(spread)
    off_mean = layers.Multiply(name=f"{name}_off_mean")([spread, noise])
    return layers.Add(name=f"{name}_drawn")([mean, off_mean])


def kl_divergence(ops: Any, mean: Any, log_variance: Any) -> Any:
    """Return the divergence from independent standard normal numbers in nats, shape (pulse,).

    Parameters
    ----------
    ops : module
        ``keras.ops``.
    mean, log_variance : tensor, shape (pulse, number)
        Of the code.
    """
    return 0.5 * ops.sum(ops.exp(log_variance) + ops.square(mean) - 1.0 - log_variance, axis=-1)
