"""What a frozen decoder needs beside its weights to make pulses: sizes, codes and residuals of the training pulses.

A decoder gives the mean pulse of a code. A record has more: what the code does not hold, the noise, the baseline and
the rounding of the ADC. These are drawn again from a library of training pulses of the same class and nearly the same
size (light, or height), in units in which the spread of a sample does not depend on its height.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.network.condition import Condition, Size
from discrimen.network.preparation import Preparation

_HEAD_BYTES = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Stabilisation:
    """Units in which a sample has a standard deviation of about 1, whatever its height.

    The variance of a sample of height y is taken as ``noise_adc**2 + photon_adc * y``; below the baseline it is that of
    the noise, and the scale is linear.

    Parameters
    ----------
    noise_adc : float
        Standard deviation of a sample without a pulse, in ADC counts.
    photon_adc : float
        By how much the variance grows with the height, in ADC counts.
    """

    noise_adc: float
    photon_adc: float

    def __post_init__(self) -> None:
        if not (np.isfinite([self.noise_adc, self.photon_adc]).all() and min(self.noise_adc, self.photon_adc) > 0):
            raise SettingsError(
                f"noise and its growth with the height must be positive, got {self.noise_adc} and {self.photon_adc}"
            )

    def to_units(self, above_adc: NDArray[Any]) -> NDArray[np.float32]:
        """Turn heights above the baseline, in ADC counts, into units of their spread."""
        noise, photon = np.float32(self.noise_adc), np.float32(self.photon_adc)
        root = np.sqrt(noise**2 + photon * np.maximum(above_adc, 0)) - noise
        return np.where(above_adc > 0, 2 / photon * root, above_adc / noise).astype(np.float32)

    def to_adc(self, units: NDArray[np.float32], *, polarity: int = 1) -> NDArray[np.float32]:
        """Turn values in units of their spread into heights above the baseline, in ADC counts, times the polarity."""
        heights: NDArray[np.float32] = np.maximum(units, 0)
        heights *= np.float32(polarity * self.photon_adc / 4)
        heights += np.float32(polarity * self.noise_adc)
        heights *= units
        return heights


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Library:
    """Some of the training pulses, sorted by class and then by size.

    Parameters
    ----------
    label : ndarray of int8, shape (row,)
        Class; 0 where there are none.
    size : ndarray of float32, shape (row,)
        Light in keVee or height in ADC counts, as the condition says.
    baseline_adc : ndarray of float32, shape (row,)
        Of the record.
    code_mean, code_log_variance : ndarray of float16, shape (row, number)
        What the encoder gave.
    residual : ndarray of float16, shape (row, sample)
        Record minus the decoded waveform of a draw of the code, in units of :class:`Stabilisation`.
    """

    label: NDArray[np.int8]
    size: NDArray[np.float32]
    baseline_adc: NDArray[np.float32]
    code_mean: NDArray[np.float16]
    code_log_variance: NDArray[np.float16]
    residual: NDArray[np.float16]

    def __post_init__(self) -> None:
        lengths = {len(getattr(self, each.name)) for each in fields(self)}
        if len(lengths) != 1 or not len(self.label) or self.code_mean.shape != self.code_log_variance.shape:
            raise DataError("the library of the generator has columns of different lengths, or none")
        order = np.lexsort((self.size, self.label))
        if not np.array_equal(order, np.arange(len(order))):
            raise DataError("the library of the generator is not sorted by class and size")
        if not all(np.isfinite(getattr(self, each.name)).all() for each in fields(self)):
            raise DataError("the library of the generator holds values that are no finite numbers")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Generator:
    """All that makes records of decoded waveforms.

    Parameters
    ----------
    preparation : Preparation
        How the training pulses were prepared: sampling period, polarity, baseline window, length of the record.
    stabilisation : Stabilisation
        Units of the decoded waveforms.
    condition : Condition
        What the decoder is told beside the code.
    sample_type : str
        NumPy's name of the type of the samples.
    n_training : tuple of int
        Training pulses of each class, or of all where there are no classes.
    size_range : tuple of (float, float)
        Smallest and largest size of the training pulses of each class.
    library : Library
        Of training pulses.
    """

    preparation: Preparation
    stabilisation: Stabilisation
    condition: Condition
    sample_type: str
    n_training: tuple[int, ...]
    size_range: tuple[tuple[float, float], ...]
    library: Library

    def __post_init__(self) -> None:
        n_groups = len(self.condition.groups)
        if np.dtype(self.sample_type).kind not in "iuf":
            raise SettingsError(f"samples are numbers, got the type {self.sample_type!r}")
        if not n_groups == len(self.n_training) == len(self.size_range):
            raise SettingsError(
                f"the generator knows {n_groups} classes, but not how many pulses each had, or their sizes"
            )
        if set(np.unique(self.library.label)) != set(range(n_groups)):
            raise DataError("the library of the generator lacks a class, or has one too many")
        if self.library.residual.shape[1:] != (self.preparation.window_length,):
            raise DataError("the residuals of the generator are not as long as its records")

    @property
    def code_length(self) -> int:
        """Numbers of the code."""
        return int(self.library.code_mean.shape[1])

    def as_dict(self) -> dict[str, Any]:
        """Return what is not in the library as plain data, ready for JSON."""
        return {
            "preparation": self.preparation.as_dict(),
            "stabilisation": asdict(self.stabilisation),
            "condition": self.condition.as_dict(),
            "sample_type": self.sample_type,
            "n_training": list(self.n_training),
            self.condition.size.range_name: [list(each) for each in self.size_range],
        }


def pack_generator(generator: Generator) -> bytes:
    """Return the section ``library``: u32 length of a JSON object, the object, the arrays it lists in its order."""
    size = generator.condition.size
    columns = {_column(each.name, size): getattr(generator.library, each.name) for each in fields(Library)}
    listed = {name: {"type": values.dtype.str, "shape": list(values.shape)} for name, values in columns.items()}
    head = json.dumps({**generator.as_dict(), "arrays": listed}).encode()
    arrays = b"".join(np.ascontiguousarray(values).tobytes() for values in columns.values())
    return _HEAD_BYTES.pack(len(head)) + head + arrays


def unpack_generator(section: bytes | memoryview) -> Generator:
    """Read what :func:`pack_generator` gave; no more memory is taken than the section has bytes.

    Raises
    ------
    DataError, SettingsError
        If it contradicts itself.
    """
    whole = memoryview(section)
    (length,) = _HEAD_BYTES.unpack_from(whole)
    start = _HEAD_BYTES.size + length
    if start > len(whole):
        raise DataError("the head of the generator reaches beyond its section")
    values: Mapping[str, Any] = json.loads(bytes(whole[_HEAD_BYTES.size : start]))
    try:
        condition = Condition.from_dict(values["condition"])
        size = condition.size
        arrays = _arrays(whole[start:], values["arrays"], size)
        return Generator(
            preparation=Preparation.from_dict(values["preparation"]),
            stabilisation=Stabilisation(**values["stabilisation"]),
            condition=condition,
            sample_type=str(values["sample_type"]),
            n_training=tuple(map(int, values["n_training"])),
            size_range=tuple((float(low), float(high)) for low, high in values[size.range_name]),
            library=Library(**arrays),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"this is no generator: {error}") from error


def _column(name: str, size: Size) -> str:
    """Return the name in the file: that of the size tells what it is."""
    return size.name if name == "size" else name


_TYPES = {
    "label": "|i1",
    "size": "<f4",
    "baseline_adc": "<f4",
    "code_mean": "<f2",
    "code_log_variance": "<f2",
    "residual": "<f2",
}


def _arrays(content: memoryview, listed: Mapping[str, Mapping[str, Any]], size: Size) -> dict[str, NDArray[Any]]:
    arrays, start, own = {}, 0, {_column(name, size): name for name in _TYPES}
    for in_file, about in listed.items():
        name = own.get(in_file, "")
        shape: Sequence[int] = [int(length) for length in about["shape"]]
        if about["type"] != _TYPES.get(name) or not shape or min(shape) < 1:
            raise DataError(f"the generator has an array {in_file!r} of type {about['type']} and shape {shape}")
        dtype = np.dtype(about["type"])
        stop = start + prod(shape) * dtype.itemsize
        if stop > len(content):
            raise DataError(f"the array {in_file!r} of the generator reaches beyond its section")
        arrays[name] = np.frombuffer(content[start:stop], dtype=dtype).reshape(shape)
        start = stop
    if start != len(content):
        raise DataError(f"the generator has {len(content) - start} bytes too many")
    return arrays
