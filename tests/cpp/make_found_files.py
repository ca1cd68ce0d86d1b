"""Write the damaged frozen files in cpp/tests/found, checksum made good: python -m tests.cpp.make_found_files.

Each is of a kind that a loader could stumble over; what the mutations find is put beside them as it is.
"""

from __future__ import annotations

import hashlib
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.cpp.native_build import REPOSITORY
from tests.network.networks import frozen
from tests.network.pulses import FALLING
from tests.network.weights import Weights

from discrimen.network.frozen_file import write_frozen
from discrimen.network.graph import chain
from discrimen.network.layers import Flatten
from discrimen.network.model_description import ModelDescription

FOLDER = REPOSITORY / "cpp" / "tests" / "found"
DIGEST_BYTES = 32


def small_file() -> bytearray:
    """Return a valid file: Flatten, Dense."""
    network = chain((Flatten(), Weights().dense(20, 2)))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "small.discrimen"
        write_frozen(frozen(network, ModelDescription(preparation=FALLING), n_pulses=2), path)
        return bytearray(path.read_bytes())


def section(content: bytes, name: bytes) -> int:
    """Return where a section begins."""
    (n_sections,) = struct.unpack_from("<I", content, 12)
    for number in range(n_sections):
        found, start, _ = struct.unpack_from("<8sQQ", content, 16 + 24 * number)
        if found.rstrip(b"\0") == name:
            return int(start)
    raise KeyError(name)


def damaged() -> Iterator[tuple[str, bytes]]:
    """Give names and contents."""
    for name, place, offset, value in (
        ("layer_reads_itself", b"layers", 4 + 16, struct.pack("<I", 1)),
        ("layer_count_of_32_bits", b"layers", 0, struct.pack("<I", 2**32 - 1)),
        ("output_reads_what_is_not_there", b"outputs", 4 + 4, struct.pack("<I", 7)),
        ("tolerance_that_cannot_fail", b"outputs", 4 + 16 + 4 + 4, struct.pack("<d", 1e30)),
        ("window_of_32_bits", b"input", 4, struct.pack("<i", 2**31 - 1)),
    ):
        content = small_file()
        at = section(content, place) + offset
        content[at : at + len(value)] = value
        body = bytes(content[:-DIGEST_BYTES])
        yield name, body + hashlib.sha256(body).digest()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, content in damaged():
        (FOLDER / f"{name}.discrimen").write_bytes(content)
