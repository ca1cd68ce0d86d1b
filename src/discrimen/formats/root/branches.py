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
    """

    name: str
    shape: Literal["scalar", "fixed", "jagged", "nested", "other"]
    dtype: np.dtype[Any] | None
    typename: str
    header_bytes: int = 0


def describe_branch(name: str, item: Any) -> Branch:
    """Tell the kind of a tree's branch from how uproot understands it."""
    uproot = require_module("uproot", extra="root")
    kind = item.interpretation
    typename = str(item.typename)
    if isinstance(kind, uproot.AsDtype) and kind.to_dtype.base.kind in "iufb":
        shapes: dict[int, Literal["scalar", "fixed", "nested"]] = {0: "scalar", 1: "fixed", 2: "nested"}
        dimensions = len(kind.to_dtype.shape)
        if dimensions in shapes:
            return Branch(name, shapes[dimensions], kind.to_dtype.base, typename)
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
