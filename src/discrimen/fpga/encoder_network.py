"""The encoder of a dense auto-encoder in few bits: a window becomes a few code words, of which software makes it again.

The encoder goes on chip, the decoder stays in floating point off chip. Both are without biases: twice the pulse gives
twice the code. The words have a fixed number of bits and saturate; the bits of all weights and of the values between
the layers are learned as those of :mod:`discrimen.fpga.quantised_network`.

The loss is the mean square of what the decoder misses, each pulse weighted by one over its height: the photoelectrons'
part of the noise grows with its square root, so that no height counts more than another. It is 1 where the float
network misses, which gives `beta` a meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from discrimen.errors import require_module
from discrimen.fpga.architectures import LayerKinds, checked_options
from discrimen.fpga.float_network import INPUT_FRACTION_BITS, network_input
from discrimen.fpga.quantised_network import FewBits, beta_callbacks, few_bits_scope, trace
from discrimen.keras_jax import KerasSession
from discrimen.models.options import ArchitectureOptions, Widths

WORDS = "code_words"
_BATCH = 4096
_RATE = 5e-3
_STEPS_PER_EXECUTION = 64


class ChipEncoderOptions(ArchitectureOptions):
    """Widths of the layers before the code (those of the decoder in reverse), code words, and bits of each.

    Without a hidden layer, as by default, the code is linear in the samples.
    """

    hidden: Widths = ()
    code: PositiveInt = 8
    word_bits: PositiveInt = 14


def check_encoder_options(options: Mapping[str, Any]) -> ChipEncoderOptions:
    """Return complete options.

    Raises
    ------
    SettingsError
        If there is no such option, or a value does not fit.
    """
    checked = checked_options("the encoder", ChipEncoderOptions, options)
    assert isinstance(checked, ChipEncoderOptions)
    return checked


@dataclass(frozen=True, slots=True, eq=False)
class Autoencoder:
    """A trained auto-encoder.

    Parameters
    ----------
    encoder, decoder : keras.Model
        From a window in units of 1024 counts to the code, and back.
    seed : int
        Of its training.
    """

    encoder: Any
    decoder: Any
    seed: int

    def reconstructed(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return what the decoder makes of windows, in counts, shape (window, sample)."""
        code = self.encoder.predict(network_input(values), batch_size=_BATCH, verbose=0)
        found: NDArray[np.float32] = self.decoder.predict(code, batch_size=_BATCH, verbose=0)
        return np.ldexp(found, INPUT_FRACTION_BITS)


def weights_of(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return one over the height of each window, 1 in the mean, shape (window,)."""
    inverse = 1 / np.maximum(values.max(axis=1), 1).astype(np.float64)
    weights: NDArray[np.float32] = (inverse / inverse.mean()).astype(np.float32)
    return weights


def weighted_loss(model: Autoencoder, values: NDArray[Any]) -> float:
    """Return the weighted mean square of what is missed, in units of 1024 counts."""
    missed = np.ldexp(model.reconstructed(values) - values, -INPUT_FRACTION_BITS).astype(np.float64)
    return float(np.mean(weights_of(values) * np.mean(missed**2, axis=1)))


def _encoder(kinds: LayerKinds, keras: Any, length: int, options: ChipEncoderOptions, words: Sequence[Any] = ()) -> Any:
    window = values = keras.layers.Input((length,), name="window")
    for number, width in enumerate(options.hidden):
        values = kinds.dense(width, activation="relu", use_bias=False, name=f"encoder_{number}")(values)
    values = kinds.dense(options.code, use_bias=False, name="code")(values)
    for layer in words:
        values = layer(values)
    return keras.Model(window, values, name="encoder")


def _decoder(keras: Any, length: int, options: ChipEncoderOptions) -> Any:
    code = values = keras.layers.Input((options.code,), name="code_in")
    for number, width in enumerate(reversed(options.hidden)):
        values = keras.layers.Dense(width, activation="relu", use_bias=False, name=f"decoder_{number}")(values)
    samples = keras.layers.Dense(length, use_bias=False, name="decoder_samples")(values)
    return keras.Model(code, samples, name="decoder")


def train_float_autoencoder(
    session: KerasSession,
    values: NDArray[Any],
    *,
    options: ChipEncoderOptions,
    worst: NDArray[Any],
    integer_bits: int,
    epochs: int,
    batch_size: int,
    seed: int,
) -> Autoencoder:
    """Train an auto-encoder in floating point.

    Parameters
    ----------
    session : KerasSession
        Keras.
    values : ndarray of int, shape (window, sample)
        Windows to learn from.
    options : ChipEncoderOptions
        Its form.
    worst : ndarray of int, shape (window, sample)
        Windows whose code must just not reach the end of a word.
    integer_bits : int
        Of a word.
    epochs, batch_size, seed : int
        Of the training.
    """
    keras, length = session.keras, values.shape[1]
    keras.utils.set_random_seed(seed)
    kinds = LayerKinds(keras.layers, keras.layers.Dense, keras.layers.Conv1D)
    done = Autoencoder(_encoder(kinds, keras, length, options), _decoder(keras, length, options), seed)
    _fit(session, done, values, epochs=epochs, batch_size=batch_size)
    _fill_words(done, worst, limit=2.0**integer_bits)
    return done


def train_encoder(
    session: KerasSession,
    start: Autoencoder,
    values: NDArray[Any],
    *,
    options: ChipEncoderOptions,
    worst: NDArray[Any],
    integer_bits: int,
    how: FewBits,
) -> Autoencoder:
    """Train an encoder of few bits and its decoder, starting from a float auto-encoder.

    Parameters
    ----------
    start : Autoencoder
        Of :func:`train_float_autoencoder`, with the same options.
    how : FewBits
        Cost of a bit and length of the training.
    session, values, options, worst, integer_bits
        See there.
    """
    keras, length = session.keras, values.shape[1]
    keras.utils.set_random_seed(how.seed)
    with few_bits_scope(session) as kinds:
        words = _words(options.word_bits, integer_bits)
        encoder = _encoder(kinds, keras, length, options, words=[words])
    done = Autoencoder(encoder, _decoder(keras, length, options), how.seed)
    for mine, given in ((done.encoder, start.encoder), (done.decoder, start.decoder)):
        for layer in given.layers:
            if layer.weights:
                mine.get_layer(layer.name).kernel.assign(np.array(layer.kernel))
    trace(done.encoder, values)
    _fit(
        session,
        done,
        values,
        epochs=how.epochs,
        batch_size=how.batch_size,
        unit=weighted_loss(start, values),
        callbacks=beta_callbacks(how),
    )
    trace(done.encoder, np.concatenate([values, worst]))
    return done


def _words(word_bits: int, integer_bits: int) -> Any:
    """Return the layer that cuts each value to a word: two's complement, saturating, its bits fixed."""
    quantizer = require_module("hgq.quantizer", extra="fpga")
    config = quantizer.QuantizerConfig(
        q_type="kif",
        place="datalane",
        k0=1,
        i0=integer_bits,
        f0=word_bits - 1 - integer_bits,
        overflow_mode="SAT",
        round_mode="TRN",
        trainable=False,
    )
    return quantizer.Quantizer(config, name=WORDS)


def _fill_words(model: Autoencoder, worst: NDArray[Any], *, limit: float) -> None:
    """Scale each value of the code so that the largest just fits, and the decoder back: it gives the very same."""
    code = model.encoder.predict(network_input(worst), batch_size=_BATCH, verbose=0)
    factor = limit / np.maximum(np.abs(code).max(axis=0), 1e-6)
    last, first = model.encoder.get_layer("code"), model.decoder.layers[1]
    last.kernel.assign(np.array(last.kernel) * factor[None, :])
    first.kernel.assign(np.array(first.kernel) / factor[:, None])


def _fit(
    session: KerasSession,
    model: Autoencoder,
    values: NDArray[Any],
    *,
    epochs: int,
    batch_size: int,
    unit: float = 1.0,
    callbacks: Sequence[Any] = (),
) -> None:
    """Train with Adam and a rate that falls towards 0; the loss is in units of `unit`."""
    keras = session.keras
    joined = keras.Model(model.encoder.input, model.decoder(model.encoder.output))
    steps = max(1, len(values) // batch_size) * epochs

    def missed(truth: Any, found: Any) -> Any:
        return keras.ops.mean(keras.ops.square(truth - found), axis=-1) / unit

    joined.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(_RATE, steps)),
        loss=missed,
        steps_per_execution=_STEPS_PER_EXECUTION,
    )
    given = network_input(values)
    joined.fit(
        given,
        given,
        sample_weight=weights_of(values),
        epochs=epochs,
        batch_size=min(batch_size, len(values)),
        callbacks=list(callbacks),
        verbose=0,
    )
