"""Where a result comes from: the command line, hashes of files, versions of software, the time."""

from __future__ import annotations

import hashlib
import platform
import shlex
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.output.progress import notebook

_BLOCK_SAMPLES = 2**21
_LONGEST = 8000


def sha256_of_file(path: Path | str) -> str:
    """Return the SHA-256 of a file's content as 64 hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def software_versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python, this package and the given installed packages."""
    versions = {"python": platform.python_version()}
    for package in ("discrimen", *packages):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def utc_now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def command_line() -> str:
    """Return the command line of this process as it can be given again; of a script its own, of a notebook only that.

    One line; a very long one (thousands of files) is cut, since not every format has room for it.
    """
    program, *arguments = sys.argv or [""]
    if notebook() is not None:
        return "Python, in a notebook"
    if not program:
        return "Python, interactive"
    name, folder = Path(program).name, Path(program).parent.name
    if name == "discrimen" or (folder, name) == ("discrimen", "__main__.py"):
        words = ["discrimen", *arguments]
    else:
        words = ["python", program, *arguments]
    text = shlex.join(words).replace("\n", "\\n").encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ... (cut, {len(text)} characters in all)"


def waveform_digests(samples: NDArray[Any]) -> NDArray[np.uint64]:
    """Return a number for each waveform that equal ones share, whatever integer type holds them.

    A sum with random weights modulo 2**64. Two different waveforms share it once in 2**64 cases, or 2**(64 - n) where
    all their differences are multiples of 2**n. The weights never change: models keep digests for years.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        As digitised: integers of up to 32 bits, or float32.

    Returns
    -------
    ndarray of uint64, shape (pulse,)
    """
    stream = hashlib.shake_128(b"discrimen waveform").digest(8 * samples.shape[1])
    weights = np.frombuffer(stream, dtype="<u8").astype(np.uint64)
    digests = np.empty(len(samples), dtype=np.uint64)
    length = max(1, _BLOCK_SAMPLES // samples.shape[1])
    for first in range(0, len(samples), length):
        block = samples[first : first + length]
        bits = np.ascontiguousarray(block).view(np.uint32) if block.dtype.kind == "f" else block
        digests[first : first + length] = bits.astype(np.uint64) @ weights
    return digests
