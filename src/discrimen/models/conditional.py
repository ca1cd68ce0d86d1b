"""Conditional variational auto-encoder: the decoder sees a draw of the code and what it is told of the pulse.

K. Sohn, H. Lee and X. Yan, Adv. Neural Inf. Process. Syst. 28 (2015) 3483. Encoder and decoder are those of an
auto-encoder of the table. The record holds the waveform and behind it the condition, and the code that the model gives
holds the condition too: so the decoder alone takes one row of numbers, whoever computes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from discrimen.errors import SettingsError
from discrimen.models import ARCHITECTURES, check_options, code_width
from discrimen.models.heads import in_spreads
from discrimen.models.variational import drawn_code, mean_and_log_variance, part_of_row


def build_conditional(
    keras: ModuleType,
    architecture: str,
    options: Mapping[str, Any],
    *,
    shape: tuple[int, int],
    n_conditions: int,
    input_spread: float = 1.0,
) -> Any:
    """Build an untrained conditional variational auto-encoder, a ``keras.Model``.

    From records of shape (channel, sample and condition) it leads to the waveform, to the mean of the code with the
    condition behind it, and to the logarithm of the code's variance.

    Parameters
    ----------
    keras : module
        From :func:`discrimen.keras_jax.load_keras`.
    architecture, options
        An auto-encoder of :data:`~discrimen.models.ARCHITECTURES`.
    shape : tuple of int
        Channels (1) and samples of a record, the condition among the samples, behind the waveform.
    n_conditions : int
        Numbers of the condition.
    input_spread : float
        How large the samples are.

    Raises
    ------
    SettingsError
        If the architecture is no auto-encoder of the table.
    """
    width = code_width(architecture, options)
    if width is None:
        fitting = ", ".join(name for name, row in ARCHITECTURES.items() if row.decode is not None)
        raise SettingsError(f"a generator needs an auto-encoder ({fitting}), got the architecture {architecture!r}")
    layers, n_samples = keras.layers, shape[1] - n_conditions
    record = keras.Input(shape, name="record")
    in_a_row = layers.Reshape((shape[1],), name="record_in_a_row")(record)
    waveform = part_of_row(keras, in_a_row, 0, n_samples, name="recorded")
    condition = part_of_row(keras, in_a_row, n_samples, shape[1], name="condition")
    seen = layers.Concatenate(name="seen")([in_spreads(keras, waveform, input_spread), condition])
    # Twice as wide a code holds mean and logarithm of the variance.
    doubled = check_options(architecture, {**options, "code": 2 * width})
    values = ARCHITECTURES[architecture].body(
        keras, layers.Reshape(shape, name="seen_as_record")(seen), options=doubled
    )
    mean, log_variance = mean_and_log_variance(keras, values, width)
    decoder = _decoder(keras, architecture, options, n_samples, width + n_conditions, input_spread)
    code = layers.Concatenate(name="mean_and_condition")([mean, condition])
    # The last layer keeps the values, but gives the output a name of its own.
    given = layers.Reshape((1, n_samples), name="reconstruction")(decoder(code))
    return keras.Model(record, [given, code, log_variance], name=architecture)


def taught_part(keras: ModuleType, model: Any, *, n_conditions: int) -> Any:
    """Return what is fitted of a conditional auto-encoder: its layers, with a draw of the code before the decoder.

    Parameters
    ----------
    keras : module
        From :func:`discrimen.keras_jax.load_keras`.
    model : keras.Model
        From :func:`build_conditional`.
    n_conditions : int
        Numbers of the condition.

    Returns
    -------
    keras.Model
        From records to the decoded samples, the means and the logarithms of the variances, in one row.
    """
    _, code, log_variance = model.outputs
    width = log_variance.shape[1]
    mean = part_of_row(keras, code, 0, width, name="taught_mean")
    condition = part_of_row(keras, code, width, width + n_conditions, name="taught_condition")
    drawn = keras.layers.Concatenate(name="draw_and_condition")([drawn_code(keras, mean, log_variance), condition])
    row = keras.layers.Concatenate(name="taught")([model.get_layer("decoder")(drawn), mean, log_variance])
    return keras.Model(model.inputs[0], row)


def _decoder(
    keras: ModuleType,
    architecture: str,
    options: Mapping[str, Any],
    n_samples: int,
    n_numbers: int,
    spread: float,
) -> Any:
    """Build what makes a row of samples of code and condition."""
    code = keras.Input((n_numbers,), name="code_and_condition")
    decode = ARCHITECTURES[architecture].decode
    assert decode is not None
    chosen = check_options(architecture, options)
    samples = decode(keras, code, shape=(1, n_samples), options=chosen, name="decoded")
    # In a row, so that freezing can fold the factor into the layer before.
    samples = keras.layers.Reshape((n_samples,), name="decoded_in_a_row")(samples)
    if spread != 1:
        samples = keras.layers.Rescaling(spread, name="decoded_in_unit")(samples)
    return keras.Model(code, samples, name="decoder")
