"""Names that a C++ namespace may have."""

from __future__ import annotations

import re

from discrimen.errors import SettingsError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")
_RESERVED = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t char8_t class co_await
co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype default delete do
double dynamic_cast else enum explicit export extern false float for friend goto if inline int linux long mutable
namespace new noexcept not not_eq nullptr operator or or_eq posix private protected public register reinterpret_cast
requires return short signed sizeof static static_assert static_cast std struct switch template this thread_local
throw true try typedef typeid typename union unix unsigned using virtual void volatile wchar_t while xor xor_eq
"""
_ENGINE = "discrimen"


def check_namespace(namespace: str) -> str:
    """Return a name that may be a C++ namespace, such as ``my_model`` or ``lab::model``.

    Raises
    ------
    SettingsError
        If it is none, or reserved: ``discrimen`` is the engine's.
    """
    parts = namespace.split("::")
    if not all(_NAME.fullmatch(part) and part not in {*_RESERVED.split(), _ENGINE} for part in parts):
        raise SettingsError(
            f"a C++ namespace is made of letters, digits and single underscores, starts with a letter and is no word "
            f"of the language or of discrimen's engine, for example my_model or lab::model; got {namespace!r}"
        )
    return namespace


def namespace_of(stem: str) -> str:
    """Return a namespace after the name of a file: ``neda-v1.2`` gives ``neda_v1_2_model``.

    The last word keeps it from names of the language and of the C library, such as ``time``.
    """
    words = re.findall("[A-Za-z0-9]+", stem)
    if not words or not words[0][0].isalpha():
        words.insert(0, "a")
    return "_".join(words if words[-1] == "model" else [*words, "model"])
