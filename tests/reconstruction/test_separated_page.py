"""The page on separated pulses: figures of known parts, the counts as a table, and records to look at."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.reconstruction.separator_model import FIRST_AT, SECOND_AT, piled_up, write_separator
from tests.reconstruction.test_separate import separated, written

from discrimen.formats.table import open_reader
from discrimen.inference.native import NativePredictor
from discrimen.pulses import Label
from discrimen.reconstruction.separated_page import write_separation
from discrimen.reconstruction.separation_looked import PartedPairs
from discrimen.runs.components import Components

DISTANCE_NS = 10.0 * (SECOND_AT - FIRST_AT)


def lit(n_pulses: int) -> Components:
    _, truth = piled_up(n_pulses)
    return replace(truth, energy_kevee=0.1 * (8000 - truth.records.min(axis=2)).astype(np.float64))


def pairs(folder: Path, n_pulses: int, truth: Components | None) -> PartedPairs:
    reader = open_reader(written(folder / "run.lh5", piled_up(n_pulses)[0]))
    predictor = NativePredictor(write_separator(folder / "part.discrimen"), threads=1)
    return PartedPairs.of(reader, predictor, truth, threshold=None)


def test_parts_are_put_in_the_order_of_their_truth(tmp_path: Path) -> None:
    truth = lit(40)
    label = truth.label
    assert label is not None
    assert truth.energy_kevee is not None
    turned = replace(
        truth,
        records=truth.records[:, ::-1],
        label=label[:, ::-1],
        energy_kevee=truth.energy_kevee[:, ::-1],
    )
    found = pairs(tmp_path, 40, turned)
    np.testing.assert_array_equal(found.label, truth.label)
    np.testing.assert_array_equal(found.light_kevee, truth.energy_kevee)
    assert found.true_adc is not None
    np.testing.assert_allclose(found.parts_adc, found.true_adc, atol=2.5)
    np.testing.assert_allclose(found.distance_ns, DISTANCE_NS, atol=0.2)


def test_known_errors_of_the_parts_are_found_by_light(tmp_path: Path) -> None:
    truth = lit(60)
    baseline = np.float32(8000)
    larger = pairs(tmp_path, 60, replace(truth, records=baseline + (truth.records - baseline) / np.float32(1.05)))
    everything, *rest = larger.by_light(sample_period_ns=10.0, gates=None)
    assert (everything.name, everything.n_pulses) == ("all", 120)
    assert everything.figures["charge_bias"].value == pytest.approx(5.0, abs=0.2)
    assert everything.figures["nrmse"].value == pytest.approx(5.0, abs=0.2)
    assert abs(everything.figures["time_bias_ns"].value) < 0.1
    assert "gain_db" not in everything.figures
    assert [each.name for each in rest] == ["50-100 keVee", "100-200 keVee"]
    assert sum(each.n_pulses for each in rest) == 120


def test_records_of_both_orders_are_shown(tmp_path: Path) -> None:
    truth = lit(40)
    shown = pairs(tmp_path, 40, truth).shown()
    assert {each.class_names for each in shown} == {("gamma", "neutron"), ("neutron", "gamma")}
    assert all(each.title.startswith("220 ns apart (record ") for each in shown)
    unknown = pairs(tmp_path, 40, None).shown()
    assert len(unknown) == 4
    assert all((each.names, each.true_parts) == (("pulse", "pulse"), None) for each in unknown)
    assert Label.UNKNOWN not in set(np.ravel(truth.label))


def test_the_page_has_counts_distances_and_pictures(tmp_path: Path) -> None:
    pulses, _ = piled_up(60)
    truth = lit(60)
    done = separated(tmp_path, pulses, components=[truth])
    predictor = NativePredictor(tmp_path / "part.discrimen", threads=1)
    reader = open_reader(tmp_path / "run0.lh5")
    found = write_separation(done, [reader], predictor, tmp_path / "report", components=[truth])
    names = [path.name for path in found if path.suffix != ".pdf"]
    assert names == ["separate.json", "separate.html", "parted.png", "delays.png", "parts_by_light.png"]
    told = json.loads(found[0].read_text())
    (distance,) = told["files"][0]["judged"]["by_distance"]
    assert (distance["n_parted"], distance["network"]["n_records"]) == (60, 60)
    assert told["by_light"][0]["n_parts"] == 120
    page, share = found[1].read_text(), '<td class="number">100.0</td>'
    for words in ("60 piled up (60 separated)", "100-300 ns apart", share, "Parts by light"):
        assert words in page


def test_a_run_without_pairs_or_truth_has_its_counts_alone(tmp_path: Path) -> None:
    pulses, _ = piled_up(10, n_in_each=1)
    done = separated(tmp_path, pulses)
    predictor = NativePredictor(tmp_path / "part.discrimen", threads=1)
    found = write_separation(done, [open_reader(tmp_path / "run0.lh5")], predictor, tmp_path / "report")
    assert [path.name for path in found] == ["separate.json", "separate.html"]
    assert "10 of one pulse, 0 piled up" in found[1].read_text()
