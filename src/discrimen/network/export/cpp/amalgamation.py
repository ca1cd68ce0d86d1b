"""The engine's C++ sources as the text of one header.

Nothing here knows what the sources compute: includes are followed, and what a source file defines is made inline. The
sources follow one rule for it: they compile as one unit, so no two files give helpers of one namespace the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from discrimen.errors import SettingsError

_INSTALLED = Path(__file__).parent / "engine"
_CHECKOUT = Path(__file__).parents[5] / "cpp"
_NOT_FOR_A_HEADER = (
    "src/dispatch.cpp",
    "src/measure.cpp",
    "src/kernels/*.cpp",
    "src/backends/cuda/device.cpp",
    "src/backends/cuda/flat_plan.cpp",
    "src/backends/cuda/library.cpp",
)
"""What chooses between instruction sets and machines at run time; ``src/header`` takes their place."""

_INCLUDE = re.compile(r'\s*#\s*include\s*(?:"(?P<own>[^"]+)"|<(?P<system>[^>]+)>)')
_GUARD = re.compile(r"#ifndef (\w+)\n#define \1\n(.*)#endif\n\Z", re.DOTALL)
_MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
_TOKEN = re.compile(
    r"""(?P<skip>//[^\n]*|/\*.*?\*/|^[ \t]*\#(?:\\\n|[^\n])*)"""
    r"""|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\w[\w']*|[ \t]+|[^\w\s"'(){};/\#]+|.""",
    re.DOTALL | re.MULTILINE,
)
_NAMESPACE = re.compile(r'\s*(namespace\b|extern\s+"C")')
_PREFIX = re.compile(r"\s*(?:template\s*<(?:[^<>]|<[^<>]*>)*>\s*)*(?:\[\[[^\]]*\]\]\s*)*")


def engine_folder() -> Path:
    """Return the folder with the engine's ``include`` and ``src``: installed with the package, or of the checkout.

    Raises
    ------
    SettingsError
        If neither is there.
    """
    for folder in (_INSTALLED, _CHECKOUT):
        if (folder / "src" / "header").is_dir():
            return folder
    raise SettingsError(
        f"expected the engine's sources in {_INSTALLED} or {_CHECKOUT}, found neither: install discrimen again"
    )


class Amalgamation:
    """Source files one behind the other, each once, after those that it includes."""

    def __init__(self, folder: Path) -> None:
        self.system_includes: dict[str, None] = {}
        self._folder = folder
        self._seen: set[Path] = set()

    def take(self, path: Path) -> str:
        """Return a file with all that it includes and is not there yet; empty if it is there itself."""
        path = path.resolve()
        if path in self._seen:
            return ""
        self._seen.add(path)
        text = path.read_text(encoding="ascii")
        text = _GUARD.sub(r"\2", text).replace("#pragma once\n", "")
        conditions: list[str] = []
        lines = [self._line(path, line, conditions) for line in text.splitlines(keepends=True)]
        return "".join(lines)

    def take_all(self) -> str:
        """Return every source file of the engine that a header has a use for."""
        left_out = {path for pattern in _NOT_FOR_A_HEADER for path in self._folder.glob(pattern)}
        paths = sorted(set(self._folder.glob("src/**/*.cpp")) - left_out)
        return "".join(self.take(path) for path in paths)

    def _line(self, path: Path, line: str, conditions: list[str]) -> str:
        """Return what stands for a line; `conditions` are the lines of the ``#if`` around it."""
        words = line.split()
        if words and words[0].startswith("#if"):
            conditions.append(line)
        elif words and words[0] == "#endif":
            conditions.pop()
        found = _INCLUDE.match(line)
        if found is None:
            return line
        if found["own"]:
            return self.take(self._found(path, found["own"]))
        self.system_includes["".join([*conditions, line, "#endif\n" * len(conditions)])] = None
        return ""

    def _found(self, path: Path, name: str) -> Path:
        for place in (path.parent / name, self._folder / "include" / name, self._folder / "src" / name):
            if place.is_file():
                return place
        raise SettingsError(f"{path}: expected the file {name} that it includes, found none: install discrimen again")


def as_inline(text: str) -> str:
    """Return source files as a header may hold them: all that is defined is inline, and the same in each unit."""
    out: list[str] = []
    head: list[str] = []  # of what is being declared, at the level of namespaces
    n_braces = n_parentheses = 0
    for token in _TOKEN.finditer(text):
        word = token[0]
        if n_braces > 0:
            n_braces += (word == "{") - (word == "}")
            out.append(word)
            continue
        n_parentheses += (word == "(") - (word == ")")
        if n_parentheses > 0 or (word not in {"{", "}", ";"} and token["skip"] is None):
            head.append(word)
            continue
        declared = "".join(head)
        head.clear()
        if token["skip"] is not None:
            out.append(declared)
        elif word == "{" and _NAMESPACE.match(declared):
            out.append(_namespace(declared))
        else:
            n_braces = int(word == "{")
            out.append(_inlined(declared, defined=word == "{"))
        out.append(word)
    return "".join([*out, *head])


def _namespace(head: str) -> str:
    """Return how a namespace of a source file begins in a header.

    What is hidden in a file is the same in all units, and what has a C name has one of its own.
    """
    head = re.sub(r"\bnamespace\s*\Z", "inline namespace hidden ", head)
    return head.replace('extern "C"', 'extern "C++"')


def _inlined(head: str, *, defined: bool) -> str:
    prefix = _PREFIX.match(head)
    assert prefix is not None
    rest = head[prefix.end() :]
    if re.match(r"(class|struct|enum|union|typedef|using|,|=)|$", rest):
        return head
    is_variable = re.match(r"(static\s+)?const", rest) and re.search(r"[^=]=[^=]", rest)
    if not (defined or is_variable or rest.rstrip().endswith("= default")):
        return head
    rest = re.sub(r"^static\s+", "", rest)
    shared = rest.startswith("inline") or (re.match(r"\s*template\s*<\s*\w", head) and not is_variable)
    return prefix[0] + (rest if shared else f"inline {rest}")


def with_macros_of_its_own(text: str, guard: str) -> str:
    """Return the text with names for its macros that nothing else has, and without them at its end."""
    names = sorted(set(_MACRO.findall(text)))
    text = re.sub(rf"\b({'|'.join(names)})\b", rf"{guard}_\1", text)
    return text + "".join(f"#undef {guard}_{name}\n" for name in names)


def ordered(includes: Iterable[str]) -> str:
    """Return includes of the standard library in order, those under a condition last."""
    return "".join(sorted(includes, key=lambda lines: (lines.count("\n"), lines)))
