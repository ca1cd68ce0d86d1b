r"""The frozen file ``*.discrimen``: everything that is needed to score pulses, as data.

All numbers are little-endian. The file holds

- 8 bytes ``DISCRIM\0``, u32 version of the layout, u32 number of sections;
- for each section 8 bytes of name (zero-padded ASCII), u64 offset, u64 length; sections start at multiples of 64 bytes;
- the sections ``meta`` (JSON: :class:`~discrimen.network.model_spec.ModelSpec`, for people and provenance),
  ``prepare``, ``layers``, ``weights`` (float32), ``golden``, ``classes`` and ``cuts``: a reader without JSON needs all
  but ``meta``;
- the SHA-256 of all before, 32 bytes.

``prepare``: f64 sample period in ns, f64 alignment fraction; i32 polarity, baseline start and stop, window start and
length, whether aligned, alignment position, whether interpolated, scale (0 none, 1 peak, 2 area), number of classes.
``layers``: u32 number of layers; for each u32 kind, number of options, number of weights; the options as i32; for each
array of weights u32 number of axes, its shape as u32, u64 position of its first value in ``weights``.
``golden``: u32 number of pulses, samples of each, classes, 0; f64 tolerance; the samples as i32, the scores as f64.
``classes``: the names of the classes in the order of the scores, UTF-8, each ended by a zero byte.
``cuts``: the named thresholds on the neutron score, each as f64 and its name in UTF-8, ended by a zero byte.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, DiscrimenError, FormatError
from discrimen.network.layers import Layer, layer_from, options_of, weights_of
from discrimen.network.model_spec import ModelSpec
from discrimen.output.files import complete_or_absent

MAGIC = b"DISCRIM\0"
VERSION = 1
SUFFIX = ".discrimen"
_HEAD = struct.Struct("<8sII")
_SECTION = struct.Struct("<8sQQ")
_PREPARE = struct.Struct("<dd10i")
_GOLDEN = struct.Struct("<4Id")
_ALIGNMENT_BYTES = 64
_DIGEST_BYTES = 32
_MAX_SECTIONS = 16
_SCALES = ("none", "peak", "area")


@dataclass(frozen=True, slots=True, eq=False)
class GoldenVectors:
    """Raw pulses with the scores that every engine must give for them.

    Parameters
    ----------
    samples : ndarray of int32, shape (pulse, sample)
        In ADC counts.
    scores : ndarray of float64, shape (pulse, class)
        Expected.
    tolerance : float
        How far a score may be off.
    """

    samples: NDArray[np.int32]
    scores: NDArray[np.float64]
    tolerance: float


@dataclass(frozen=True, slots=True, eq=False)
class FrozenModel:
    """A network with its preparation, as it crosses from training to everything else."""

    spec: ModelSpec
    layers: tuple[Layer, ...]
    golden: GoldenVectors


def write_frozen(model: FrozenModel, path: Path | str) -> None:
    """Write a frozen file; it appears when it is complete.

    Raises
    ------
    OutputError
        If the file system refuses.
    """
    layers, weights = _pack_layers(model.layers)
    sections = {
        b"meta": json.dumps(model.spec.as_dict(), indent=1).encode(),
        b"prepare": _pack_preparation(model.spec),
        b"layers": layers,
        b"weights": weights,
        b"golden": _pack_golden(model.golden),
        b"classes": _pack_classes(model.spec),
        b"cuts": _pack_thresholds(model.spec),
    }
    content = _assemble(sections)
    with complete_or_absent(path) as part:
        part.write_bytes(content + hashlib.sha256(content).digest())


def read_frozen(path: Path | str) -> FrozenModel:
    """Read a frozen file; the memory that is taken follows from the file's own size.

    Raises
    ------
    FormatError
        If the file is no frozen model, truncated, altered, of a newer version, or contradicts itself.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FormatError(f"cannot read the frozen model: {error.strerror}", path) from error
    sections = _sections(content, path)
    try:
        return _unpack(sections)
    except (DiscrimenError, ValueError, KeyError, TypeError, struct.error, RecursionError) as error:
        raise FormatError(f"the frozen model contradicts itself: {' '.join(str(error).split())}", path) from error


def _assemble(sections: dict[bytes, bytes]) -> bytes:
    table_end = _HEAD.size + len(sections) * _SECTION.size
    content = bytearray(_HEAD.pack(MAGIC, VERSION, len(sections)))
    body = bytearray()
    for name, payload in sections.items():
        start = -(-(table_end + len(body)) // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES
        body += bytes(start - table_end - len(body))
        content += _SECTION.pack(name, start, len(payload))
        body += payload
    return bytes(content + body)


def _sections(content: bytes, path: Path) -> dict[str, memoryview]:
    if len(content) < _HEAD.size + _DIGEST_BYTES or not content.startswith(MAGIC):
        raise FormatError("this is no frozen model; make one with 'discrimen freeze'", path, 0)
    _, version, n_sections = _HEAD.unpack_from(content)
    if version != VERSION:
        newer = "; update discrimen" if version > VERSION else ""
        raise FormatError(f"expected layout version {VERSION}, got {version}{newer}", path, len(MAGIC))
    body = memoryview(content)[:-_DIGEST_BYTES]
    if hashlib.sha256(body).digest() != content[-_DIGEST_BYTES:]:
        raise FormatError("checksum differs: the file is truncated or was altered; freeze the model again", path)
    if n_sections > _MAX_SECTIONS or _HEAD.size + n_sections * _SECTION.size > len(body):
        raise FormatError(f"expected at most {_MAX_SECTIONS} sections, got {n_sections}", path, _HEAD.size)
    found = {}
    for number in range(n_sections):
        at = _HEAD.size + number * _SECTION.size
        name, start, length = _SECTION.unpack_from(body, at)
        if start > len(body) or length > len(body) - start:
            raise FormatError(f"a section reaches beyond the file: {start} + {length} of {len(body)} bytes", path, at)
        found[name.rstrip(b"\0").decode("ascii", "replace")] = body[start : start + length]
    return found


def _unpack(sections: dict[str, memoryview]) -> FrozenModel:
    values = json.loads(bytes(sections["meta"]))
    if not isinstance(values, dict):
        raise DataError("meta is no JSON object")
    spec = ModelSpec.from_dict(values)
    if bytes(sections["prepare"]) != _pack_preparation(spec):
        raise DataError("meta and prepare describe different preparations")
    if bytes(sections["classes"]) != _pack_classes(spec) or bytes(sections["cuts"]) != _pack_thresholds(spec):
        raise DataError("meta contradicts the names of the classes or the thresholds")
    layers = tuple(_unpack_layers(sections["layers"], sections["weights"]))
    golden = _unpack_golden(sections["golden"])
    if golden.scores.shape[1] != len(spec.classes):
        raise DataError(f"{len(spec.classes)} classes, but golden scores of {golden.scores.shape[1]}")
    return FrozenModel(spec, layers, golden)


def _pack_preparation(spec: ModelSpec) -> bytes:
    preparation, alignment = spec.preparation, spec.preparation.alignment
    return _PREPARE.pack(
        preparation.sample_period_ns,
        0.0 if alignment is None else alignment.fraction,
        preparation.polarity,
        preparation.baseline_start,
        preparation.baseline_stop,
        preparation.window_start,
        preparation.window_length,
        alignment is not None,
        0 if alignment is None else alignment.position,
        alignment is not None and alignment.interpolate,
        _SCALES.index(preparation.scale),
        len(spec.classes),
    )


def _pack_classes(spec: ModelSpec) -> bytes:
    return b"".join(_terminated(name) for name in spec.classes)


def _pack_thresholds(spec: ModelSpec) -> bytes:
    return b"".join(struct.pack("<d", value) + _terminated(name) for name, value in spec.thresholds.items())


def _terminated(name: str) -> bytes:
    if "\0" in name:
        raise DataError(f"a name must not hold a zero byte: {name!r}")
    return name.encode() + b"\0"


def _pack_layers(layers: tuple[Layer, ...]) -> tuple[bytes, bytes]:
    table = bytearray(struct.pack("<I", len(layers)))
    weights = bytearray()
    for layer in layers:
        options, arrays = list(options_of(layer).values()), list(weights_of(layer).values())
        table += struct.pack("<III", layer.code, len(options), len(arrays))
        table += struct.pack(f"<{len(options)}i", *options)
        for array in arrays:
            table += struct.pack(f"<I{array.ndim}IQ", array.ndim, *array.shape, len(weights) // 4)
            weights += np.ascontiguousarray(array, dtype="<f4").tobytes()
    return bytes(table), bytes(weights)


def _unpack_layers(table: memoryview, weights: memoryview) -> Iterator[Layer]:
    values = np.frombuffer(weights, dtype="<f4")
    if not np.isfinite(values).all():
        raise DataError("weights are not finite")
    (n_layers,) = struct.unpack_from("<I", table)
    at = 4
    for _ in range(n_layers):
        code, n_options, n_arrays = struct.unpack_from("<III", table, at)
        at += 12
        if n_options > len(table) or n_arrays > len(table):
            raise DataError("a layer has more options or weights than the file can hold")
        options = list(struct.unpack_from(f"<{n_options}i", table, at))
        at += 4 * n_options
        arrays = []
        for _ in range(n_arrays):
            array, at = _unpack_array(table, at, values)
            arrays.append(array)
        yield layer_from(code, options, arrays)
    if at != len(table):
        raise DataError(f"{len(table) - at} bytes too many behind the layers")


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


def _pack_golden(golden: GoldenVectors) -> bytes:
    n_pulses, n_samples = golden.samples.shape
    head = _GOLDEN.pack(n_pulses, n_samples, golden.scores.shape[1], 0, golden.tolerance)
    return head + golden.samples.astype("<i4").tobytes() + golden.scores.astype("<f8").tobytes()


def _unpack_golden(section: memoryview) -> GoldenVectors:
    n_pulses, n_samples, n_classes, _, tolerance = _GOLDEN.unpack_from(section)
    expected = _GOLDEN.size + 4 * n_pulses * n_samples + 8 * n_pulses * n_classes
    if not n_pulses or expected != len(section):
        raise DataError(f"golden vectors take {expected} bytes, {len(section)} are there")
    if not 0 < tolerance < 0.01:
        raise DataError(f"golden vectors with a tolerance of {tolerance}")
    samples = np.frombuffer(section, "<i4", n_pulses * n_samples, _GOLDEN.size)
    scores = np.frombuffer(section, "<f8", n_pulses * n_classes, _GOLDEN.size + samples.nbytes)
    return GoldenVectors(
        samples.reshape(n_pulses, n_samples).astype(np.int32),
        scores.reshape(n_pulses, n_classes).astype(np.float64),
        tolerance,
    )
