"""Files of hits: HDF5 with the traces of all channels of a hit side by side.

::

    samples     (hit, channel, sample), as digitised, in ADC counts
    present     (hit, channel), which channels are there; missing where all are
    columns/    what is known of each hit, by the names of discrimen.pulses.COLUMNS
    attributes  discrimen_hits (version of the layout), sample_period_ns, channels, provenance

All are stored as they are, guarded by the checksums of HDF5: to compress noise costs more time than to gather it.
Packed files have the samples as bits of one weight side by side (Bitshuffle) and compressed by LZ4.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, DiscrimenError, FormatError, require_module
from discrimen.output.files import complete_or_absent
from discrimen.output.hdf5 import Hdf5Output, hdf5_output
from discrimen.output.plain import plain
from discrimen.pulses import COLUMNS
from discrimen.pulses.hits import Hits, join_hits

_MARK, _VERSION = "discrimen_hits", 1
_CHUNK_BYTES = 2**20
_GUARDED = {"fletcher32": True}
_READ_BYTES = 16 * 2**20
_H5_ERRORS = (OSError, RuntimeError, ValueError, KeyError, TypeError)


class HitsWriter:
    """Writer of one file of hits; memory does not grow with what is written.

    Parameters
    ----------
    path : Path
        The final name; the file is complete or absent.
    provenance : mapping, optional
        Where the hits come from, plain data; stored in the file.
    packed : bool
        Whether to compress the samples, without loss; reading then needs the extra `codes`, too.

    Raises
    ------
    MissingExtraError
        If what compresses is not installed.
    """

    def __init__(self, path: Path, provenance: Mapping[str, Any] | None = None, *, packed: bool = False) -> None:
        self.path, self.n_hits = path, 0
        self._packing = dict(require_module("hdf5plugin", extra="codes").Bitshuffle(cname="lz4")) if packed else {}
        self._provenance = dict(provenance or {})
        self._open = ExitStack()
        self._output: Hdf5Output | None = None

    def __enter__(self) -> Self:
        part = self._open.enter_context(complete_or_absent(self.path))
        self._output = self._open.enter_context(hdf5_output(part))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def write(self, hits: Hits) -> None:
        """Append hits; all must have the channels, the length, the type and the columns of the first ones.

        Raises
        ------
        DataError
            If they differ.
        OutputError
            If the file system refuses.
        """
        if self._output is None:
            raise ValueError("the file is not open")
        file = self._output.file
        if _MARK not in file.attrs:
            self._begin(file, hits)
        self._require_like_first(file, hits)
        parts = {"samples": hits.samples, **{f"columns/{name}": column for name, column in hits.columns.items()}}
        if hits.present is not None:
            parts["present"] = hits.present
        for name, values in parts.items():
            data = file[name]
            data.resize(self.n_hits + len(hits), axis=0)
            data[self.n_hits :] = values
        self.n_hits += len(hits)
        self._output.check()

    def _begin(self, file: h5py.File, hits: Hits) -> None:
        shape = hits.samples.shape[1:]
        rows = max(1, _CHUNK_BYTES // max(1, hits.samples[:1].nbytes))

        def begun(name: str, dtype: Any, n_rows: int, *row: int, **options: Any) -> None:
            chunk = (n_rows, *row)
            file.create_dataset(name, (0, *row), dtype, maxshape=(None, *row), chunks=chunk, **_GUARDED, **options)

        begun("samples", hits.samples.dtype, rows, *shape, **self._packing)
        if hits.present is not None:
            begun("present", bool, 2**12, shape[0])
        file.create_group("columns")
        for name in hits.columns:
            begun(f"columns/{name}", COLUMNS[name], 2**14)
        file.attrs["sample_period_ns"] = float("nan") if hits.sample_period_ns is None else hits.sample_period_ns
        file.attrs["channels"] = json.dumps(list(hits.channels))
        file.attrs["provenance"] = json.dumps(plain(self._provenance))
        file.attrs[_MARK] = _VERSION

    def _require_like_first(self, file: h5py.File, hits: Hits) -> None:
        first = {
            "samples of a hit": (file["samples"].shape[1:], hits.samples.shape[1:]),
            "type": (file["samples"].dtype, hits.samples.dtype),
            "columns": (sorted(file["columns"]), sorted(hits.columns)),
            "mask": ("present" in file, hits.present is not None),
            "channels": (json.loads(file.attrs["channels"]), list(hits.channels)),
        }
        for what, (before, now) in first.items():
            if before != now:
                raise DataError(f"{self.path}: cannot append hits of other {what}: expected {before}, got {now}")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class HitsInfo:
    """What a file of hits says before its hits are read.

    Parameters
    ----------
    path : Path
        The file.
    n_hits, n_channels, n_samples : int
        What it holds.
    sample_period_ns : float or None
        Time between samples in ns.
    channels, columns : tuple of str
        Names.
    provenance : mapping
        Where the hits come from.
    """

    path: Path
    n_hits: int
    n_channels: int
    n_samples: int
    sample_period_ns: float | None
    channels: tuple[str, ...]
    columns: tuple[str, ...]
    provenance: Mapping[str, Any]


def is_hits_file(path: Path) -> bool:
    """Return whether a file says that it holds hits; never raises."""
    try:
        with h5py.File(path, "r") as file:
            return _MARK in file.attrs
    except (*_H5_ERRORS, OverflowError):
        return False


def hits_info(path: Path) -> HitsInfo:
    """Return what a file of hits says of itself.

    Raises
    ------
    FormatError
        If it is none, or contradicts itself.
    """
    with _opened(path) as file:
        return _info(path, file)


def hits_chunks(path: Path, *, chunk_bytes: int = _READ_BYTES) -> Iterator[Hits]:
    """Read hits in pieces of about so many bytes, in the order of the file.

    Raises
    ------
    FormatError
        If the file holds no hits, or is damaged.
    MissingExtraError
        If it is packed, and what unpacks it is not installed.
    """
    with _opened(path) as file:
        info = _info(path, file)
        samples = _readable(file["samples"])
        rows = max(1, chunk_bytes // max(1, info.n_channels * info.n_samples * samples.dtype.itemsize))
        for start in range(0, info.n_hits, rows):
            part = slice(start, start + rows)
            yield Hits(
                samples=samples[part],
                sample_period_ns=info.sample_period_ns,
                present=file["present"][part].astype(bool) if "present" in file else None,
                columns={name: file["columns"][name][part] for name in info.columns},
                channels=info.channels,
            )


def read_hits(path: Path, *, on_progress: Callable[[int], None] = lambda _: None) -> Hits:
    """Read all hits of a file into memory, once.

    Parameters
    ----------
    path : Path
        A file of hits.
    on_progress : callable
        Called with the number of hits of each piece.

    Raises
    ------
    FormatError
        If the file holds none, or is damaged.
    MissingExtraError
        See :func:`hits_chunks`.
    """
    n_hits, n_read, rest = hits_info(path).n_hits, 0, []
    samples: NDArray[Any] | None = None
    for piece in hits_chunks(path):
        if samples is None:
            samples = np.empty((n_hits, *piece.samples.shape[1:]), dtype=piece.samples.dtype)
        samples[n_read : n_read + len(piece)] = piece.samples
        n_read += len(piece)
        # The samples, by far the most, are in their place already.
        rest.append(replace(piece, samples=piece.samples[:, :, :0]))
        on_progress(len(piece))
    if samples is None:
        raise FormatError("holds no hits", path)
    return replace(join_hits(rest), samples=samples)


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    try:
        with h5py.File(path, "r") as file:
            yield file
    except DiscrimenError:
        raise
    except (*_H5_ERRORS, OverflowError) as error:
        raise FormatError(f"cannot be read as a file of hits: {error}", path) from error


def _readable(samples: h5py.Dataset) -> h5py.Dataset:
    """Return samples whose filters are all there."""
    creation = samples.id.get_create_plist()
    if not all(h5py.h5z.filter_avail(creation.get_filter(n)[0]) for n in range(creation.get_nfilters())):
        require_module("hdf5plugin", extra="codes")
    return samples


def _info(path: Path, file: h5py.File) -> HitsInfo:
    if int(file.attrs.get(_MARK, 0)) != _VERSION:
        raise FormatError(f"expected a file of hits of version {_VERSION}", path)
    n_hits, n_channels, n_samples = file["samples"].shape
    columns = tuple(name for name in COLUMNS if name in file["columns"])
    lengths = {name: file["columns"][name].shape for name in columns}
    if "present" in file:
        lengths["present"] = file["present"].shape[:1]
    wrong = next((name for name, shape in lengths.items() if shape != (n_hits,)), None)
    if wrong is not None:
        raise FormatError(f"expected {n_hits} values of '{wrong}', one a hit, got {lengths[wrong]}", path)
    period_ns = float(file.attrs["sample_period_ns"])
    return HitsInfo(
        path=path,
        n_hits=n_hits,
        n_channels=n_channels,
        n_samples=n_samples,
        sample_period_ns=None if np.isnan(period_ns) else period_ns,
        channels=tuple(json.loads(file.attrs["channels"])),
        columns=columns,
        provenance=json.loads(file.attrs["provenance"]),
    )
