"""Every link of a built site leads somewhere, and nothing that a page loads comes from another machine."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADS = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
_FROM_ELSEWHERE = re.compile(r"""url\(["']?((?:https?:)?//[^)"']*)""")
_NOT_LOADED = {"canonical", "next", "prev", "index", "search", "author", "genindex"}


class _Page(HTMLParser):
    """What a page links to and loads, and its anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors.update(values[name] for name in ("id", "name") if name in values)
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag in _LOADS and _LOADS[tag] in values and values.get("rel") not in _NOT_LOADED:
            self.loads.append(values[_LOADS[tag]])


@cache
def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def problems(site: Path) -> list[str]:
    """Return a line for each link that leads nowhere and each thing that would be loaded from elsewhere."""
    found = []
    for path in sorted(site.rglob("*.html")):
        page, name = _read(path), path.relative_to(site)
        found += [f"{name}: link to {link}, which is not there" for link in page.links if not _leads(path, link)]
        found += [
            f"{name}: loads {load} from elsewhere, or it is not there" for load in page.loads if not _here(path, load)
        ]
    for path in sorted(site.rglob("*.css")):
        text = path.read_text(encoding="utf-8")
        found += [f"{path.relative_to(site)}: loads {load} from elsewhere" for load in _FROM_ELSEWHERE.findall(text)]
    return found


def _leads(path: Path, link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = path.parent / unquote(parts.path) if parts.path else path
    if not target.is_file():
        return False
    # Search and index are opened without an anchor.
    return not parts.fragment or target.suffix != ".html" or unquote(parts.fragment) in _read(target).anchors


def _here(path: Path, load: str) -> bool:
    parts = urlsplit(load)
    return parts.scheme == "data" or (
        not (parts.scheme or parts.netloc) and (path.parent / unquote(parts.path)).is_file()
    )
