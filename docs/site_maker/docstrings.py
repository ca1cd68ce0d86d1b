"""What Sphinx does not do to docstrings by itself.

References by another name of the same thing find it, and one that leads nowhere is a warning. Types of arrays are
short; a class whose docstring has its parameters shows them once; enumerations show their values.
"""

from __future__ import annotations

import re
from enum import Enum
from inspect import getdoc
from pydoc import locate
from typing import Any

from sphinx.util.logging import getLogger

_ARRAY = re.compile(r"~?(?:numpy\.)?ndarray\[tuple\[[^\]]*\], ~?(?:numpy\.)?dtype\[([~\w.]+)\]\]")


def setup(app: Any) -> dict[str, bool]:
    """Let Sphinx ask here."""
    app.connect("missing-reference", _described_elsewhere)
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-process-docstring", _values)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _signature(_app: Any, what: str, _name: str, thing: Any, _options: Any, *written: str | None) -> Any:
    described = what == "class" and ("Parameters\n" in (getdoc(thing) or "") or issubclass(thing, Enum))
    return ("", None) if described else tuple(text and _ARRAY.sub(r"NDArray[\1]", text) for text in written)


def _values(_app: Any, what: str, _name: str, thing: Any, _options: Any, lines: list[str]) -> None:
    if what == "class" and issubclass(thing, Enum):
        lines += ["", "Values: " + ", ".join(f"``{one.name}`` ({one.value})" for one in thing) + ".", ""]


def _described_elsewhere(app: Any, env: Any, node: Any, contnode: Any) -> Any:
    """Return the link to where a name is described, None if it is described nowhere."""
    name = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not name.startswith("discrimen."):
        return None
    thing = locate(name)
    if thing is None:
        getLogger(__name__).warning("there is no %s", name, location=node, type="ref", subtype="python")
        return None
    home = f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '')}"
    domain = env.get_domain("py")
    if home == name or home not in domain.objects:
        return None
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", home, node, contnode)
