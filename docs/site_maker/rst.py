"""Plain text of help pages and comments as reStructuredText."""

from __future__ import annotations

import re
from textwrap import dedent, indent

_SPECIAL = re.compile(r"([\\*`|_<>\[\]])")
_PARTS = re.compile(r"`{1,2}([^`]+)`{1,2}|\bdocs/([\w-]+)\.md\b")


def inline(text: str) -> str:
    """Return running text: names in backticks as literals, ``docs/page.md`` as a link, all else as it stands."""
    parts, end = [], 0
    for part in _PARTS.finditer(text):
        parts.append(_SPECIAL.sub(r"\\\1", text[end : part.start()]))
        made = f"``{part[1]}``" if part[1] else f":doc:`/{part[2]}`"
        # What stands right beside would not be told from the markup.
        parts.append(made + ("\\ " if text[part.end() : part.end() + 1].isalnum() else ""))
        end = part.end()
    # Addresses that are examples, such as tcp://HOST:PORT, are no links.
    return ("".join(parts) + _SPECIAL.sub(r"\\\1", text[end:])).replace("://", "\\://")


def paragraphs(text: str) -> str:
    """Return paragraphs parted by empty lines; those that are indented are code."""
    made = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        if all(line.startswith("  ") for line in block.splitlines()):
            made.append(".. code-block:: cpp\n\n" + indent(dedent(block), "   "))
        else:
            made.append(inline(" ".join(block.split())))
    return "\n\n".join(made)


def title(text: str, underline: str = "=") -> str:
    """Return a heading."""
    return f"{text}\n{underline * len(text)}\n"


def directive(name: str, argument: str, content: str = "", options: str = "") -> str:
    """Return a directive with its content."""
    head = f".. {name}:: {argument}\n" + indent(options, "   ")
    return head + ("\n" + indent(content, "   ") + "\n" if content.strip() else "\n")


def toctree(names: list[str], options: str = ":maxdepth: 1") -> str:
    """Return the table of contents of a folder."""
    return directive("toctree", "", "\n".join(names) + "\n", options + "\n")
