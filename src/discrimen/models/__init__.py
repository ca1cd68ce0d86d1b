"""Network architectures, one a file, and the one table of them.

A network is a body and heads. The body takes prepared pulses, float32 of shape (pulse, channel, sample); each output
of the model has a head on it. The body of an auto-encoder is its encoder, whose code a decoder makes a waveform of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType, ModuleType
from typing import Any

from pydantic import ValidationError

from discrimen.errors import SettingsError
from discrimen.models import (
    cnn,
    conv_autoencoder,
    dense_autoencoder,
    gru,
    lstm,
    mlp,
    neighbours,
    neighbours_autoencoder,
    patches,
    resnet,
    traces,
)
from discrimen.models.heads import add_heads, add_units, in_spreads
from discrimen.models.options import ArchitectureOptions, AutoencoderOptions
from discrimen.models.own_file import build_own, is_own
from discrimen.models.stabilising import restored, stabilised
from discrimen.network.outputs import Output, class_scores

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "ArchitectureOptions",
    "build_model",
    "check_options",
    "code_cost_options",
    "code_width",
    "complete_options",
]


GAMMA_AND_NEUTRON = (class_scores(("gamma", "neutron")),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """One row of the table of architectures.

    Parameters
    ----------
    description : str
        One line for people.
    options : type
        The options, their types and their defaults.
    body : callable
        ``body(keras, waveform, options=...)`` puts layers on a tensor of shape (pulse, channel, sample) and returns
        what the heads take, of shape (pulse, value).
    decode : callable or None
        Of an auto-encoder, whose option `code`, if it has one, is the width of its code:
        ``decode(keras, code, shape=..., options=..., name=...)`` returns a waveform of shape (pulse, channel, sample).
    """

    description: str
    options: type[ArchitectureOptions]
    body: Callable[..., Any]
    decode: Callable[..., Any] | None = None


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "mlp": Architecture(
            description="dense layers; the reference network 75-10-4-2 by default",
            options=mlp.MlpOptions,
            body=mlp.body,
        ),
        "cnn": Architecture(
            description="two convolutions, pooling, global average", options=cnn.CnnOptions, body=cnn.body
        ),
        "patches": Architecture(
            description="one strided convolution over overlapping patches, then dense layers",
            options=patches.PatchesOptions,
            body=patches.body,
        ),
        "traces": Architecture(
            description="for many channels: one dense layer for the trace of each, then dense layers",
            options=traces.TracesOptions,
            body=traces.body,
        ),
        "neighbours": Architecture(
            description="for segmented crystals: dense layers on the hit segment, those around it and the core",
            options=neighbours.NeighboursOptions,
            body=neighbours.body,
        ),
        "neighbours_autoencoder": Architecture(
            description="for segmented crystals: neighbours, and the traces put back where they came from; no code",
            options=neighbours_autoencoder.NeighboursAutoencoderOptions,
            body=neighbours_autoencoder.body,
            decode=neighbours_autoencoder.decode,
        ),
        "resnet": Architecture(
            description="a deeper convolutional network with residual additions and batch normalisation",
            options=resnet.ResnetOptions,
            body=resnet.body,
        ),
        "lstm": Architecture(description="long short-term memory", options=lstm.LstmOptions, body=lstm.body),
        "gru": Architecture(description="gated recurrent unit", options=gru.GruOptions, body=gru.body),
        "dense_autoencoder": Architecture(
            description="dense layers to a code and back",
            options=dense_autoencoder.DenseAutoencoderOptions,
            body=dense_autoencoder.body,
            decode=dense_autoencoder.decode,
        ),
        "conv_autoencoder": Architecture(
            description="convolutions to a code and back",
            options=conv_autoencoder.ConvAutoencoderOptions,
            body=conv_autoencoder.body,
            decode=conv_autoencoder.decode,
        ),
        "variational_autoencoder": Architecture(
            description="dense_autoencoder with a variational code",
            options=dense_autoencoder.VariationalAutoencoderOptions,
            body=dense_autoencoder.body,
            decode=dense_autoencoder.decode,
        ),
        "conv_variational_autoencoder": Architecture(
            description="conv_autoencoder with a variational code",
            options=conv_autoencoder.ConvVariationalAutoencoderOptions,
            body=conv_autoencoder.body,
            decode=conv_autoencoder.decode,
        ),
    }
)


def check_options(architecture: str, options: Mapping[str, Any]) -> ArchitectureOptions:
    """Return the complete options of an architecture of the table.

    Parameters
    ----------
    architecture : str
        A name in :data:`ARCHITECTURES`.
    options : mapping of str to value
        The options that differ from their defaults; text as from a command line will do (``hidden="10,4"``).

    Raises
    ------
    SettingsError
        If there is no such architecture or option, or a value does not fit.
    """
    if architecture not in ARCHITECTURES:
        raise SettingsError(
            f"architecture must be one of {', '.join(ARCHITECTURES)}, or a function of a file of your own "
            f"(mine.py:build), got {architecture!r}"
        )
    kind = ARCHITECTURES[architecture].options
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}, got {fault['input']!r}" for fault in error.errors()
        )
        known = ", ".join(kind.model_fields)
        raise SettingsError(f"options of {architecture} ({known}): {faults}") from error


def complete_options(architecture: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options as plain data: those of the table completed and checked, those of an own file as given."""
    if is_own(architecture):
        return dict(options)
    return check_options(architecture, options).model_dump(mode="json")


def code_width(architecture: str, options: Mapping[str, Any]) -> int | None:
    """Return how many numbers the code of an auto-encoder has; None for an architecture without one."""
    if is_own(architecture) or ARCHITECTURES[architecture].decode is None:
        return None
    code = check_options(architecture, options).model_dump().get("code")
    return None if code is None else int(code)


def code_cost_options(architecture: str, options: Mapping[str, Any]) -> AutoencoderOptions | None:
    """Return the options of an auto-encoder whose code costs something in training; None for all others."""
    if is_own(architecture):
        return None
    checked = check_options(architecture, options)
    return checked if isinstance(checked, AutoencoderOptions) and checked.code_costs else None


def build_model(
    keras: ModuleType,
    architecture: str,
    options: Mapping[str, Any],
    *,
    shape: tuple[int, int],
    outputs: Sequence[Output] = GAMMA_AND_NEUTRON,
    input_spread: float = 1.0,
    stabilised_unit: float | None = None,
) -> Any:
    """Build an untrained ``keras.Model``.

    Parameters
    ----------
    keras : module
        From :func:`discrimen.keras_jax.load_keras`.
    architecture, options
        See :func:`check_options`; or ``mine.py:build``, see :mod:`discrimen.models.own_file`.
    shape : tuple of int
        Channels and samples of a prepared pulse.
    outputs : sequence of Output
        What the model gives, each as its :class:`~discrimen.network.outputs.Output` says; by default the
        probabilities of gamma and neutron.
    input_spread : float
        How large prepared values are: a network of the table is given them, and gives waveforms, by a fixed first and
        last layer in units of this. 1 needs no such layers.
    stabilised_unit : float, optional
        A network of the table is given waveforms, and gives them, in the scale of
        :mod:`discrimen.models.stabilising` with this unit; then `input_spread` is how large its values are.

    Raises
    ------
    SettingsError
        As :func:`check_options`, or if the architecture cannot give an output.
    """
    if is_own(architecture):
        if stabilised_unit is not None:
            raise SettingsError("a network of your own is given waveforms as they are prepared, not a stabilised scale")
        own = build_own(keras, architecture, options, shape=shape, outputs=outputs)
        if not any(output.kind == "quantity" for output in outputs):
            return own
        return keras.Model(own.inputs[0], _alone(add_units(keras, own.outputs, outputs)), name=own.name)
    checked, row = check_options(architecture, options), ARCHITECTURES[architecture]
    waveform = keras.Input(shape, name="waveform")
    scaled = waveform if stabilised_unit is None else stabilised(keras, waveform, stabilised_unit)
    values = row.body(keras, in_spreads(keras, scaled, input_spread), options=checked)
    decode = None if row.decode is None else partial(row.decode, keras, shape=shape, options=checked)
    taken = ["waveform", *(layer.name for layer in keras.Model(waveform, values).layers)]
    heads = add_heads(keras, values, outputs, decode=decode, taken=taken)
    given = add_units(keras, heads, outputs, waveform_spread=input_spread)
    if stabilised_unit is not None:
        given = [
            restored(keras, each, stabilised_unit, name=f"{output.name}_restored")
            if output.kind == "waveform"
            else each
            for each, output in zip(given, outputs, strict=True)
        ]
    return keras.Model(waveform, _alone(given), name=architecture)


def _alone(tensors: Sequence[Any]) -> Any:
    """Return a single tensor bare: a model of one output gives an array, not a list of one."""
    return tensors[0] if len(tensors) == 1 else list(tensors)
