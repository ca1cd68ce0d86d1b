"""The table of figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from discrimen.evaluation import Report, evaluate, page_tables, ranges
from discrimen.evaluation.figures import FIGURES, Figure
from discrimen.pulses import Pulses


def test_a_new_row_stands_in_the_data_and_on_the_page(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = Figure(
        name="highest_score",
        headings=("highest",),
        compute=lambda method, _labels, _intervals: float(method.scores.max()),
        cells=lambda value: ((f"{value:.3f}", ""),),
    )
    for module in (ranges, page_tables):
        monkeypatch.setattr(module, "FIGURES", (*FIGURES, extra))
    report = evaluate(make_predictor(), make_pulses(600, seed=4))
    network = report.as_dict()["overall"]["methods"]["network"]
    assert 0.5 < network["highest_score"] <= 1
    rows = page_tables.method_rows(report, efficiency=0.95)
    assert rows is not None
    assert f"{network['highest_score']:.3f}" == rows.lines[1].cells[rows.heading.index("highest") - 1].value
    assert all(len(line.cells) == len(rows.heading) - 1 for line in rows.lines)


def test_figures_stand_beside_the_other_results_in_the_data(report: Report) -> None:
    for method in report.as_dict()["overall"]["methods"].values():
        assert "figures" not in method
        assert {"low", "high", "value"} <= method["auc"].keys()
        assert (method["figure_of_merit"] is None) == (method["gates"] is None)
