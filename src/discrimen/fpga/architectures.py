"""Networks that a chip can hold, and the one table of them: each body serves the float network and that of few bits.

All of them are without biases and end in ReLU or nothing, so that twice the pulse gives twice the values. The options
have the names of those of :mod:`discrimen.models`; the defaults are smaller where a fabric would not hold the network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import PositiveInt, ValidationError, field_validator

from discrimen.errors import SettingsError
from discrimen.models.options import ArchitectureOptions, Widths

DEFAULT_ARCHITECTURE = "mlp"


class ChipMlpOptions(ArchitectureOptions):
    """Widths of the hidden layers, first to last."""

    hidden: Widths = (10, 4)


class ChipPatchesOptions(ArchitectureOptions):
    """Number of filters, length of a patch and step between patches in samples, widths of the dense layers behind."""

    filters: PositiveInt = 8
    kernel: PositiveInt = 8
    stride: PositiveInt = 4
    hidden: Widths = (16,)


class ChipCnnOptions(ArchitectureOptions):
    """Number of filters in each convolution, their length, and the samples of which a mean is taken between them.

    The mean of a power of two of samples moves the binary point and costs additions alone.
    """

    filters: PositiveInt = 4
    kernel: PositiveInt = 5
    pool: PositiveInt = 4

    @field_validator("pool")
    @classmethod
    def _power_of_two(cls, pool: int) -> int:
        if pool & (pool - 1):
            raise ValueError("must be a power of two")
        return pool


@dataclass(frozen=True, slots=True, eq=False)
class LayerKinds:
    """Which layers a body is made of: those of Keras, or those of HGQ2 with the same arguments.

    Parameters
    ----------
    plain : module
        ``keras.layers``, for what has no weights.
    dense, convolution : callable
        Dense layer and convolution along the samples.
    """

    plain: Any
    dense: Callable[..., Any]
    convolution: Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipArchitecture:
    """One row of the table.

    Parameters
    ----------
    description : str
        One line for people.
    options : type
        The options, their types and their defaults.
    body : callable
        ``body(kinds, window, options=...)`` puts layers on a window and returns a row of values.
    by_sample : bool
        Whether the body takes windows of shape (sample, 1), else (sample,).
    """

    description: str
    options: type[ArchitectureOptions]
    body: Callable[..., Any]
    by_sample: bool


def _dense_row(kinds: LayerKinds, values: Any, widths: Sequence[int]) -> Any:
    for number, width in enumerate(widths):
        values = kinds.dense(width, activation="relu", use_bias=False, name=f"dense_{number}")(values)
    return values


def _mlp(kinds: LayerKinds, window: Any, *, options: ChipMlpOptions) -> Any:
    return _dense_row(kinds, window, options.hidden)


def _patches(kinds: LayerKinds, window: Any, *, options: ChipPatchesOptions) -> Any:
    """One strided convolution over overlapping patches, then dense layers; zeros surround the window."""
    filters = _convolution(kinds, options.filters, options.kernel, strides=options.stride, name="patches")
    return _dense_row(kinds, kinds.plain.Flatten(name="in_a_row")(filters(window)), options.hidden)


def _cnn(kinds: LayerKinds, window: Any, *, options: ChipCnnOptions) -> Any:
    """Two convolutions, a mean between them; the logits see each place, where a global average would lose it."""
    if window.shape[1] < options.pool:
        raise SettingsError(
            f"the window must hold at least {options.pool} samples (option pool), got {window.shape[1]}"
        )
    values = _convolution(kinds, options.filters, options.kernel, name="convolution_1")(window)
    values = kinds.plain.AveragePooling1D(options.pool, name="pooling")(values)
    values = _convolution(kinds, options.filters, options.kernel, name="convolution_2")(values)
    return kinds.plain.Flatten(name="in_a_row")(values)


def _convolution(kinds: LayerKinds, filters: int, kernel: int, **more: Any) -> Any:
    # The layout is given because a user's keras.json may turn it round.
    shape = {"padding": "same", "data_format": "channels_last"}
    return kinds.convolution(filters, kernel, activation="relu", use_bias=False, **shape, **more)


CHIP_ARCHITECTURES: Mapping[str, ChipArchitecture] = MappingProxyType(
    {
        "mlp": ChipArchitecture(
            description="dense layers, 75-10-4-2 by default", options=ChipMlpOptions, body=_mlp, by_sample=False
        ),
        "patches": ChipArchitecture(
            description="one strided convolution over overlapping patches, then dense layers",
            options=ChipPatchesOptions,
            body=_patches,
            by_sample=True,
        ),
        "cnn": ChipArchitecture(
            description="two convolutions with a mean between them", options=ChipCnnOptions, body=_cnn, by_sample=True
        ),
    }
)


def check_chip_options(architecture: str, options: Mapping[str, Any]) -> ArchitectureOptions:
    """Return the complete options of an architecture of the table.

    Parameters
    ----------
    architecture : str
        A name in :data:`CHIP_ARCHITECTURES`.
    options : mapping of str to value
        Those that differ from their defaults; text as from a command line will do (``hidden="10,4"``).

    Raises
    ------
    SettingsError
        If there is no such architecture or option, or a value does not fit.
    """
    if architecture not in CHIP_ARCHITECTURES:
        raise SettingsError(f"a chip's architecture is one of {', '.join(CHIP_ARCHITECTURES)}, got {architecture!r}")
    return checked_options(architecture, CHIP_ARCHITECTURES[architecture].options, options)


def checked_options(name: str, kind: type[ArchitectureOptions], options: Mapping[str, Any]) -> ArchitectureOptions:
    """Return complete options of a kind.

    Raises
    ------
    SettingsError
        If there is no such option, or a value does not fit.
    """
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}, got {fault['input']!r}" for fault in error.errors()
        )
        raise SettingsError(f"options of {name} ({', '.join(kind.model_fields)}): {faults}") from error


def build_chip_network(
    kinds: LayerKinds, keras: Any, architecture: str, options: Mapping[str, Any], *, length: int, n_outputs: int
) -> Any:
    """Return an untrained ``keras.Model`` from a window to logits.

    Parameters
    ----------
    kinds : LayerKinds
        What it is made of.
    keras : module
        From :func:`discrimen.keras_jax.load_keras`.
    architecture, options
        See :func:`check_chip_options`.
    length : int
        Samples of a window. Where the body takes (sample, 1), Keras takes windows of shape (sample,) all the same.
    n_outputs : int
        Logits.

    Raises
    ------
    SettingsError
        As :func:`check_chip_options`, or if the window is too short.
    """
    checked, row = check_chip_options(architecture, options), CHIP_ARCHITECTURES[architecture]
    window = keras.layers.Input((length, 1) if row.by_sample else (length,), name="window")
    values = row.body(kinds, window, options=checked)
    return keras.Model(window, kinds.dense(n_outputs, use_bias=False, name="logits")(values))
