"""Progress in a notebook: a bar that moves and goes, and nothing where nobody looks on."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from discrimen.output.progress import (
    MARKED,
    Inside,
    bar_html,
    notebook,
    progress,
    read_marked,
    seen_progress,
    steps_progress,
)


class Handle:
    def __init__(self, shown: list[str]) -> None:
        self.shown = shown

    def update(self, page: str) -> None:
        self.shown.append(page)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A notebook as far as this package asks for it; what it shows."""
    pages: list[str] = []

    def display(page: str, *, display_id: bool) -> Handle:
        assert display_id
        pages.append(page)
        return Handle(pages)

    shell, displayed = ModuleType("IPython"), ModuleType("IPython.display")
    made: Any = {"get_ipython": lambda: SimpleNamespace(kernel=1)}
    vars(shell).update(made)
    vars(displayed).update(display=display, HTML=str)
    monkeypatch.setitem(sys.modules, "IPython", shell)
    monkeypatch.setitem(sys.modules, "IPython.display", displayed)
    return pages


def test_a_notebook_shows_a_bar_that_goes_at_the_end(shown: list[str]) -> None:
    with seen_progress("reading <run>", total=10) as tick:
        tick(4, note="a & b")
        tick(6)
    assert 'max="10"' in shown[0]
    assert "10 of 10" in shown[-2]
    assert "reading &lt;run&gt;" in shown[0]
    assert shown[-1] == ""
    with pytest.raises(KeyboardInterrupt), progress("x", total=None):
        raise KeyboardInterrupt
    assert shown[-1] == ""


def test_elsewhere_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert notebook() is None
    with seen_progress("reading", total=10) as tick:
        tick(10, note="done")
    out, err = capsys.readouterr()
    assert out == err == ""


def test_a_bar_says_how_far() -> None:
    assert 'value="3" max="7"' in bar_html("t", 3, 7, seconds=2)
    assert "3 of 7, 2 s" in bar_html("t", 3, 7, seconds=2)
    assert "max" not in bar_html("t", 3, None)


def test_a_command_that_another_shows_prints_marked_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(MARKED, "1")
    with progress("training", total=3) as tick:
        tick(1, note="val_loss 0.5")
        tick(2, note="end")
    first, last = capsys.readouterr().err.splitlines()
    assert read_marked(first) == Inside("training", 1, 3, "val_loss 0.5")
    assert read_marked(last) == Inside("training", 3, 3, "end")
    assert read_marked("WARNING something") is None


def test_a_terminal_shows_step_and_work_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    with steps_progress() as bar:
        assert bar is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with steps_progress() as bar:
        assert bar is not None
        bar.begin("train the network", number=3, total=12)
        bar.inside(Inside("training", 5, 60, "val_loss 0.5"))
        steps, inner = bar.display.tasks
        assert (steps.description, steps.completed, steps.total) == ("train the network", 2, 12)
        assert (inner.completed, inner.total, inner.visible) == (5, 60, True)
        bar.begin("freeze", number=4, total=12)
        assert not inner.visible
