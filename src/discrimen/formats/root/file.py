"""ROOT files by ranges of entries: trees and RNTuples; every fault of the file becomes a FormatError here.

uproot reports a damaged file by whatever exception its parsing happens to meet. They are caught in one place,
:func:`reading`, around calls of uproot alone.
"""

from __future__ import annotations

import lzma
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError, require_module
from discrimen.formats.root.baskets import Place, codec_errors
from discrimen.formats.root.branches import Branch, describe_branch
from discrimen.formats.root.keys import check_key, check_object
from discrimen.formats.root.ntuple import check_page_lists, check_pages, describe_field
from discrimen.formats.root.samples import Waveforms, waveforms_from_items, waveforms_from_raw

MAGIC = b"root"

_TREE_CLASSES = ("TTree", "TNtuple", "TNtupleD", "ROOT::RNTuple")
_PARSING_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    LookupError,
    MemoryError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    zlib.error,
)
_LEAST_ENTRY_BYTES = 64


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a damaged file makes uproot raise into a FormatError; hold nothing but calls of uproot."""
    uproot = require_module("uproot", extra="root")
    require_module("awkward", extra="root")
    codecs = require_module("cramjam", extra="root")
    own = (uproot.deserialization.DeserializationError, uproot.interpretation.identify.UnknownInterpretation)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            yield
    except (*_PARSING_ERRORS, *own, codecs.DecompressionError, *codec_errors()) as error:
        told = " ".join(str(error).split())[:160] or type(error).__name__
        raise FormatError(
            f"damaged, or not closed at the end of the run (ROOT's TFile::Recover may help): {told}", path
        ) from error


@contextmanager
def open_root(path: Path) -> Iterator[Any]:
    """Open a ROOT file without caches and threads.

    Raises
    ------
    FormatError
        If it is no ROOT file or its directory is damaged.
    """
    uproot = require_module("uproot", extra="root")
    with reading(path):
        source = uproot.source.file.MultithreadedFileSource
        file = uproot.open(path, handler=source, use_threads=False, object_cache=None, array_cache=None)
    try:
        yield file
    finally:
        file.close()


def tree_names(file: Any, path: Path) -> tuple[str, ...]:
    """Return the names of all trees and RNTuples, those in folders by their path, without cycle numbers."""
    with reading(path):
        classes = file.classnames(recursive=True, cycle=False)
    names = (name for name, kind in classes.items() if kind in _TREE_CLASSES)
    return tuple(name if name.isprintable() else ascii(name) for name in names)


class RootTree:
    """One tree or RNTuple of an open file, its highest cycle.

    Parameters
    ----------
    file : uproot file
        From :func:`open_root`.
    name : str
        One of :func:`tree_names`.
    path : Path
        For messages and for checks of the baskets.

    Raises
    ------
    FormatError
        If the tree's description is damaged.
    """

    def __init__(self, file: Any, name: str, path: Path) -> None:
        self.path = path
        self.name = name
        with reading(path), path.open("rb") as stream:
            key = file.key(name)
            sizes = {"packed": int(key.data_compressed_bytes), "unpacked": int(key.data_uncompressed_bytes)}
            check_object(stream, int(key.data_cursor.index), path, **sizes)
            if file.file.fSeekInfo:
                check_key(stream, int(file.file.fSeekInfo), path, n_bytes=int(file.file.fNbytesInfo))
            self._tree = file[name]
            self.title = str(getattr(self._tree, "title", ""))
            self.is_tree = hasattr(self._tree, "branches")
            if not self.is_tree:
                check_page_lists(self._tree.ntuple, path)
            self.n_entries = int(self._tree.num_entries)
            self.branches = {key: self._describe(key) for key in self._tree.keys(recursive=True)}
        if self.n_entries < 0:
            raise FormatError(f"tree '{name}' says it has {self.n_entries} entries; the file is damaged", path)
        self._boundaries: dict[str, NDArray[np.int64]] = {}

    def read_scalar(self, name: str, start: int, stop: int) -> NDArray[Any]:
        """Read one number an entry, shape (entry,)."""
        self._check_baskets(name, start, stop)
        with reading(self.path):
            values = np.asarray(self._tree[name].array(entry_start=start, entry_stop=stop))
        return self._checked_length(name, values, start, stop)

    def read_waveforms(self, name: str, start: int, stop: int, dtype: np.dtype[Any] | None = None) -> Waveforms:
        """Read many numbers an entry; `dtype` reads the same bytes as another type of the same size."""
        branch = self.branches[name]
        self._check_baskets(name, start, stop)
        with reading(self.path):
            if branch.header_bytes:
                layout = self._tree[name].array(_raw_bytes(), entry_start=start, entry_stop=stop).layout
            else:
                layout = self._tree[name].array(entry_start=start, entry_stop=stop).layout
            offsets, content = _offsets_and_content(layout)
        self._checked_length(name, offsets[:-1], start, stop)
        wanted = dtype or branch.dtype
        assert wanted is not None
        try:
            if branch.header_bytes:
                return waveforms_from_raw(content, offsets, header_bytes=branch.header_bytes, dtype=wanted)
            return waveforms_from_items(content, offsets, dtype=wanted)
        except ValueError as error:
            raise FormatError(f"branch '{name}', entries {start} to {stop}: {error}", self.path) from error

    def read_lists(self, name: str, start: int, stop: int) -> tuple[NDArray[np.int64], Any]:
        """Read lists, of numbers or of arrays: how long each entry's is, and all their items one after the other."""
        awkward = require_module("awkward", extra="root")
        self._check_baskets(name, start, stop)
        with reading(self.path):
            lists = self._tree[name].array(entry_start=start, entry_stop=stop)
            counts = awkward.to_numpy(awkward.num(lists, axis=1)).astype(np.int64)
            items = awkward.flatten(lists, axis=1)
        self._checked_length(name, counts, start, stop)
        return counts, items

    def read_nested(self, name: str, start: int, stop: int) -> tuple[NDArray[np.int64], Waveforms]:
        """Read several arrays of numbers an entry: how many each entry has, and all of them."""
        awkward = require_module("awkward", extra="root")
        counts, arrays = self.read_lists(name, start, stop)
        with reading(self.path):
            lengths = awkward.to_numpy(awkward.num(arrays, axis=1))
            content = awkward.to_numpy(awkward.flatten(arrays, axis=1))
        wanted = self.branches[name].dtype
        assert wanted is not None
        return counts, waveforms_from_items(content, np.cumsum([0, *lengths], dtype=np.int64), dtype=wanted)

    def ranges(self, names: Sequence[str], chunk_bytes: int) -> Iterator[tuple[int, int]]:
        """Cut the tree into ranges of about `chunk_bytes`, at boundaries of the first branch's baskets."""
        longest = max(1, chunk_bytes // self._bytes_per_entry(names))
        boundaries = self.boundaries(names[0])
        start = 0
        while start < self.n_entries:
            at = int(np.searchsorted(boundaries, start + longest, side="right")) - 1
            stop = int(boundaries[at]) if boundaries[at] > start else int(boundaries[at + 1])
            yield start, stop
            start = stop

    def boundaries(self, name: str) -> NDArray[np.int64]:
        """Return the entries where the baskets (clusters of an RNTuple) of a branch begin, and the end.

        Raises
        ------
        FormatError
            If they contradict the number of entries.
        """
        if name not in self._boundaries:
            with reading(self.path):
                found = np.asarray(self._entry_offsets(name), dtype=np.int64)
            if len(found) < 1 or found[0] != 0 or found[-1] != self.n_entries or np.any(np.diff(found) < 0):
                problem = (
                    f"the baskets of branch '{name}' do not add up to {self.n_entries} entries; the file is damaged"
                )
                raise FormatError(problem, self.path)
            self._boundaries[name] = found
        return self._boundaries[name]

    def byte_offset(self, name: str, entry: int) -> int | None:
        """Return where in the file the basket that holds an entry begins, in bytes, where the file says."""
        if not self.is_tree:
            return None
        with reading(self.path):
            branch = self._tree[name]
            basket = int(np.searchsorted(self.boundaries(name), entry, side="right")) - 1
            return int(branch.member("fBasketSeek")[basket]) if basket < _n_normal_baskets(branch) else None

    def _describe(self, name: str) -> Branch:
        describe = describe_branch if self.is_tree else describe_field
        return describe(name, self._tree[name])

    def _entry_offsets(self, name: str) -> Sequence[int]:
        if self.is_tree:
            return list(self._tree[name].entry_offsets)
        clusters = self._tree.ntuple.cluster_summaries
        return [*(int(cluster.num_first_entry) for cluster in clusters), self.n_entries]

    def _bytes_per_entry(self, names: Sequence[str]) -> int:
        if not self.n_entries:
            return _LEAST_ENTRY_BYTES
        total = self.path.stat().st_size
        if self.is_tree:
            with reading(self.path):
                total = max(total, sum(int(self._tree[name].uncompressed_bytes) for name in names))
        return max(_LEAST_ENTRY_BYTES, total // self.n_entries)

    def _checked_length(self, name: str, values: NDArray[Any], start: int, stop: int) -> NDArray[Any]:
        if len(values) != stop - start:
            problem = f"branch '{name}' holds {len(values)} entries where {stop - start} are due, from entry {start}"
            raise FormatError(problem, self.path)
        return values

    def places(self, name: str, start: int, stop: int) -> list[Place]:
        """Return the baskets of a branch that lie in the file by themselves and hold entries of a range."""
        boundaries = self.boundaries(name)
        first = int(np.searchsorted(boundaries, start, side="right")) - 1
        last = int(np.searchsorted(boundaries, stop, side="left"))
        with reading(self.path):
            branch = self._tree[name]
            chosen = slice(first, min(last, _n_normal_baskets(branch)))
            seeks, sizes = branch.member("fBasketSeek")[chosen], branch.member("fBasketBytes")[chosen]
            begins, counts = boundaries[:-1][chosen], np.diff(boundaries)[chosen]
            columns = (values.tolist() for values in (seeks, sizes, begins, counts))
            return [Place(*place) for place in zip(*columns, strict=True)]

    def _check_baskets(self, name: str, start: int, stop: int) -> None:
        """Refuse baskets or pages that contradict the tree, before anything of the size they claim is allocated."""
        with reading(self.path), self.path.open("rb") as stream:
            if not self.is_tree:
                boundaries = self.boundaries(name)
                first = int(np.searchsorted(boundaries, start, side="right")) - 1
                last = int(np.searchsorted(boundaries, stop, side="left"))
                check_pages(self._tree.ntuple, self._tree[name].field_id, range(first, last), stream, self.path)
                return
            for place in self.places(name, start, stop):
                check_key(stream, place.seek, self.path, n_bytes=place.n_bytes)


def _raw_bytes() -> Any:
    """Read an entry's bytes as they are: its header can be checked, and uproot's usual way through TArrayS is slow."""
    uproot = require_module("uproot", extra="root")
    return uproot.AsJagged(uproot.AsDtype("u1"))


def _n_normal_baskets(branch: Any) -> int:
    return int(branch.num_baskets) - len(branch.embedded_baskets)


def _offsets_and_content(layout: Any) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return offsets (entry + 1,) and the flat numbers of jagged or fixed arrays."""
    awkward = require_module("awkward", extra="root")
    if isinstance(layout, awkward.contents.ListOffsetArray):
        return np.asarray(layout.offsets.data, dtype=np.int64), np.asarray(layout.content.data)
    values = awkward.to_numpy(layout)
    return np.arange(len(values) + 1, dtype=np.int64) * values.shape[1], values.reshape(-1)
