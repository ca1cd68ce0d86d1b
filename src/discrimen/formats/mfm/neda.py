"""What is in the frames of NEDA: raw ones (type 0x12) with the samples of a pulse, and NEDACOMP (0x13) without.

Raw frames of revision 0 were written by a firmware of another byte order than their flag says: their time has its bytes
in an order of its own, and event number, integrals and samples are little-endian whatever the flag. Facts: MFMlib
(MFMNedaFrame, MFMNedaCompFrame). That the energy is the sum of both integrals, and the slow one the tail, is how the
analysis of the Neutron Wall and NEDA at GANIL takes them (class TNWall).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.mfm.frames import NEDA_COMP_BYTES, Layout

N_SAMPLES, SAMPLE_PERIOD_NS, ADC_BITS = 232, 10.0, 14
"""Of a raw frame of NEDA, as the firmware writes it."""

TICK_PS = 10_000
"""The unit of time stamps."""

CHANNEL_MASK = 0xF
BOARD_BITS = (5, 4)
"""The bit of the location from which on the board is counted: the default, and that of MFMlib up to 2019."""

BETWEEN_BIT = 0x10
"""Set in no location if the board begins at bit 5."""

FULL_SCORE = 65_535
"""A score of 1 in the field NeuralNetWork."""

NOT_SCORED_ZEROS = 255
"""The number of zero crossings, with a score of 0, in a frame of a pulse that could not be scored."""

_INDEX_PARITY = 0x4000
_ADC = 0x3FFF

RawFrames = NDArray[np.void]
"""Frames of the type :func:`raw_type` or :func:`compressed_type`."""


@lru_cache(maxsize=256)
def raw_type(layout: Layout) -> np.dtype[np.void]:
    """Return the type of a raw frame as far as it is used."""
    head = layout.head
    flagged = "<" if head.is_little_endian else ">"
    order = "<" if head.revision == 0 else flagged
    fields: dict[str, tuple[Any, int]] = {
        "source": ("u1", 4),
        "location": (f"{flagged}u2", 16),
        "event_number": (f"{order}u4", 18),
        "time": (("u1", 6), 22),
        "tdc": ("u1" if head.revision == 0 else f"{flagged}u2", 30),
        "slow": (f"{order}u2", 34),
        "fast": (f"{order}u2", 38),
        "bits": ("u1", 40),
        "samples": ((f"{order}u2", layout.n_items), layout.begin),
    }
    return _of_fields(fields, head.bytes)


@lru_cache(maxsize=256)
def compressed_type(layout: Layout) -> np.dtype[np.void]:
    """Return the type of a NEDACOMP frame."""
    order = "<" if layout.head.is_little_endian else ">"
    fields: dict[str, tuple[Any, int]] = {
        "source": ("u1", 4),
        "event_number": (f"{order}u4", 8),
        "time": (("u1", 6), 12),
        "location": (f"{order}u2", 18),
        "energy": (f"{order}u2", 20),
        "time_of_pulse": (f"{order}u2", 22),
        "tdc": (f"{order}u2", 24),
        "slow": (f"{order}u4", 26),
        "fast": (f"{order}u4", 30),
        "rise_time": (f"{order}i4", 34),
        "neural_network": (f"{order}u2", 38),
        "n_zeros": ("u1", 40),
        "is_neutron": ("u1", 41),
    }
    return _of_fields(fields, max(layout.head.bytes, NEDA_COMP_BYTES))


def _of_fields(fields: dict[str, tuple[Any, int]], n_bytes: int) -> np.dtype[np.void]:
    formats, offsets = zip(*fields.values(), strict=True)
    return np.dtype({"names": list(fields), "formats": list(formats), "offsets": list(offsets), "itemsize": n_bytes})


def ticks(frames: RawFrames, layout: Layout, *, is_raw: bool) -> NDArray[np.int64]:
    """Return time stamps in units of 10 ns, shape (frame,)."""
    places = (1, 0, 5, 4, 3, 2) if is_raw and layout.head.revision == 0 else (0, 1, 2, 3, 4, 5)
    if not layout.head.is_little_endian:
        places = places[::-1]
    content = np.zeros((len(frames), 8), np.uint8)
    stored = frames["time"]
    for place, source in enumerate(places):
        content[:, place] = stored[:, source]
    return content.view("<i8")[:, 0].astype(np.int64, copy=False)


def adc_samples(frames: RawFrames) -> tuple[NDArray[np.uint16], NDArray[np.bool_] | None]:
    """Return the ADC values of raw frames, and which frames have a sample out of its place; None if none has.

    Bit 14 of a stored sample is the parity of its index. Bit 15 is free.
    """
    samples = frames["samples"].astype(np.uint16)
    samples ^= index_parity(samples.shape[1])
    seen = int(np.bitwise_or.reduce(np.bitwise_or.reduce(samples, axis=0), initial=0))
    is_slipped = None if not seen & _INDEX_PARITY else ((samples & _INDEX_PARITY) != 0).any(axis=1)
    if seen & ~_ADC:
        samples &= _ADC
    return samples, is_slipped


@lru_cache(maxsize=64)
def index_parity(n_samples: int) -> NDArray[np.uint16]:
    """Return what stands in bit 14 of each sample of a record."""
    parity = np.zeros(n_samples, np.uint16)
    parity[1::2] = _INDEX_PARITY
    parity.setflags(write=False)
    return parity


def places(location: NDArray[Any], *, board_bit: int) -> dict[str, NDArray[np.int32]]:
    """Take locations apart into the columns board and channel."""
    whole = location.astype(np.int32)
    return {"board": whole >> board_bit, "channel": whole & CHANNEL_MASK}
