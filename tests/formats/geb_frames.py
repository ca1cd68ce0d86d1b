"""Write GEB streams, for tests."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.geb.points import points_as_bytes
from discrimen.formats.geb.traces import traces_as_bytes
from discrimen.pulses.interaction_points import InteractionPoints


def frame(frame_type: int, load: bytes, *, tick: int = 1000) -> bytes:
    """Return a frame of any type."""
    return struct.pack("<iiq", frame_type, len(load), tick) + load


def packet(
    samples: NDArray[np.int16],
    *,
    channel: int = 0,
    quarter: int = 0,
    board: int = 3,
    crystal: int = 0,
    hole: int = 0,
    tick: int = 1000,
    energy: int = 0,
    pile_up: bool = False,
) -> bytes:
    """Return a packet of mode 3, word by word as the digitizer writes it; the energy has 24 bits and a sign."""
    words = [0] * 14
    words[0] = (28 + 2 * len(samples)) // 4 | board << 11
    words[1] = channel | quarter << 4 | crystal << 6 | hole << 8
    words[3], words[2], words[5] = tick & 0xFFFF, tick >> 16 & 0xFFFF, tick >> 32 & 0xFFFF
    words[4] = energy & 0xFFFF
    words[7] = energy >> 16 & 0xFF | (energy < 0) << 8 | pile_up << 15
    swapped = np.array([samples[number ^ 1] for number in range(len(samples))], ">i2")
    return b"\xaa\xaa\xaa\xaa" + struct.pack(">14H", *words) + swapped.tobytes()


def channels(*packets: bytes, tick: int = 1000) -> bytes:
    """Return a frame of mode 3."""
    return frame(2, b"".join(packets), tick=tick)


def crystals(n_hits: int, *, seed: int = 1, first_tick: int = 1000) -> tuple[NDArray[np.int16], bytes]:
    """Return the traces of hits, of shape (hit, 37, 300), and frames of type 100 with them, 1 us apart."""
    rng = np.random.default_rng(seed)
    traces = rng.integers(-2000, 2000, (n_hits, 37, 300)).astype(np.int16)
    energies = rng.uniform(0, 50, (n_hits, 37))
    energies[:, -1] = 300 + np.arange(n_hits)
    energies[np.arange(n_hits), np.arange(n_hits) % 36] = 290
    ticks = first_tick + 100 * np.arange(n_hits)
    return traces, traces_as_bytes(traces, energies=energies, ticks=ticks)


def some_points(n_hits: int = 5, *, seed: int = 2) -> InteractionPoints:
    """Return hits of one to three points."""
    rng = np.random.default_rng(seed)
    event = np.repeat(np.arange(n_hits), rng.integers(1, 4, n_hits))
    x_mm, y_mm, z_mm = rng.uniform(-40, 40, (3, len(event))).astype(np.float32)
    return InteractionPoints(
        event=event,
        crystal=(3 + event % 4).astype(np.int32),
        segment=rng.integers(0, 36, len(event), dtype=np.int32),
        x_mm=x_mm,
        y_mm=y_mm,
        z_mm=z_mm,
        energy_kev=rng.uniform(20, 400, len(event)).astype(np.float32),
        timestamp_ps=10_000_000 * (1 + event),
        core_energy_kev=(500 + event).astype(np.float32),
        chi_square=(0.5 + event).astype(np.float32),
        status=(event % 2).astype(np.int32),
    )


def points(n_hits: int = 5) -> bytes:
    """Return frames of mode 2."""
    return points_as_bytes(some_points(n_hits))
