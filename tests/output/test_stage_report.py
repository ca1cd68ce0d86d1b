"""The frame of a stage's report: its files, its tables, and text that cannot become markup."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from discrimen.output.pictures import picture
from discrimen.output.stage_report import PageTable, StagePage, stage_page, write_stage_report
from discrimen.output.style import new_figure
from discrimen.output.tables import Cell, table_of

pytestmark = pytest.mark.drawn
TABLE = PageTable("Counts", table_of(("run", "pulses"), [("a.lh5", Cell("12", "11 to 13"))]), words="Of all.")


def test_the_page_says_what_was_done_and_shows_tables_and_origin() -> None:
    text = stage_page(StagePage(title="A stage", done=("12 done.",), tables=(TABLE,), origin={"model": {"n": 3}}))
    for part in ("<h1>A stage</h1>", "<p>12 done.</p>", "<h2>Counts</h2>", "(11 to 13)", "Of all.", "&#34;n&#34;: 3"):
        assert part in text
    assert "Pictures" not in text
    assert "What to know" not in text


def test_names_of_files_cannot_become_markup() -> None:
    table = PageTable("t", table_of(("run",), [("<script>x</script>.lh5",)]))
    text = stage_page(StagePage(title="<b>", done=("a & b",), tables=(table,), notes=("<i>",)))
    assert not any(markup in text for markup in ("<script>", "<b>", "<i>", "a & b"))


def test_the_report_is_json_page_and_pictures(tmp_path: Path) -> None:
    figure = new_figure(2.0, 2.0)
    shown = picture(figure, name="pulses", caption="Two pulses.")
    written = write_stage_report(
        StagePage(title="A stage", done=(), pictures=(shown,)), tmp_path, name="stage", values={"rate": float("nan")}
    )
    assert [path.name for path in written] == ["stage.json", "stage.html", "pulses.png", "pulses.pdf"]
    values = json.loads(written[0].read_text())
    assert values["rate"] is None
    assert "discrimen" in values["versions"]
    page = written[1].read_text()
    assert "data:image/png;base64," in page
    assert "Two pulses." in page


def test_a_line_that_does_not_fit_its_heading_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 2 cells, got 3"):
        table_of(("run", "pulses"), [("a", "1", "2")])
