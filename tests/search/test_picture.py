from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from discrimen.search import SearchResult, TrialRow
from discrimen.search.picture import search_figure
from discrimen.search.result import front


def row(number: int, **changes: Any) -> TrialRow:
    values: dict[str, Any] = {
        "state": "complete",
        "parameters": {"architecture": "mlp" if number % 2 else "cnn"},
        "objective": -1.0 - 0.1 * number,
        "leakages": (),
        "native_ns_per_pulse": 10.0 * (number + 1),
        "n_parameters": 1,
        "best_epoch": 1,
        "epochs": 1,
        "seconds": 1.0,
        "reason": None,
    }
    return TrialRow(number=number, **(values | changes))


@pytest.mark.parametrize("pareto", [False, True])
def test_a_search_is_drawn_with_what_it_looked_for(pareto: bool) -> None:
    rows = [row(0), row(1), row(2), row(3, state="pruned", objective=None, reason="pruned: at this epoch")]
    config = {"pareto": pareto, "efficiency": 0.95, "energy_edges_kevee": [30.0, 50.0, 100.0]}
    best = front(rows) if pareto else (rows[2],)
    figure = search_figure(
        SearchResult(folder=Path(), identity={"config": config}, trials=tuple(rows), best=best, interrupted=False)
    )
    (axes,) = figure.axes
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == (["cnn", "mlp", "front"] if pareto else ["cnn", "mlp", "best so far", "pruned or impossible"])
    assert "95% neutron efficiency\n(30 to 100 keVee" in axes.get_ylabel()
    assert ("ns" in axes.get_xlabel()) is pareto
    (line,) = [line for line in axes.get_lines() if line.get_label() in ("front", "best so far")]
    assert len(line.get_xdata()) == 3
