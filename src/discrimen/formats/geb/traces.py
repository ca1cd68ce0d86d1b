"""Frames of type 100: energies and traces of a whole crystal, little-endian, the core last."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.geb.frames import HEAD, TRACES, TRACES_BYTES

N_CHANNELS, N_SAMPLES = 37, 300
_N_SEGMENTS = N_CHANNELS - 1

TRACES_FRAME = np.dtype(
    [
        ("core_energy", "<f4"),
        ("segment_energies", "<f4", (_N_SEGMENTS,)),
        ("pad", "<f4"),
        ("traces", "<i2", (N_CHANNELS, N_SAMPLES)),
    ]
)
"""The load of a frame."""


def trace_energies(loads: NDArray[np.void]) -> NDArray[np.float64]:
    """Return the energies of all channels, of shape (frame, channel), the core last; NaN where one is no number."""
    with np.errstate(invalid="ignore"):
        core = loads["core_energy"][:, np.newaxis]
        energies = np.concatenate([loads["segment_energies"], core], axis=1).astype(np.float64)
    energies[~np.isfinite(energies)] = np.nan
    return energies


def traces_as_bytes(traces: NDArray[np.int16], *, energies: NDArray[np.float64], ticks: NDArray[np.int64]) -> bytes:
    """Return frames of type 100.

    Parameters
    ----------
    traces : ndarray of int16, shape (hit, 37, 300)
        Segments, and the core last.
    energies : ndarray of float64, shape (hit, 37)
        Of each channel.
    ticks : ndarray of int64, shape (hit,)
        Time stamps in steps of 10 ns.

    Raises
    ------
    DataError
        If a shape does not fit.
    """
    shapes = (traces.shape[1:], energies.shape, ticks.shape)
    expected = ((N_CHANNELS, N_SAMPLES), (len(traces), N_CHANNELS), (len(traces),))
    if shapes != expected:
        raise DataError(f"expected traces of a hit, energies and ticks of shapes {expected}, got {shapes}")
    frames = np.zeros(len(traces), np.dtype([("head", HEAD), ("load", TRACES_FRAME)]))
    frames["head"]["type"], frames["head"]["load_bytes"] = TRACES, TRACES_BYTES
    frames["head"]["tick"] = ticks
    frames["load"]["segment_energies"], frames["load"]["core_energy"] = energies[:, :-1], energies[:, -1]
    frames["load"]["traces"] = traces
    return frames.tobytes()
