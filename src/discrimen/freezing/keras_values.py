"""What is read off a Keras layer: its weights and options, checked by name."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.network.layers import PADDINGS, Padding, Weights

_FLOATS = ("float32", "float64")


def exact(layer: Any, variable: Any) -> NDArray[np.float64]:
    """Return the values of a variable or of a constant in float64.

    Raises
    ------
    SettingsError
        If a value is not finite.
    """
    values = np.asarray(variable, dtype=np.float64)
    if not np.isfinite(values).all():
        name = getattr(variable, "name", "a constant")
        raise SettingsError(
            f"layer '{layer.name}': its {name} holds values that are not finite; the training has diverged: "
            "train again with a lower learning rate"
        )
    return values


def weights(layer: Any, variable: Any) -> Weights:
    """Return the values of a variable in float32; see :func:`exact`."""
    return exact(layer, variable).astype(np.float32)


def bias_of(layer: Any, holder: Any, length: int) -> Weights:
    """Return the bias of a layer or of a cell within it, zeros where it has none."""
    return weights(layer, holder.bias) if holder.use_bias else np.zeros(length, np.float32)


def single(value: Any) -> int:
    """Return a number that Keras keeps by itself or in a tuple."""
    return int(value[0] if isinstance(value, list | tuple) else value)


def padding_of(layer: Any) -> Padding:
    """Return the padding of a layer.

    Raises
    ------
    SettingsError
        If it is an unknown one.
    """
    if layer.padding not in PADDINGS:
        raise SettingsError(f"layer '{layer.name}': padding {layer.padding!r} cannot be frozen")
    return cast(Padding, layer.padding)


def require(layer: Any, **wanted: Any) -> None:
    """Refuse a layer whose options are not these; options that it does not have are as wanted.

    Raises
    ------
    SettingsError
        With the first one that differs.
    """
    for name, value in wanted.items():
        found = getattr(layer, name, value)
        if found != value:
            raise SettingsError(
                f"layer '{layer.name}': {name.lstrip('_')} must be {value!r} to be frozen, got {found!r}"
            )


def require_full_precision(layer: Any) -> None:
    """Refuse layers that compute or keep their weights in less than float32, and those with such layers within.

    Raises
    ------
    SettingsError
        If a layer is quantised, or in half or mixed precision.
    """
    for each in layer._flatten_layers() if hasattr(layer, "_flatten_layers") else (layer,):
        _require_full_precision(each)


def _require_full_precision(layer: Any) -> None:
    policy = getattr(layer, "dtype_policy", None)
    mode = getattr(layer, "quantization_mode", None) or getattr(policy, "quantization_mode", None)
    if mode is not None:
        raise SettingsError(
            f"layer '{layer.name}' is quantised ({mode}), which cannot be frozen: freeze the network as it was "
            "before, with its weights in float32"
        )
    dtypes = {str(getattr(policy, name, "")) for name in ("compute_dtype", "variable_dtype")}
    dtypes |= {str(each.dtype) for each in getattr(layer, "variables", ()) if "float" in str(each.dtype)}
    short = sorted(dtype for dtype in dtypes if "float" in dtype and dtype not in _FLOATS)
    if short:
        raise SettingsError(
            f"layer '{layer.name}' computes or keeps its weights in {' and '.join(short)}, which cannot be frozen: "
            "train the network in float32, or cast it by building it again with dtype='float32' and setting its weights"
        )
