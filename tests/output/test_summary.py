"""What objects say of themselves is short, whatever they hold, and safe in a page."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from discrimen.output.summary import Summarised, brief, summary_html, summary_text


@dataclass(frozen=True, repr=False)
class Thing(Summarised):
    path: Path
    samples: Any
    parts: tuple[Any, ...]
    names: dict[str, int]
    secret: str = field(default="hidden", repr=False)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.add(tag)


@settings(max_examples=30)
@given(st.text(max_size=200), st.dictionaries(st.text(max_size=90), st.text(max_size=300), max_size=30))
def test_any_text_is_short_and_safe(title: str, facts: dict[str, str]) -> None:
    text = summary_text(title, facts)
    assert len(text) <= 300
    assert all(len(line) <= 80 for line in text.split("\n"))
    page = summary_html(title, facts)
    assert len(page) < 40_000
    tags = Tags()
    tags.feed(page)
    assert tags.found <= {"div", "b", "table", "tr", "td"}


def test_no_length_of_the_facts_is_too_much() -> None:
    for width in range(1, 90):
        for n_facts in range(1, 12):
            text = summary_text("x" * width, {f"{n}": "y" * width for n in range(n_facts)})
            assert len(text) <= 300
            assert text.endswith("...") or text.count("\n") == n_facts


def test_fields_show_what_they_are_not_what_they_hold() -> None:
    thing = Thing(Path("a/<b>.lh5"), np.zeros((300, 75), np.int16), (1.25, 2.0), {"x": 1, "y": 2})
    told = thing.summary()
    assert told == {"path": "a/<b>.lh5", "samples": "int16 (300, 75)", "parts": "1.25, 2", "names": "2: x, y"}
    assert "&lt;b&gt;" in thing._repr_html_()
    assert "hidden" not in repr(thing)


def test_what_has_no_room_is_told_to_be_left_out() -> None:
    text = summary_text("T", {f"fact {n}": "x" * 60 for n in range(9)})
    assert text.endswith("\n  ...")
    assert "fact 2" in text
    assert "fact 8" not in text
    assert "10 more" in summary_html("T", {str(n): "" for n in range(34)})


def test_several_objects_are_counted_by_kind() -> None:
    assert brief([Thing(Path(), None, (), {})] * 3) == "3 x Thing"
    assert brief(()) == "none"
    assert brief(0.1 + 0.2) == "0.3"
