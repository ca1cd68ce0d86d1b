"""The loads of waveform frames of FASTER: an oscilloscope's with units in words, a sampler's with a word of bits.

Facts: the headers of the library fasterac of LPC Caen. An oscilloscope's load is f32 time of the first sample, f32 step
in time, f32 step in voltage, char[8] unit of time, char[8] unit of voltage, and i16 samples. A sampler's is a word of
bits (range 3, number of samples 11, 40 less the samples before the threshold 10, zero 8) and i16 samples, one every
2 ns; samplers of older firmware have no such word.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SCOPE_HEAD = np.dtype([("x0", "<f4"), ("x_step", "<f4"), ("y_step", "<f4"), ("x_unit", "S8"), ("y_unit", "S8")])
"""What stands before the samples of an oscilloscope frame."""

SAMPLER_HEAD_BYTES = 4
SAMPLER_STEP_NS = 2.0

_DECODED = np.dtype([("first_ns", "f8"), ("step_ns", "f8"), ("step_y", "f8"), ("unit_y", "S8")])
_UNITS_NS = {b"ps": 1e-3, b"ns": 1.0, b"us": 1e3, b"ms": 1e6, b"s": 1e9}
_FULL_SCALE_MV = 2390.0
_STEPS_MV = np.array([*(_FULL_SCALE_MV / 2.0**power for power in (19, 18, 17, 16, 15)), *[np.nan] * 3])
_BEFORE_THRESHOLD = 40


def scope_heads(loads: NDArray[np.uint8]) -> NDArray[Any] | None:
    """Return the heads of oscilloscope frames, None if their loads hold less than a head and a sample.

    Returns
    -------
    ndarray of shape (frame,)
        Fields `first_ns`, `step_ns` (NaN where the unit is unknown), `step_y` and `unit_y`.
    """
    if loads.shape[1] < SCOPE_HEAD.itemsize + 2:
        return None
    raw = np.ascontiguousarray(loads[:, : SCOPE_HEAD.itemsize]).view(SCOPE_HEAD)[:, 0]
    heads = np.empty(len(raw), _DECODED)
    heads["unit_y"] = raw["y_unit"]
    for name, source in (("first_ns", "x0"), ("step_ns", "x_step"), ("step_y", "y_step")):
        values, which = np.unique(raw[source].view("<u4"), return_inverse=True)
        # The shortest number that is meant by the 32 bits: 0.8, not 0.800000012.
        heads[name] = np.array([float(str(value)) for value in values.view("<f4")])[which]
    factor = np.full(len(raw), np.nan)
    for unit in np.unique(raw["x_unit"]):
        factor[raw["x_unit"] == unit] = _UNITS_NS.get(unit.split(b"\0")[0].strip(), np.nan)
    heads["first_ns"] *= factor
    heads["step_ns"] *= factor
    return heads


def scope_samples(loads: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return the samples of oscilloscope frames."""
    return _samples(loads[:, SCOPE_HEAD.itemsize :])


def sampler_samples(loads: NDArray[np.uint8], *, has_head: bool) -> NDArray[np.int16]:
    """Return the samples of sampler frames; with a head, all of them count the same."""
    if not has_head:
        return _samples(loads)
    n_samples = int(sampler_numbers(loads)[0])
    return _samples(loads[:, SAMPLER_HEAD_BYTES : SAMPLER_HEAD_BYTES + 2 * n_samples])


def sampler_counts(loads: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Say of which sampler frames the head counts as many samples as there are."""
    n_bytes = SAMPLER_HEAD_BYTES + 2 * sampler_numbers(loads)
    return np.asarray((n_bytes == loads.shape[1]) & (n_bytes > SAMPLER_HEAD_BYTES) & (_word(loads) >> 24 == 0))


def sampler_step_mv(loads: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the voltage of a count; NaN where the range is unknown."""
    return np.asarray(_STEPS_MV[_word(loads) & 7])


def sampler_before(loads: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many samples come before the threshold."""
    return np.asarray(_BEFORE_THRESHOLD - (_word(loads) >> 14 & 0x3FF))


def sampler_numbers(loads: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many samples the heads of sampler frames count."""
    return np.asarray(_word(loads) >> 3 & 0x7FF)


def _word(loads: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.ascontiguousarray(loads[:, :SAMPLER_HEAD_BYTES]).view("<u4")[:, 0].astype(np.int64)


def _samples(content: NDArray[np.uint8]) -> NDArray[np.int16]:
    even = content[:, : content.shape[1] // 2 * 2]
    return np.ascontiguousarray(even).view("<i2")
