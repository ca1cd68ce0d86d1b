"""Frames of GANIL's MFM as bytes, field by field, in both byte orders and revisions."""

from __future__ import annotations

import struct
from collections.abc import Sequence

N_SAMPLES = 232
END = b"\xf0" * 4


def head(
    frame_type: int, n_bytes: int, *, order: str = "<", revision: int = 1, unit: int = 1, source: int = 0
) -> bytes:
    """Return the first 8 bytes of a frame."""
    assert n_bytes % 2**unit == 0
    size = struct.pack(f"{order}I", n_bytes >> unit)
    size = size[:3] if order == "<" else size[1:]
    metatype = (0x80 if order == "<" else 0) | unit
    return bytes([metatype]) + size + bytes([source]) + struct.pack(f"{order}H", frame_type) + bytes([revision])


def items_head(
    frame_type: int, n_bytes: int, header: int, item: int, n_items: int, *, order: str = "<", unit: int = 1, **more: int
) -> bytes:
    """Return the first 16 bytes of a frame of items."""
    begin = head(frame_type, n_bytes, order=order, unit=unit, **more)
    return begin + struct.pack(f"{order}HHI", header >> unit, item, n_items)


def time_bytes(ticks: int, order: str, revision: int) -> bytes:
    """Return the 6 bytes of a time stamp."""
    low_first = ticks.to_bytes(6, "little")
    taken = low_first if order == "<" else low_first[::-1]
    if revision > 0:
        return taken
    stored = bytearray(6)
    for place, source in enumerate((1, 0, 5, 4, 3, 2)):
        stored[source] = taken[place]
    return bytes(stored)


def neda(
    samples: Sequence[int],
    *,
    location: int = 3 | 7 << 5,
    event: int = 0,
    ticks: int = 0,
    slow: int = 40,
    fast: int = 160,
    order: str = "<",
    revision: int = 1,
    unit: int = 1,
    source: int = 0,
) -> bytes:
    """Return a raw frame of NEDA; its last unit is filled up with zeros."""
    inner = "<" if revision == 0 else order
    n_bytes = 44 + 2 * len(samples) + 4
    filling = -n_bytes % 2**unit
    tdc = 9 if revision == 0 else 0x0209
    stored = [value | (0x4000 if number % 2 else 0) for number, value in enumerate(samples)]
    return (
        items_head(
            0x12, n_bytes + filling, 44, 2, len(samples), order=order, unit=unit, revision=revision, source=source
        )
        + struct.pack(f"{order}H", location)
        + struct.pack(f"{inner}I", event)
        + time_bytes(ticks, order, revision)
        + bytes([1, 2])
        + (bytes([tdc, 0x77]) if revision == 0 else struct.pack(f"{order}H", tdc))
        + bytes(2)
        + struct.pack(f"{inner}H", slow)
        + bytes(2)
        + struct.pack(f"{inner}H", fast)
        + bytes([0xA0, 5, 6, 0])
        + struct.pack(f"{inner}{len(samples)}H", *stored)
        + END
        + bytes(filling)
    )


def compressed(
    *,
    location: int = 3 | 7 << 5,
    event: int = 0,
    ticks: int = 0,
    slow: int = 70_000,
    fast: int = 280_000,
    network: int = 13_107,
    is_neutron: bool = False,
    order: str = "<",
    revision: int = 1,
) -> bytes:
    """Return a NEDACOMP frame."""
    return (
        head(0x13, 42, order=order, revision=revision)
        + struct.pack(f"{order}I", event)
        + time_bytes(ticks, order, 1)
        + struct.pack(f"{order}HHHHIIiHBB", location, 11, 12, 13, slow, fast, -14, network, 2, is_neutron)
    )


def merged(inside: Sequence[bytes], *, by_time: bool = False, header: int | None = None, order: str = "<") -> bytes:
    """Return frames merged into one; a header of 24 bytes cuts the last field of those merged by time."""
    header = (26 if by_time else 20) if header is None else header
    content = b"".join(inside)
    more = time_bytes(77, order, 1) + bytes(4) if by_time else struct.pack(f"{order}I", 77)
    frame_type = 0xFF02 if by_time else 0xFF01
    begin = items_head(frame_type, header + len(content), header, 0, len(inside), order=order)
    return begin + more.ljust(header - 16, b"\x00")[: header - 16] + content


def other(frame_type: int, content: bytes, *, order: str = "<") -> bytes:
    """Return a frame of some other detector, or of XML."""
    content += bytes(len(content) % 2)
    return head(frame_type, 8 + len(content), order=order) + content
