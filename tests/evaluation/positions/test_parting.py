"""One against two interactions judged, by a method whose errors are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.runs.toy_hits import toy_hits

from discrimen.evaluation.positions import Judged, PositionReport, judge_positions, position_text, write_position_report
from discrimen.network.located import Located, SecondInteraction
from discrimen.pulses.hits import Hits

N_HITS = 1200
TWO = np.arange(N_HITS) % 3 > 0
ONE_MM, TWO_MM = np.array([1.0, 0, 0]), np.array([0, 2.0, 0])


def hits_of_two() -> Hits:
    """Two thirds of the toy hits have a second interaction 5 or 10 mm behind, with 30 % of the energy."""
    hits = toy_hits(N_HITS)
    apart = np.where(np.arange(N_HITS) % 3 == 1, 5.0, 10.0)
    columns = {
        **hits.columns,
        "n_interactions": 1 + TWO,
        "x_2_mm": np.where(TWO, hits.column("x_mm"), np.nan),
        "y_2_mm": np.where(TWO, hits.column("y_mm"), np.nan),
        "z_2_mm": np.where(TWO, hits.column("z_mm") + apart, np.nan),
        "energy_2_kev": np.where(TWO, 0.3 * hits.column("energy_kev"), np.nan),
    }
    return replace(hits, columns=columns)


HITS = hits_of_two()
TRUTH = Judged.of_hits(HITS)


def found(*, turned: bool = False) -> Located:
    """Places 1 and 2 mm off; all pairs at 10 mm told, half of those at 5 mm, none of the single interactions."""
    assert TRUTH.interactions is not None
    first, second = TRUTH.truth_mm + ONE_MM, TRUTH.interactions.second_mm + TWO_MM
    second[~TWO] = 77.0
    kind = np.arange(N_HITS) % 3
    probability = np.select([kind == 2, (kind == 1) & (np.arange(N_HITS) % 2 == 0)], [0.9, 0.8], 0.1)
    first, second = (second, first) if turned else (first, second)
    share = np.full(N_HITS, 0.25 if turned else 0.75)
    nothing = np.ones((N_HITS, 3))
    return Located(
        position_mm=first,
        deviation_mm=nothing,
        flags=np.zeros(N_HITS, np.uint16),
        second=SecondInteraction(
            probability=probability,
            position_mm=second,
            deviation_mm=nothing,
            share=share,
            share_deviation=np.ones(N_HITS),
            limit=0.7,
        ),
    )


def judged(located: Located) -> PositionReport:
    return judge_positions(located, TRUTH, model={"name": "an oracle"})


@pytest.mark.parametrize("turned", [False, True])
def test_parting_is_judged_by_distance_in_the_better_order(turned: bool) -> None:
    parting = judged(found(turned=turned)).parting
    assert parting is not None
    one, two = parting.groups["number"]
    assert (one.n_hits, one.figures["taken_for_two"].value) == (400, 0)
    assert 0 < one.figures["taken_for_two"].high < 2
    assert "median_second_mm" not in one.figures
    assert two.n_hits == 800
    near, far = parting.groups["distance"]
    assert (near.name, far.name) == ("5 mm", "10 mm")
    assert near.figures["taken_for_two"].value == pytest.approx(50, abs=1)
    assert near.figures["taken_for_two"].low == pytest.approx(45, abs=1)
    assert far.figures["taken_for_two"].value == 100
    assert far.figures["median_first_mm"].value == pytest.approx(1, abs=1e-3)
    assert far.figures["radius_68_second_mm"].value == pytest.approx(2, abs=1e-3)
    assert far.figures["share_rms"].value == pytest.approx(0.05, abs=1e-3)
    assert [each.name for each in parting.groups["share of the second"]] == ["0.3"]


def test_the_report_tells_it_and_a_method_that_knows_one_has_none() -> None:
    report = judged(found())
    assert [each.name for each in report.groups["interactions"]] == ["one", "two"]
    text = position_text(report)
    assert "distance 10 mm" in text
    assert "100.0 (99.0-100.0)" in text
    alone = judged(replace(found(), second=None))
    assert alone.parting is None
    assert "taken for two" not in position_text(alone)
    assert "…" not in text
    assert judge_positions(found(), replace(TRUTH, interactions=None), model={}).parting is None


def test_hits_without_a_position_are_not_judged() -> None:
    located = found()
    located.position_mm[TWO & (np.arange(N_HITS) < 600)] = np.nan
    parting = judged(located).parting
    assert parting is not None
    assert [each.n_hits for each in parting.groups["number"]] == [400, 400]


@pytest.mark.slow
def test_the_page_shows_tables_and_pictures_of_two(tmp_path: Path) -> None:
    names = {path.name for path in write_position_report(judged(found()), tmp_path)}
    assert {"two_by_distance.png", "two_by_share_of_the_second.pdf"} <= names
    assert "One or two interactions, by distance" in (tmp_path / "report.html").read_text()
    assert '"parting"' in (tmp_path / "report.json").read_text()
