"""Messages of ABCD, written byte by byte as its handbook says, and free ports for its modules."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from discrimen.pulses import Pulses

EVENT = np.dtype(
    [("t", "<u8"), ("qshort", "<u2"), ("qlong", "<u2"), ("baseline", "<u2"), ("channel", "u1"), ("group", "u1")]
)
LONGEST_S = 30


def record(tick: int, channel: int, samples: np.ndarray, curves: int = 0) -> bytes:
    head = struct.pack("<QBIB", tick, channel, len(samples), curves)
    return head + samples.astype("<u2").tobytes() + bytes(len(samples) * curves)


def waveforms(pulses: Pulses, number: int | None, *, first: int = 0, curves: int = 0) -> bytes:
    """A message of all pulses, 1000 ticks after each other, on channels 0 to 2."""
    payload = b"".join(record(1000 * (first + k), k % 3, row, curves) for k, row in enumerate(pulses.samples))
    return message(payload, number)


def message(payload: bytes, number: int | None, *, size: int | None = None) -> bytes:
    counted = "" if number is None else f"_n{number}"
    return f"data_abcd_waveforms_v0{counted}_s{len(payload) if size is None else size} ".encode() + payload


def events_in(frame: bytes) -> tuple[str, np.ndarray]:
    topic, _, payload = frame.partition(b" ")
    return topic.decode(), np.frombuffer(payload, EVENT)


def json_in(frame: bytes) -> tuple[str, dict[str, Any]]:
    topic, _, payload = frame.partition(b" ")
    assert int(topic.rpartition(b"_s")[2]) == len(payload)
    return topic.decode(), json.loads(payload)


def free_ports(n: int) -> int:
    """The first of some free ports in a row."""
    for _ in range(100):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = int(probe.getsockname()[1])
        if first + n < 65535 and all(_is_free(first + k) for k in range(n)):
            return first
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def until(done: Callable[[], object]) -> None:
    """Wait for something."""
    end_s = time.monotonic() + LONGEST_S
    while not done():
        assert time.monotonic() < end_s, "waited too long"
        time.sleep(0.005)
