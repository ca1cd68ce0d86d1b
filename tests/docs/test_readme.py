"""The README: pictures small, told in words and made by the commands beside them; figures as in the docs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from readme_pictures.small import MOST_BYTES
from readme_pictures.stories import STORIES

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURES = re.findall(r'^<img alt="(.*)"\s+src="(.*)" width="\d+">$', README, re.MULTILINE)
FIGURE = re.compile(r"\b\d[\d,.]* (?:%|ns|us|mm|MHz|look-up tables)")


def unmatched_figures(text: str) -> list[str]:
    """Return the figures of paragraphs that none of the pages that the paragraph links to holds."""
    missing = []
    for paragraph in re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL).split("\n\n"):
        running = " ".join(paragraph.split())
        pages = [ROOT / link for link in re.findall(r"\]\((docs/[\w/.-]+\.md)\)", running)]
        held = " ".join(" ".join(page.read_text(encoding="utf-8").split()) for page in pages)
        for figure in FIGURE.findall(running):
            number = figure.split()[0]
            if not re.search(rf"(?<![\d.,]){re.escape(number)}(?![\d]|[.,]\d)", held):
                missing.append(figure)
    return missing


def test_every_figure_stands_on_a_page_that_its_paragraph_links_to() -> None:
    assert len(FIGURE.findall(README)) >= 10
    assert unmatched_figures(README) == []


def test_a_figure_that_no_page_holds_is_seen() -> None:
    link = "([engine](docs/native-engine.md))"
    assert unmatched_figures(f"It takes 151 ns {link}.\n\nIt takes 151.5 ns {link}.") == ["151.5 ns"]
    assert unmatched_figures(f"It is explained elsewhere {link}.\n\nIt takes 151 ns.") == ["151 ns"]


@pytest.mark.parametrize(("words", "path"), PICTURES, ids=[path for _, path in PICTURES])
def test_a_picture_is_there_and_small_and_told_in_words(words: str, path: str) -> None:
    png = (ROOT / path).read_bytes()
    assert png.startswith(b"\x89PNG")
    assert len(png) <= MOST_BYTES
    assert 1100 <= int.from_bytes(png[16:20], "big") <= 1300
    assert len(words.split()) >= 5


def test_the_pictures_are_those_that_are_made() -> None:
    assert sorted(Path(path).stem for _, path in PICTURES) == sorted(STORIES)


@pytest.mark.parametrize("name", STORIES)
def test_the_commands_that_make_a_picture_stand_in_its_section(name: str) -> None:
    section = next(part for part in re.split(r"^## ", README, flags=re.MULTILINE) if f"pictures/{name}.png" in part)
    typed = [" ".join(line.split("#")[0].split()) for line in section.replace("\\\n", " ").splitlines()]
    assert [command for command in STORIES[name].shown if command not in typed] == []


def test_each_section_has_one_picture() -> None:
    counts = {part.splitlines()[0]: part.count("<img ") for part in re.split(r"^## ", README, flags=re.MULTILINE)}
    assert max(counts.values()) == 1
    assert sum(counts.values()) == len(STORIES)
