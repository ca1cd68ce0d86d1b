"""Reference of the C and C++ interface, made of the headers and their comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from site_maker import rst

_ATTRIBUTES = re.compile(r"\bDISCRIMEN_(API|NOEXCEPT|NONBLOCKING)\b ?")
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*(?:\n[ \t]*//[^\n]*)*", re.DOTALL)
_BEHIND = re.compile(r"[ \t]*(/\*.*?\*/|//[^\n]*)", re.DOTALL)
_SCOPE = re.compile(r'(?:namespace (\w+)|extern "C") \{')
_TYPE = re.compile(r"(?:typedef )?(struct|class|enum) (\w+)(.*)", re.DOTALL)
_ENUMERATOR = re.compile(r"(DISCRIMEN_\w+ = \w+),?[ \t]*(/\*.*?\*/)?", re.DOTALL)
_NOT_DESCRIBED = re.compile(r"= delete|^friend |^using \w+::|~|operator=|&& other")
"""Of no use to a reader: what only says how a class may be moved and destroyed."""


@dataclass(frozen=True)
class Item:
    """A declaration, the comments above and behind it, and what is declared inside.

    Parameters
    ----------
    code : str
        On one line, without body and attributes.
    said : str
        The comments.
    inside : tuple of Item
        Members of a class, enumerators.
    is_forward : bool
        Whether a type is only named, and described later or nowhere.
    """

    code: str
    said: str
    inside: tuple[Item, ...] = ()
    is_forward: bool = False


def page(heading: str, header: Path, domain: str) -> str:
    """Return the page of a header.

    Parameters
    ----------
    heading : str
        Its heading.
    header : Path
        The file.
    domain : {"c", "cpp"}
        Sphinx's name of the language.
    """
    text = header.read_text(encoding="utf-8")
    start = _COMMENT.match(text)
    if start is None:
        raise ValueError(f"{header}: expected a comment at the beginning that says what it is for")
    made = rst.title(heading) + f'\n.. code-block:: cpp\n\n   #include "discrimen/{header.name}"\n\n'
    made += rst.paragraphs(_plain(start[0])) + "\n\n"
    if domain == "cpp":
        made += rst.directive("cpp:namespace", "discrimen")
    known: set[str] = set()
    for item in _items(re.sub(r"^#.*(?:\\\n.*)*", "", text[start.end() :], flags=re.MULTILINE)):
        if not item.is_forward and item.code not in known:
            made += _described(item, domain)
            known.add(item.code)
    return made


def _items(text: str) -> Iterator[Item]:
    """Take declarations apart, those in a namespace among them."""
    said, place = "", 0
    while place < len(text):
        if text[place].isspace():
            place += 1
        elif comment := _COMMENT.match(text, place):
            said, place = _plain(comment[0]), comment.end()
        elif scope := _SCOPE.match(text, place):
            end = _closing(text, scope.end())
            if scope[1] != "detail":
                yield from _items(text[scope.end() : end])
            said, place = "", end + 1
        else:
            code, body, place = _declaration(text, place)
            if behind := _BEHIND.match(text, place):
                said, place = "\n\n".join(filter(None, [said, _plain(behind[1])])), behind.end()
            yield from _made(" ".join(_ATTRIBUTES.sub("", code).split()), body, said)
            said = ""


def _made(code: str, body: str, said: str) -> Iterator[Item]:
    if _NOT_DESCRIBED.search(code):
        return
    kind = _TYPE.match(code)
    if kind and kind[1] == "enum":
        inside = [Item(found[1], _plain(found[2] or "")) for found in _ENUMERATOR.finditer(body)]
    elif kind and body:
        if kind[1] == "class":
            body = re.sub(r"^\s*public:", "", re.split(r"^\s*private:", body, flags=re.MULTILINE)[0])
        inside = list(_items(body))
    else:
        inside = []
    if several := re.fullmatch(r"(\w+) (\w+), (\w+)", code):
        yield Item(f"{several[1]} {several[2]}", said)
        code = f"{several[1]} {several[3]}"
    if code:
        yield Item(code, said, tuple(inside), is_forward=kind is not None and not body)


def _declaration(text: str, start: int) -> tuple[str, str, int]:
    """Return the code up to its end or its body, the body, and the place behind both."""
    depth, place = 0, start
    while place < len(text):
        letter = text[place]
        depth += (letter == "(") - (letter == ")")
        if letter == ";" and depth == 0:
            return text[start:place], "", place + 1
        if letter == "{" and depth == 0:
            end = _closing(text, place + 1)
            code = text[start:place].rstrip()
            behind = re.compile(r"[ \t]*\w*;?").match(text, end + 1)
            after = behind.end() if behind else end + 1
            # A value in braces belongs to the code, a body does not.
            return (text[start : end + 1], "", after) if code.endswith("=") else (code, text[place + 1 : end], after)
        place += 1
    raise ValueError(f"expected a declaration that ends, got {text[start : start + 60]!r}")


def _closing(text: str, place: int) -> int:
    """Return the place of the brace that closes the one before a place."""
    depth = 1
    while place < len(text):
        if comment := _COMMENT.match(text, place):
            place = comment.end()
            continue
        depth += (text[place] == "{") - (text[place] == "}")
        if depth == 0:
            return place
        place += 1
    raise ValueError("expected a closing brace before the end of the header")


def _plain(comment: str) -> str:
    """Return the text of a comment without its marks."""
    if comment.startswith("/*"):
        starred = "\n *" in comment
        lines = [re.sub(r"^\s*\* ?", "", line) if starred else line.strip() for line in comment[2:-2].splitlines()]
        return "\n".join(lines).strip()
    return "\n".join(re.sub(r"^\s*// ?", "", line) for line in comment.splitlines())


def _described(item: Item, domain: str) -> str:
    said = rst.paragraphs(item.said) + "\n\n" if item.said else ""
    kind, signature = _signature(item)
    return rst.directive(f"{domain}:{kind}", signature, said + "".join(_described(one, domain) for one in item.inside))


def _signature(item: Item) -> tuple[str, str]:
    """Return Sphinx's directive for a declaration, and what it describes."""
    if found := _TYPE.match(item.code):
        return found[1], (found[2] + found[3]).strip()
    if item.code.startswith("using "):
        return "type", item.code.removeprefix("using ")
    if item.code.startswith("DISCRIMEN_"):
        return "enumerator", item.code
    return ("function" if "(" in item.code.split("=")[0] else "member"), item.code
