"""The packets of mode 3: one channel of GRETINA's digitizers each, big-endian, several in one frame.

Two words 0xAAAA, 14 words of a head, and samples of 16 bits, each two swapped. A crystal has four boards of ten
channels: nine segments and a copy of the core. Here segments are numbered 0 to 35, the core's copies 36 to 39.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.geb.frames import CHANNELS_MARK, TICK_PS
from discrimen.pulses import PulseFlag

N_SEGMENTS = 36
CORE_CHANNEL = N_SEGMENTS
PACKET_HEAD_BYTES = 32
SEGMENTS_OF_BOARD, CORE_OF_BOARD = 9, 9
_MARK = int.from_bytes(CHANNELS_MARK)

WRONG_PACKET = "mode 3 packet whose length leads to no other one"


def packet_type(n_samples: int) -> np.dtype[Any]:
    """Return the type of a packet; the mark, the words of the head, the samples."""
    return np.dtype([("mark", ">u4"), ("words", ">u2", (14,)), ("samples", ">i2", (n_samples,))])


@dataclass(frozen=True, slots=True, eq=False)
class Packets:
    """Packets of one length.

    Parameters
    ----------
    packets : ndarray of structures, shape (packet,)
        Of :func:`packet_type`.
    frame, number : ndarray of int64, shape (packet,)
        In which of the frames each lies, and how many packets come before it there.
    """

    packets: NDArray[np.void]
    frame: NDArray[np.int64]
    number: NDArray[np.int64]


def packets_in(loads: NDArray[np.uint8]) -> tuple[list[Packets], NDArray[np.int64]]:
    """Take the loads of frames apart.

    Parameters
    ----------
    loads : ndarray of uint8, shape (frame, byte)

    Returns
    -------
    packets : list of Packets
        Of each length.
    n_packets : ndarray of int64, shape (frame,)
        Of each frame; 0 where they do not fill it, and none of it is returned.
    """
    parts, n_packets = _even_frames(loads)
    found = {number: _places(loads[number].tobytes()) for number in np.flatnonzero(n_packets == 0).tolist()}
    for frame, places in found.items():
        n_packets[frame] = len(places)
    every = [(frame, number, *place) for frame, places in found.items() for number, place in enumerate(places)]
    for size in dict.fromkeys(end - begin for *_, begin, end in every):
        alike = [each for each in every if each[3] - each[2] == size]
        raw = np.stack([loads[frame, begin:end] for frame, _, begin, end in alike])
        of_frame, numbers = (np.array([each[k] for each in alike], np.int64) for k in (0, 1))
        parts.append(Packets(raw.view(packet_type((size - PACKET_HEAD_BYTES) // 2))[:, 0], of_frame, numbers))
    return parts, n_packets


def _even_frames(loads: NDArray[np.uint8]) -> tuple[list[Packets], NDArray[np.int64]]:
    """Take the frames apart whose packets all are as long as the very first one."""
    n_packets = np.zeros(len(loads), np.int64)
    n_bytes = _packet_bytes(loads[0, :6].tobytes())
    if not n_bytes or loads.shape[1] % n_bytes:
        return [], n_packets
    each = loads.shape[1] // n_bytes
    every = np.ascontiguousarray(loads).view(packet_type((n_bytes - PACKET_HEAD_BYTES) // 2))
    fits = (every["mark"] == _MARK) & (4 * (every["words"][:, :, 0] & 0x7FF).astype(np.int64) + 4 == n_bytes)
    even = np.flatnonzero(fits.all(axis=1))
    n_packets[even] = each
    packets = every.reshape(-1) if len(even) == len(every) else every[even].reshape(-1)
    return [Packets(packets, np.repeat(even, each), np.tile(np.arange(each), len(even)))] if len(
        even
    ) else [], n_packets


def _places(load: bytes) -> list[tuple[int, int]]:
    """Return begin and end of each packet; nothing where they do not fill the load."""
    places, at = [], 0
    while at < len(load):
        n_bytes = _packet_bytes(load[at : at + 6])
        if not n_bytes or at + n_bytes > len(load):
            return []
        places.append((at, at + n_bytes))
        at += n_bytes
    return places


def _packet_bytes(begin: bytes) -> int:
    """Return the length of a packet by its first bytes; 0 if none begins here, or it holds no sample."""
    if begin[:4] != CHANNELS_MARK or len(begin) < 6:
        return 0
    n_bytes = 4 * (int.from_bytes(begin[4:6]) & 0x7FF) + 4
    return n_bytes if n_bytes > PACKET_HEAD_BYTES else 0


def columns_of(part: Packets) -> dict[str, NDArray[Any]]:
    """Return samples and columns of packets, as :class:`~discrimen.pulses.Pulses` takes them."""
    words = part.packets["words"].astype(np.int64)
    return {
        "samples": _samples_of(part.packets),
        "timestamp_ps": TICK_PS * (words[:, 3] | words[:, 2] << 16 | words[:, 5] << 32),
        "board": (words[:, 1] >> 6 & 0x7F).astype(np.int32),
        "channel": channel_numbers(words, part.frame).astype(np.int32),
        "energy": (words[:, 4] | (words[:, 7] & 0xFF) << 16) - ((words[:, 7] & 0x100) << 16).astype(np.float64),
        "flags": np.where(words[:, 7] & 0x8000, np.uint32(PulseFlag.PILE_UP), np.uint32(0)),
    }


def _samples_of(packets: NDArray[np.void]) -> NDArray[np.int16]:
    """Return the samples of packets in their order.

    Each two are swapped, and big-endian: as one word of 32 bits they only are in the order of bytes of another machine.
    The length of a packet is a multiple of two samples.
    """
    n_pairs = packets["samples"].shape[1] // 2
    words = packets.view([("head", "u1", PACKET_HEAD_BYTES), ("pairs", ">u4", (n_pairs,))])["pairs"]
    return words.astype("<u4").view("<i2").astype(np.int16, copy=False)


def channel_numbers(words: NDArray[np.int64], frame: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the channels of packets in their crystal.

    Which of the crystal's four boards it is stands in bits 4 and 5 of word 1. Where they are zero in a whole frame with
    packets of several boards, the number of the board (word 0) tells them apart.
    """
    quarter = words[:, 1] >> 4 & 3
    board = words[:, 0] >> 11
    first = np.flatnonzero(np.append(True, frame[1:] != frame[:-1]))
    counts = np.diff(np.append(first, len(frame)))
    told = np.repeat(np.maximum.reduceat(quarter, first) > 0, counts)
    several = np.repeat(np.maximum.reduceat(board, first) != np.minimum.reduceat(board, first), counts)
    quarter = np.where(~told & several, board & 3, quarter)
    channel = words[:, 1] & 0xF
    is_core = channel >= CORE_OF_BOARD
    return np.where(
        is_core, CORE_CHANNEL + quarter + 4 * (channel - CORE_OF_BOARD), SEGMENTS_OF_BOARD * quarter + channel
    )
