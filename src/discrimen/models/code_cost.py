"""What the code of an auto-encoder costs while it is taught: divergence of a variational code, correlation of latents.

The network that is taught has the layers of the model that stays, and beside them what is needed in training alone:
the variance of each latent, a draw of the code for the decoder, and a layer that adds up the cost. It is never saved,
so what stays is the plain auto-encoder, whose code is the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from discrimen.models.variational import drawn_code, kl_divergence, mean_and_log_variance

CODE_LAYER = "code"
"""Name of the layer whose values are the code, in the body of every auto-encoder."""
COST_LAYER = "code_cost"
COLUMNS = ("cost", "kl_nats", "squared_correlation")
"""What the layer gives behind the waveform for each pulse: what is added to the loss, and its two parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeCost:
    """Weights of the cost, in units of the mean square of the residual.

    Parameters
    ----------
    kl : float or None
        Of the divergence in nats; None for a code that is not variational.
    decorrelation : float
        Of the mean squared correlation between two latents.
    warm_up_epochs : int
        Epochs over which the weight of the divergence grows from 0.
    """

    kl: float | None
    decorrelation: float
    warm_up_epochs: int = 0

    def share_of_divergence(self, epoch: int) -> float:
        """Return how much of its weight the divergence has in an epoch, counted from 0."""
        return 1.0 if epoch >= self.warm_up_epochs else epoch / self.warm_up_epochs


def with_code_cost(keras: ModuleType, model: Any, cost: CodeCost) -> Any:
    """Return the network that is taught in place of an auto-encoder.

    Parameters
    ----------
    keras : module
        From :func:`discrimen.keras_jax.load_keras`.
    model : keras.Model
        Whose first output is the waveform.
    cost : CodeCost
        How much it costs.

    Returns
    -------
    keras.Model
        Gives rows of the flat waveform and :data:`COLUMNS`; it shares the layers of `model`.
    """
    layers = keras.layers
    code, waveform = model.get_layer(CODE_LAYER).output, model.outputs[0]
    given = [code]
    if cost.kl is not None:
        width = code.shape[-1]
        before = model.get_layer(CODE_LAYER).input
        # Little noise at first, or the decoder learns to leave the code alone.
        raw = layers.Dense(width, kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(-1.0))
        both = layers.Concatenate(name="code_and_variance")([code, raw(before)])
        mean, log_variance = mean_and_log_variance(keras, both, width)
        waveform = keras.Model(code, waveform, name="decoder")(drawn_code(keras, mean, log_variance))
        given.append(log_variance)
    flat = layers.Flatten(data_format="channels_last", name="waveform_in_a_row")(waveform)
    costs = _cost_layer(keras, cost)(given)
    return keras.Model(model.inputs[0], layers.Concatenate(name="waveform_and_cost")([flat, costs]))


def set_epoch(cost: CodeCost, taught: Any, epoch: int) -> None:
    """Let the divergence count as much as it should in an epoch, counted from 0."""
    taught.get_layer(COST_LAYER).share.assign(cost.share_of_divergence(epoch))


def _cost_layer(keras: ModuleType, cost: CodeCost) -> Any:
    ops = keras.ops

    class CodeCostLayer(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def build(self, _: Any) -> None:
            self.share = self.add_weight(shape=(), initializer="ones", trainable=False, name="share")

        def call(self, given: list[Any], training: bool = False) -> Any:
            code = given[0]
            nothing = ops.zeros_like(code[:, :1])
            divergence = nothing
            if cost.kl is not None:
                divergence = kl_divergence(ops, code, given[1])[:, None]
            together = nothing + _mean_squared_correlation(ops, code)
            # Validation always counts the whole, so that its epochs can be compared.
            share = self.share if training else 1.0
            total = share * (cost.kl or 0.0) * divergence + cost.decorrelation * together
            return ops.concatenate([total, divergence, together], axis=1)

        def compute_output_shape(self, shapes: Any) -> tuple[Any, int]:
            return (shapes[0][0], len(COLUMNS))

    return CodeCostLayer(name=COST_LAYER)


def _mean_squared_correlation(ops: Any, code: Any) -> Any:
    """Return the mean over all pairs of latents of their squared correlation over a batch."""
    width = code.shape[-1]
    if width < 2:
        return ops.zeros(())
    centred = code - ops.mean(code, axis=0, keepdims=True)
    n_pulses = ops.cast(ops.shape(code)[0], "float32")
    covariance = ops.matmul(ops.transpose(centred), centred) / n_pulses
    # A latent that does not vary correlates with none.
    variance = ops.diagonal(covariance) + 1e-6
    squared = ops.square(covariance) / (variance[:, None] * variance[None, :])
    return (ops.sum(squared) - ops.sum(ops.diagonal(squared))) / (width * (width - 1))
