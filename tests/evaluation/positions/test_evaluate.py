"""Positions judged: by an oracle with errors that are known, on toy hits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.runs.toy_hits import toy_hits

from discrimen.errors import DataError, SettingsError
from discrimen.evaluation.positions import (
    Judged,
    PositionReport,
    judge_positions,
    position_text,
    write_position_report,
)
from discrimen.evaluation.positions.page import position_page
from discrimen.network.hits_domain import PositionFlag
from discrimen.network.located import Located

HITS = toy_hits(1000)
JUDGED = Judged.of_hits(HITS)
SIGMA_MM = np.array([1.0, 1.0, 2.0])


def located(*, snap_mm: float = 0.0, claimed: float = 1.0, flagged: int = 0) -> Located:
    found = JUDGED.truth_mm + np.random.default_rng(1).normal(0, SIGMA_MM, JUDGED.truth_mm.shape)
    if snap_mm:
        found = np.round(found / snap_mm) * snap_mm
    deviation = np.broadcast_to(claimed * SIGMA_MM, found.shape).copy()
    flags = np.zeros(len(found), np.uint16)
    flags[:flagged] = PositionFlag.NO_REFERENCE
    found[:flagged] = deviation[:flagged] = np.nan
    return Located(position_mm=found, deviation_mm=deviation, flags=flags)


def judged(found: Located, known: Judged = JUDGED) -> PositionReport:
    return judge_positions(found, known, model={"name": "an oracle"})


def test_figures_are_those_of_the_oracle() -> None:
    report = judged(located())
    figures = report.all.figures
    for axis, sigma in zip("xyz", SIGMA_MM, strict=True):
        assert figures[f"{axis}_rms_mm"].low < sigma < figures[f"{axis}_rms_mm"].high
        assert figures[f"{axis}_coverage"].value == pytest.approx(68.3, abs=3)
    assert set(report.groups) == {"all", "energy", "radius", "depth"}
    for group in ("energy", "radius", "depth"):
        assert sum(each.n_hits for each in report.groups[group]) == 1000
    # Half of a sixth of the length alone is 3.75 mm on average.
    assert 8 < report.without_network_mm < 13
    assert not any(each.is_seen for each in report.clustering)


def test_errors_that_claim_too_much_have_wide_pulls() -> None:
    figures = judged(located(claimed=0.5)).all.figures
    assert figures["x_pull_width"].value == pytest.approx(2, rel=0.05)
    assert figures["z_coverage"].value == pytest.approx(38.3, abs=4)


def test_positions_on_a_grid_are_told() -> None:
    report = judged(located(snap_mm=2.0))
    assert {each.pitch_mm for each in report.clustering if each.is_seen} == {1.0, 2.0}
    told = position_text(report, width=80)
    assert "positions cluster on a grid of 1 mm, 2 mm" in told
    assert "…" not in told, "no figure is cut on 80 columns"
    fields = report.maps.found_xy.sum(axis=1)
    assert (fields[:-1] * fields[1:] == 0).mean() > 0.9
    assert report.maps.truth_xy.sum() == 1000


def test_hits_without_a_position_are_counted_and_not_judged() -> None:
    report = judged(located(flagged=100))
    assert report.all.n_hits == 900
    assert report.left_out == {"without the channel that time and gain are taken from": 100}
    with pytest.raises(DataError, match="no hit can be judged: of 1000 hits, 1000 without the channel"):
        judged(located(flagged=1000))


def test_near_walls_is_told_apart_where_the_distance_is_given() -> None:
    wall_mm = np.abs((JUDGED.truth_mm[:, 2] + 7.5) % 15 - 7.5)
    near = judged(located(), replace(JUDGED, wall_mm=wall_mm)).groups["distance to a wall"]
    assert near[0].name == "0-1 mm"
    assert sum(each.n_hits for each in near) == 1000


def test_intervals_of_a_scan_count_places_and_say_so() -> None:
    place = np.arange(1000) % 8
    scan = replace(JUDGED, truth_mm=JUDGED.truth_mm[place])
    shift = np.random.default_rng(2).normal(0, 1, (8, 3))[place]
    found = replace(located(), position_mm=located().position_mm - JUDGED.truth_mm + scan.truth_mm + shift)
    report, alone = judged(found, scan), judged(located())
    assert (report.all.n_places, alone.all.n_places) == (8, None)
    widths = [each.all.figures["x_bias_mm"].high - each.all.figures["x_bias_mm"].low for each in (report, alone)]
    assert widths[0] > 5 * widths[1]
    assert "these hits lie at 8 places; intervals count places" in " ".join(report.notes)
    assert "ranges have hits at fewer than 5 places" in " ".join(report.notes)
    assert "nearly each has a place of its own" in " ".join(alone.notes)
    assert "places" in {*position_page(report, pictures=False).tables[2].rows.heading}


def test_one_coordinate_alone_is_judged_alone() -> None:
    scanned = replace(HITS, columns={"z_mm": HITS.column("z_mm")})
    report = judged(located(), Judged.of_hits(scanned))
    assert "z_rms_mm" in report.all.figures
    assert not any(name.startswith("x") or "3d" in name for name in report.all.figures)
    assert set(report.groups) == {"all", "depth"}
    with pytest.raises(DataError, match="no column x_mm, y_mm or z_mm to judge positions by; they have: segment"):
        Judged.of_hits(replace(HITS, columns={"segment": HITS.column("segment")}))


def test_a_few_energies_are_ranges_of_their_own() -> None:
    energy = np.where(np.arange(1000) % 2, 100.0, 1000.0)
    ranges = judged(located(), replace(JUDGED, energy_kev=energy)).groups["energy"]
    assert [(each.name, each.n_hits) for each in ranges] == [("100 keV", 500), ("1000 keV", 500)]


def test_a_confidence_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="between 0 and 1, got 1"):
        judge_positions(located(), JUDGED, model={}, confidence=1.0)


@pytest.mark.slow
def test_the_page_shows_all_groups_and_pictures(tmp_path: Path) -> None:
    names = {path.name for path in write_position_report(judged(located()), tmp_path)}
    assert {"report.json", "report.html", "residuals.png", "pulls.pdf", "energy.png", "depth.png", "maps.png"} <= names
    written = json.loads((tmp_path / "report.json").read_text())
    assert written["groups"]["all"][0]["figures"]["x_rms_mm"]["value"] == pytest.approx(1, rel=0.05)
    page = (tmp_path / "report.html").read_text()
    assert page.count("<td>radius ") == len(judged(located()).groups["radius"])
    assert "By energy and place" in page
    assert "Clustering on a grid" in page
    assert "pulses" not in page.split("Origin")[0]
