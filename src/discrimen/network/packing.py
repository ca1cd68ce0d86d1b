"""The sections of the frozen file as bytes; ``docs/frozen-layout.md`` has their layout."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network.activations import ACTIVATIONS
from discrimen.network.golden import GoldenVectors
from discrimen.network.graph import Network, Node
from discrimen.network.height_curve import HeightCurve
from discrimen.network.layers import LAYERS, layer_from, options_of, weights_of
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import OUTPUT_KINDS, ClassThreshold, Output
from discrimen.network.preparation import Preparation

_SCALES = ("none", "peak", "area")
_SAMPLE_TYPES = (np.dtype("<i4"), np.dtype("<f4"))
_INPUT = struct.Struct("<I7idd")
_CHANNEL = struct.Struct("<4i")
_OUTPUT = struct.Struct("<3Ii")
_GOLDEN = struct.Struct("<4I")


def pack_input(preparation: Preparation) -> bytes:
    """Return the section ``input``."""
    alignment, reference = preparation.alignment, preparation.reference
    head = _INPUT.pack(
        preparation.n_channels,
        preparation.window_length,
        _SCALES.index(preparation.scale),
        -1 if reference is None else reference,
        alignment is not None,
        0 if alignment is None else alignment.position,
        alignment is not None and alignment.interpolate,
        preparation.masked,
        preparation.sample_period_ns,
        0.0 if alignment is None else alignment.fraction,
    )
    channels = [
        _CHANNEL.pack(channel.polarity, channel.baseline_start, channel.baseline_stop, channel.window_start)
        for channel in preparation.channels
    ]
    return head + b"".join(channels) + b"".join(map(_terminated, preparation.channel_names))


def pack_outputs(outputs: Sequence[Output], reads: Sequence[int], tolerances: Sequence[float]) -> bytes:
    """Return the section ``outputs``: each output, the number of the value that it reads, its golden tolerance."""
    content = bytearray(struct.pack("<I", len(outputs)))
    for output, value, tolerance in zip(outputs, reads, tolerances, strict=True):
        content += _OUTPUT.pack(
            OUTPUT_KINDS.index(output.kind), value, output.with_error, ACTIVATIONS.index(output.activation)
        )
        content += struct.pack(f"<I{len(output.shape)}Id", len(output.shape), *output.shape, tolerance)
        content += struct.pack("<II", len(output.names), len(output.thresholds))
        content += _terminated(output.name) + _terminated(output.unit) + b"".join(map(_terminated, output.names))
        for name, threshold in output.thresholds.items():
            content += _pack_threshold(threshold, output.names.index(threshold.of)) + _terminated(name)
    return bytes(content)


def _pack_threshold(threshold: ClassThreshold, of: int) -> bytes:
    value = threshold.value
    numbers = (*value.height_adc, *value.threshold) if isinstance(value, HeightCurve) else (value,)
    return struct.pack(f"<2I{len(numbers)}d", len(numbers) // 2, of, *numbers)


def outputs_read(section: memoryview) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return from the section ``outputs`` which value each output reads, and its golden tolerance.

    Raises
    ------
    DataError, struct.error
        If the section is damaged.
    """
    content = bytes(section)
    (n_outputs,) = struct.unpack_from("<I", content)
    at, reads, tolerances = 4, [], []
    for _ in range(n_outputs):
        _, value, _, _ = _OUTPUT.unpack_from(content, at)
        (n_axes,) = struct.unpack_from("<I", content, at + _OUTPUT.size)
        if not 1 <= n_axes <= 2:
            raise DataError(f"an output has 1 or 2 axes, got {n_axes}")
        at += _OUTPUT.size + 4 + 4 * n_axes
        tolerance, n_names, n_thresholds = struct.unpack_from("<dII", content, at)
        at += 16
        for _ in range(2 + n_names):
            at = _name_end(content, at)
        for _ in range(n_thresholds):
            n_knots = struct.unpack_from("<I", content, at)[0]
            at = _name_end(content, at + 8 + 8 * (2 * n_knots or 1))
        reads.append(value)
        tolerances.append(tolerance)
    return tuple(reads), tuple(tolerances)


def pack_layers(network: Network) -> tuple[bytes, bytes]:
    """Return the sections ``layers`` and ``weights``."""
    table = bytearray(struct.pack("<I", len(network.nodes)))
    weights = bytearray()
    for node in network.nodes:
        options, arrays = list(options_of(node.layer).values()), list(weights_of(node.layer).values())
        table += struct.pack("<4I", node.layer.code, len(node.inputs), len(options), len(arrays))
        table += struct.pack(f"<{len(node.inputs)}I{len(options)}i", *node.inputs, *options)
        for array in arrays:
            table += struct.pack(f"<I{array.ndim}IQ", array.ndim, *array.shape, len(weights) // 4)
            weights += np.ascontiguousarray(array, dtype="<f4").tobytes()
    return bytes(table), bytes(weights)


def unpack_layers(table: memoryview, weights: memoryview) -> Iterator[Node]:
    """Read the sections ``layers`` and ``weights``.

    Raises
    ------
    DataError, struct.error
        If they are damaged.
    """
    values = np.frombuffer(weights, dtype="<f4")
    if not np.isfinite(values).all():
        raise DataError("weights are not finite")
    (n_layers,) = struct.unpack_from("<I", table)
    at = 4
    for _ in range(n_layers):
        code, n_inputs, n_options, n_arrays = struct.unpack_from("<4I", table, at)
        at += 16
        if max(n_inputs, n_options, n_arrays) > len(table):
            raise DataError("a layer has more inputs, options or weights than the file can hold")
        inputs = struct.unpack_from(f"<{n_inputs}I", table, at)
        options = list(struct.unpack_from(f"<{n_options}i", table, at + 4 * n_inputs))
        at += 4 * (n_inputs + n_options)
        arrays = []
        for _ in range(n_arrays):
            array, at = _unpack_array(table, at, values)
            arrays.append(array)
        kind = LAYERS.get(code)
        if kind is None:
            raise DataError(f"there is no layer with number {code}; the file comes from a newer version")
        yield Node(layer_from(kind, options, arrays), inputs)
    if at != len(table):
        raise DataError(f"{len(table) - at} bytes too many behind the layers")


def pack_golden(golden: GoldenVectors) -> bytes:
    """Return the section ``golden``."""
    n_pulses, _, n_samples = golden.samples.shape
    is_float = golden.samples.dtype.kind == "f"
    head = _GOLDEN.pack(n_pulses, n_samples, is_float, golden.present is not None)
    body = golden.samples.astype(_SAMPLE_TYPES[is_float]).tobytes()
    body += b"".join(values.astype("<f8").tobytes() for values in golden.values)
    return head + body + (b"" if golden.present is None else golden.present.astype(np.uint8).tobytes())


def unpack_golden(section: memoryview, description: ModelDescription, tolerances: tuple[float, ...]) -> GoldenVectors:
    """Read the section ``golden``.

    Raises
    ------
    DataError, struct.error
        If it is damaged, or proves nothing.
    """
    n_pulses, n_samples, is_float, has_mask = _GOLDEN.unpack_from(section)
    n_channels = description.preparation.n_channels
    sizes = [output.n_values for output in description.outputs]
    n_mask = n_pulses * n_channels if has_mask else 0
    expected = _GOLDEN.size + 4 * n_pulses * n_channels * n_samples + 8 * n_pulses * sum(sizes) + n_mask
    if not n_pulses or expected != len(section) or max(is_float, has_mask) > 1:
        raise DataError(f"golden vectors take {expected} bytes, {len(section)} are there")
    samples = np.frombuffer(section, _SAMPLE_TYPES[is_float], n_pulses * n_channels * n_samples, _GOLDEN.size)
    at, values = _GOLDEN.size + samples.nbytes, []
    for size in sizes:
        flat = np.frombuffer(section, "<f8", n_pulses * size, at)
        values.append(flat.reshape(n_pulses, size).astype(np.float64))
        at += flat.nbytes
    present = np.frombuffer(section, np.uint8, n_mask, at).reshape(n_pulses, n_channels) if has_mask else None
    return GoldenVectors(
        samples=samples.reshape(n_pulses, n_channels, n_samples).astype(np.float32 if is_float else np.int32),
        present=None if present is None else present.astype(np.bool_),
        values=tuple(values),
        tolerances=tolerances,
    )


def _unpack_array(table: memoryview, at: int, values: NDArray[Any]) -> tuple[NDArray[np.float32], int]:
    (n_axes,) = struct.unpack_from("<I", table, at)
    if not 1 <= n_axes <= 3:
        raise DataError(f"weights have 1 to 3 axes, got {n_axes}")
    *shape, start = struct.unpack_from(f"<{n_axes}IQ", table, at + 4)
    count = 1
    for length in shape:
        count *= length
    if count < 1 or start > len(values) or count > len(values) - start:
        raise DataError(f"weights of shape {tuple(shape)} at {start} do not lie within the {len(values)} there")
    array: NDArray[np.float32] = values[start : start + count].reshape(shape).astype(np.float32)
    return array, at + 12 + 4 * n_axes


def _terminated(name: str) -> bytes:
    if "\0" in name:
        raise DataError(f"a name must not hold a zero byte: {name!r}")
    return name.encode() + b"\0"


def _name_end(content: bytes, at: int) -> int:
    end = content.find(b"\0", at)
    if end < 0:
        raise DataError("a name has no end")
    return end + 1
