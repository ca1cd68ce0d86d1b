"""The pages in docs/: links lead somewhere, every page is in the navigation, the map and the references are whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from site_maker import c_headers, check_links, rst

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "site_maker" not in path.parts)
HEADERS = ROOT / "cpp" / "include" / "discrimen"


def without_code(text: str) -> str:
    return re.sub(r"^( *)```.*?^\1```|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path, text: str) -> list[str]:
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(text)):
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if "://" in link:
            continue
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name
)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert broken_links(page, page.read_text(encoding="utf-8")) == []


def test_a_broken_link_and_a_broken_anchor_are_seen() -> None:
    text = "[here](labels.md), [there](labels.md#band), [no](nothing.md), [no](labels.md#nothing), `[code](x.md)`"
    assert broken_links(DOCS / "index.md", text) == ["nothing.md", "labels.md#nothing"]


def test_every_page_is_in_the_navigation_once() -> None:
    listed = []
    for index in (DOCS / "index.md", DOCS / "decisions" / "index.md"):
        for tree in re.findall(r"^```\{toctree\}\n(.*?)^```", index.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            names = re.findall(r"^[\w/-]+$", tree, re.MULTILINE)
            listed += [(index.parent / name).relative_to(DOCS).as_posix() for name in names]
    pages = [page.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES if page != DOCS / "index.md"]
    pages += [f"notebooks/{path.stem}" for path in (ROOT / "notebooks").glob("*.ipynb")]
    own = [name for name in listed if not name.startswith("reference/") and name not in ("contributing", "changelog")]
    assert sorted(own) == sorted(pages)


def test_the_map_names_what_is_there_and_every_room() -> None:
    text = (DOCS / "map.md").read_text(encoding="utf-8")
    named = [name for name in re.findall(r"`([\w/.]+(?:/|\.py|\.hpp|\.toml))`", text) if "NAME" not in name]
    missing = [name for name in named if not any((home / name).exists() for home in (ROOT, ROOT / "src" / "discrimen"))]
    assert missing == []
    rooms = {path.name for path in (ROOT / "src" / "discrimen").iterdir() if (path / "__init__.py").is_file()}
    assert rooms <= {name.rstrip("/") for name in named}


@pytest.mark.parametrize(("header", "domain"), [("discrimen.h", "c"), ("model.hpp", "cpp"), ("measure.hpp", "cpp")])
def test_everything_that_a_header_declares_is_described(header: str, domain: str) -> None:
    text = re.sub(r"/\*.*?\*/|//[^\n]*|^#.*?$", "", (HEADERS / header).read_text("utf-8"), flags=re.DOTALL | re.M)
    declared = set(re.findall(r"\b(discrimen_\w+|single_pulse_ns|copy_bytes_hz|contiguous)\(", text))
    declared |= set(
        re.findall(r"\b(?:struct|class) (?:DISCRIMEN_API )?(\w+)[^;{]*\{", text.split("namespace detail")[0])
    )
    page = c_headers.page("Interface", HEADERS / header, domain)
    described = re.findall(rf"^ *\.\. {domain}:\w+:: (.*)$", page, re.MULTILINE)
    assert declared
    assert [name for name in declared if not any(re.search(rf"\b{name}\b", line) for line in described)] == []
    assert "DISCRIMEN_API" not in page
    assert "loaded_" not in page


def test_a_comment_goes_with_the_declaration_above_or_behind_which_it_stands(tmp_path: Path) -> None:
    header = tmp_path / "small.hpp"
    header.write_text(
        "// What it is for.\n#pragma once\nnamespace discrimen {\n// Above.\nstruct Knot {\n"
        "    double at, value;  // both\n};\nint first() noexcept;  // Behind.\nint second();\n}\n",
        encoding="utf-8",
    )
    page = c_headers.page("Small", header, "cpp")
    assert re.search(r"cpp:struct:: Knot\s+Above\.", page)
    assert re.search(r"cpp:member:: double at\s+both\s+\.\. cpp:member:: double value\s+both", page)
    assert re.search(r"cpp:function:: int first\(\) noexcept\s+Behind\.\s+\.\. cpp:function:: int second\(\)\s*$", page)


def test_a_page_that_loads_from_elsewhere_or_leads_nowhere_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<script src="https://cdn.example/x.js"></script><img src="gone.png"><a href="b.html#here">1</a>'
        '<a href="b.html#gone">2</a><a href="https://example.org">3</a>',
        encoding="utf-8",
    )
    (tmp_path / "b.html").write_text('<p id="here">', encoding="utf-8")
    (tmp_path / "c.css").write_text("@font-face { src: url(https://fonts.example/f.woff) }", encoding="utf-8")
    found = check_links.problems(tmp_path)
    assert len(found) == 4
    assert all(any(sign in line for line in found) for sign in ("x.js", "gone.png", "b.html#gone", "c.css"))


def test_running_text_keeps_its_signs() -> None:
    assert rst.inline("see docs/labels.md; `a_b` or a_b*") == "see :doc:`/labels`; ``a_b`` or a\\_b\\*"
