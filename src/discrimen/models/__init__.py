"""Network architectures, one a file, and the one table of them.

Every network takes prepared waveforms, float32 of shape (pulse, window sample), and gives one probability a class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any

from pydantic import ValidationError

from discrimen.errors import SettingsError
from discrimen.models import cnn, gru, lstm, mlp, patches, resnet
from discrimen.models.options import ArchitectureOptions

__all__ = ["ARCHITECTURES", "Architecture", "ArchitectureOptions", "build_model", "check_options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """One row of the table of architectures.

    Parameters
    ----------
    description : str
        One line for people.
    options : type
        The options, their types and their defaults.
    build : callable
        ``build(keras, window_length=..., n_classes=..., options=...)`` returns a ``keras.Model``.
    """

    description: str
    options: type[ArchitectureOptions]
    build: Callable[..., Any]


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "mlp": Architecture(
            description="dense layers; the reference network 75-10-4-2 by default",
            options=mlp.MlpOptions,
            build=mlp.build,
        ),
        "cnn": Architecture(
            description="two convolutions, pooling, global average", options=cnn.CnnOptions, build=cnn.build
        ),
        "patches": Architecture(
            description="one strided convolution over overlapping patches, then dense layers",
            options=patches.PatchesOptions,
            build=patches.build,
        ),
        "resnet": Architecture(
            description="a deeper convolutional network with residual additions and batch normalisation",
            options=resnet.ResnetOptions,
            build=resnet.build,
        ),
        "lstm": Architecture(description="long short-term memory", options=lstm.LstmOptions, build=lstm.build),
        "gru": Architecture(description="gated recurrent unit", options=gru.GruOptions, build=gru.build),
    }
)


def check_options(architecture: str, options: Mapping[str, Any]) -> ArchitectureOptions:
    """Return the complete options of an architecture.

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
        raise SettingsError(f"architecture must be one of {', '.join(ARCHITECTURES)}, got {architecture!r}")
    kind = ARCHITECTURES[architecture].options
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}, got {fault['input']!r}" for fault in error.errors()
        )
        known = ", ".join(kind.model_fields)
        raise SettingsError(f"options of {architecture} ({known}): {faults}") from error


def build_model(
    keras: ModuleType, architecture: str, options: Mapping[str, Any], *, window_length: int, n_classes: int = 2
) -> Any:
    """Build an untrained ``keras.Model`` from the table.

    Parameters
    ----------
    keras : module
        From :func:`discrimen.keras_jax.load_keras`.
    architecture, options
        See :func:`check_options`.
    window_length : int
        Samples of a prepared waveform.
    n_classes : int
        Number of scores.

    Raises
    ------
    SettingsError
        As :func:`check_options`.
    """
    checked = check_options(architecture, options)
    build = ARCHITECTURES[architecture].build
    return build(keras, window_length=window_length, n_classes=n_classes, options=checked)
