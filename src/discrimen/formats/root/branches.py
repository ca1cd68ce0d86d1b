"""What one entry of a branch of a ROOT tree holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from discrimen.errors import require_module

_ARRAY_CLASSES = {"TArrayC": "i1", "TArrayS": "i2", "TArrayI": "i4", "TArrayF": "f4", "TArrayD": "f8"}
_NESTED_VECTOR = re.compile(r"std::vector<std::vector<(?P<kind>\w+)>>")
_NUMBERS = {f"{sign}int{8 * size}_t": f"{sign or 'i'}{size}" for sign in ("u", "") for size in (1, 2, 4, 8)} | {
    "float": "f4",
    "double": "f8",
}
"""C++ types of numbers, as uproot names them."""

_TARRAY_HEADER_BYTES = 4
_VECTOR_HEADER_BYTES = 10


@dataclass(frozen=True, slots=True)
class Entries:
    """How the numbers of one entry lie in a basket: a header, of which the last four bytes count them, and the numbers.

    Parameters
    ----------
    header_bytes : int
        0: none.
    dtype : dtype
        Of the numbers, in native byte order; big-endian in the file.
    n_numbers : int or None
        How many; None: as many as the header says.
    """

    header_bytes: int
    dtype: np.dtype[Any]
    n_numbers: int | None


@dataclass(frozen=True, slots=True)
class Branch:
    """What one entry of a branch holds.

    Parameters
    ----------
    name : str
        Full name within the tree.
    shape : {"scalar", "fixed", "jagged", "nested", "other"}
        One number, a fixed number of numbers, any number of numbers, several arrays of numbers (one a channel), or what
        waveforms and columns cannot be.
    dtype : dtype or None
        Of the numbers, in native byte order.
    typename : str
        The C++ type, for people.
    header_bytes : int
        Bytes before the numbers of a jagged entry, of which the last four hold how many numbers follow; 0: none.
    n_numbers : int or None
        Of a scalar or fixed entry whose numbers lie in the file as they are.
    """

    name: str
    shape: Literal["scalar", "fixed", "jagged", "nested", "other"]
    dtype: np.dtype[Any] | None
    typename: str
    header_bytes: int = 0
    n_numbers: int | None = None

    def entries(self, dtype: np.dtype[Any] | None = None) -> Entries | None:
        """Say how an entry lies in a basket, its numbers read as `dtype`; None where that is not simple."""
        wanted = dtype or self.dtype
        if wanted is None or (self.n_numbers is None and not self.header_bytes):
            return None
        same = self.dtype is not None and wanted.itemsize == self.dtype.itemsize
        return Entries(self.header_bytes, wanted, self.n_numbers) if same else None


def describe_branch(name: str, item: Any) -> Branch:
    """Tell the kind of a tree's branch from how uproot understands it."""
    uproot = require_module("uproot", extra="root")
    kind = item.interpretation
    typename = str(item.typename)
    if isinstance(kind, uproot.AsDtype) and kind.to_dtype.base.kind in "iufb":
        shapes: dict[int, Literal["scalar", "fixed", "nested"]] = {0: "scalar", 1: "fixed", 2: "nested"}
        dimensions = len(kind.to_dtype.shape)
        if dimensions in shapes:
            return Branch(name, shapes[dimensions], kind.to_dtype.base, typename, n_numbers=_n_numbers(kind))
    if isinstance(kind, uproot.AsJagged) and isinstance(kind.content, uproot.AsDtype):
        dtype = kind.content.to_dtype
        if not dtype.shape and dtype.kind in "iuf" and kind.header_bytes in (0, _VECTOR_HEADER_BYTES):
            return Branch(name, "jagged", dtype, typename, kind.header_bytes)
        if len(dtype.shape) == 1 and dtype.base.kind in "iuf":
            return Branch(name, "nested", dtype.base, typename)
    if (nested := _NESTED_VECTOR.fullmatch(typename)) is not None and nested["kind"] in _NUMBERS:
        return Branch(name, "nested", np.dtype(_NUMBERS[nested["kind"]]), typename)
    if typename in _ARRAY_CLASSES:
        return Branch(name, "jagged", np.dtype(_ARRAY_CLASSES[typename]), typename, _TARRAY_HEADER_BYTES)
    return Branch(name, "other", None, typename)


def _n_numbers(kind: Any) -> int | None:
    """Return how many numbers an entry has, if they lie in the file as they are, but for their byte order."""
    stored, wanted = kind.from_dtype, kind.to_dtype
    plain = stored.base.kind in "iuf" and stored.base.byteorder in ">|" and stored.base.newbyteorder("=") == wanted.base
    if not plain or stored.shape != wanted.shape or len(stored.shape) > 1:
        return None
    return int(stored.shape[0]) if stored.shape else 1
