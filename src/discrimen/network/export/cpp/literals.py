"""Python values as C++ text that means exactly the same, whatever a stranger's file puts into them."""

from __future__ import annotations

import math
import re
import textwrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError

LINE_LENGTH = 120
_NAMESPACE = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")
_RESERVED = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t char8_t class co_await
co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype default delete do
double dynamic_cast else enum explicit export extern false float for friend goto if inline int linux long mutable
namespace new noexcept not not_eq nullptr operator or or_eq posix private protected public register reinterpret_cast
requires return short signed sizeof static static_assert static_cast std struct switch template this thread_local
throw true try typedef typeid typename union unix unsigned using virtual void volatile wchar_t while xor xor_eq
"""


def check_namespace(namespace: str) -> str:
    """Return a name that may be a C++ namespace, such as ``my_model`` or ``lab::model``.

    Raises
    ------
    SettingsError
        If it is none, or reserved.
    """
    parts = namespace.split("::")
    if not all(_NAMESPACE.fullmatch(part) and part not in _RESERVED.split() for part in parts):
        raise SettingsError(
            f"a C++ namespace is made of letters, digits and single underscores, starts with a letter and is no word "
            f"of the language, for example my_model or lab::model; got {namespace!r}"
        )
    return namespace


def float_text(value: float | np.floating[Any]) -> str:
    """Return a float32 as a literal: 9 significant digits give back every one exactly."""
    return _with_point(f"{_finite(value):.9g}") + "F"


def double_text(value: float) -> str:
    """Return a float64 as a literal: 17 significant digits at most give back every one exactly."""
    return _with_point(repr(_finite(value)))


def string_text(value: str) -> str:
    r"""Return a string literal in ASCII; other bytes of its UTF-8 become three octal digits."""
    return '"' + "".join(_character(byte) for byte in value.encode()) + '"'


def comment_text(value: str) -> str:
    """Return what may stand in a ``//`` comment: printable ASCII that does not continue the line."""
    return "".join(letter if " " <= letter <= "~" and letter != "\\" else "?" for letter in value)


def array_text(values: NDArray[Any]) -> str:
    """Return what stands between the braces of a one-dimensional array of floats or integers, in lines."""
    if values.dtype == np.float32:
        words = [float_text(value) for value in values]
    elif values.dtype == np.float64:
        words = [double_text(float(value)) for value in values]
    else:
        words = [str(value) for value in values.tolist()]
    return textwrap.fill(", ".join(words), LINE_LENGTH - 8, break_long_words=False, break_on_hyphens=False)


def _finite(value: float | np.floating[Any]) -> float:
    if not math.isfinite(value):
        raise DataError(
            f"a model with a weight, threshold or score of {value} cannot be written as C++; train it again"
        )
    return float(value)


def _with_point(digits: str) -> str:
    return digits if set(digits) & {".", "e"} else digits + ".0"


def _character(byte: int) -> str:
    if 32 <= byte < 127 and byte not in b'"\\?':
        return chr(byte)
    return f"\\{byte:03o}"
