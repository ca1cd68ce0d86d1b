"""Waveforms of a range of a ROOT tree: any number of samples an entry, checked against the lengths the file stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Waveforms:
    """Waveforms laid end to end.

    Parameters
    ----------
    content : ndarray, shape (item,)
        Samples, or bytes in ROOT's big-endian order where `packed`.
    offsets : ndarray of int64, shape (entry + 1,)
        Where each entry begins in `content`.
    header_items : int
        Items at the beginning of each entry that are no samples.
    dtype : dtype
        Of the samples, native byte order.
    packed : bool
        Whether `content` holds bytes.
    lengths : ndarray of int64, shape (entry,)
        Number of samples of each entry.
    intact : ndarray of bool, shape (entry,)
        Whether the length that the entry stores agrees with the room that it takes.
    """

    content: NDArray[Any]
    offsets: NDArray[np.int64]
    header_items: int
    dtype: np.dtype[Any]
    packed: bool
    lengths: NDArray[np.int64]
    intact: NDArray[np.bool_]

    def select(self, chosen: NDArray[np.bool_]) -> NDArray[Any]:
        """Return the samples of the chosen entries, which have one length, as an array of shape (entry, sample)."""
        items = self.content if chosen.all() else self.content[np.repeat(chosen, np.diff(self.offsets))]
        rows = items.reshape(int(np.count_nonzero(chosen)), -1)[:, self.header_items :]
        if not self.packed:
            return rows.astype(self.dtype, copy=False)
        return np.ascontiguousarray(rows).view(self.dtype.newbyteorder(">")).astype(self.dtype)


def waveforms_from_raw(
    content: NDArray[np.uint8], offsets: NDArray[np.int64], *, header_bytes: int, dtype: np.dtype[Any]
) -> Waveforms:
    """Take apart entries of bytes: a header whose last four bytes count the numbers, then the numbers.

    That is how ROOT stores ``TArrayS`` (the count alone) and ``std::vector`` (six bytes before the count).

    Raises
    ------
    ValueError
        If the offsets contradict each other or the content.
    """
    sizes = _checked_sizes(content, offsets) - header_bytes
    lengths = sizes // dtype.itemsize
    has_count = sizes >= 0
    counts = np.full(len(sizes), -1, dtype=np.int64)
    at = offsets[:-1][has_count, None] + np.arange(header_bytes - 4, header_bytes)
    counts[has_count] = content[at].view(">i4")[:, 0] if len(at) else 0
    intact = has_count & (counts == lengths) & (sizes % dtype.itemsize == 0)
    return Waveforms(content, offsets, header_bytes, dtype, True, lengths, intact)


def waveforms_from_items(content: NDArray[Any], offsets: NDArray[np.int64], *, dtype: np.dtype[Any]) -> Waveforms:
    """Take entries whose numbers follow each other without a header.

    Raises
    ------
    ValueError
        If the offsets contradict each other or the content.
    """
    lengths = _checked_sizes(content, offsets)
    same_bits = content.dtype.itemsize == dtype.itemsize and content.dtype.kind in "iu" and dtype.kind in "iu"
    items = content.view(dtype) if same_bits else content
    return Waveforms(items, offsets, 0, dtype, False, lengths, np.ones(len(lengths), dtype=np.bool_))


def waveforms_from_rows(rows: NDArray[Any]) -> Waveforms:
    """Take waveforms of one length whose stored lengths were found to be right, shape (entry, sample)."""
    n_entries, n_samples = rows.shape
    return waveforms_from_items(rows.reshape(-1), np.arange(n_entries + 1) * n_samples, dtype=rows.dtype)


def storable(samples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Bring samples to a type that :class:`~discrimen.pulses.Pulses` takes, and tell which waveforms it can hold.

    Doubles become float32, 64-bit integers int32.

    Returns
    -------
    samples : ndarray, shape (entry, sample)
        Of an integer type of up to 32 bits, or float32.
    fits : ndarray of bool, shape (entry,)
        False for waveforms with NaN, infinite or too large samples.
    """
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):
            narrow = samples.astype(np.float32, copy=False)
        return narrow, np.asarray(np.isfinite(narrow).all(axis=1))
    if samples.dtype.itemsize <= 4:
        return samples, np.ones(len(samples), dtype=np.bool_)
    limits = np.iinfo(np.int32)
    in_range = (samples >= limits.min) & (samples <= limits.max)
    return samples.astype(np.int32), np.asarray(in_range.all(axis=1))


def _checked_sizes(content: NDArray[Any], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    sizes = np.diff(offsets)
    if offsets[0] != 0 or offsets[-1] != len(content) or np.any(sizes < 0):
        raise ValueError(f"entry offsets run from {offsets[0]} to {offsets[-1]} in a basket of {len(content)} items")
    return sizes
