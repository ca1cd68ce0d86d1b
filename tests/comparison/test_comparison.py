"""Models, data sets and reports side by side."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.evaluation.conftest import SETTINGS, ToyPredictor, toy_pulses

from discrimen.comparison import (
    Comparison,
    Figures,
    compare_models,
    compare_reports,
    comparison_text,
    write_comparison,
)
from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.evaluation import NotComputed, evaluate
from discrimen.inference.load import Model
from discrimen.metrics import Leakage, auc, leakage_at_efficiency, unpaired_difference
from discrimen.output.plain import json_text
from discrimen.pulses import Label
from discrimen.runs.dataset import Dataset

pytestmark = pytest.mark.drawn

EDGES = (50.0, 200.0, 1000.0)


@dataclass(frozen=True)
class Blurred(ToyPredictor):
    """A worse network: scatter on the logit of the toy."""

    scatter: float = 2.0

    def predict(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        score = super().predict(samples)[:, 1].astype(np.float64)
        logit = np.log(score / (1 - score)) + np.random.default_rng(1).normal(0, self.scatter, len(score))
        blurred = 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
        return np.stack([1 - blurred, blurred], axis=1).astype(np.float32)


def dataset(n_pulses: int, seed: int, **columns: Any) -> Dataset:
    pulses = toy_pulses(n_pulses, seed=seed, low_kevee=40.0).replace(**columns)
    files = ({"name": f"{seed}.lh5", "sha256": str(seed), "n_pulses": n_pulses},)
    return Dataset(pulses=pulses, settings=SETTINGS, files=files, n_unlabelled=0)


MODELS = {
    "sharp": Model(Path("sharp"), ToyPredictor(), "0"),
    "blurred": Model(Path("blurred"), Blurred(), "1"),
}


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    sets = {"first": dataset(2000, 21), "second": dataset(1200, 22)}
    return compare_models(MODELS, sets, energy_edges_kevee=EDGES)


def test_every_model_on_every_set_and_every_set_of_every_model(comparison: Comparison) -> None:
    titles = ["Models on first", "Models on second", "sharp on each data set", "blurred on each data set"]
    assert [group.title for group in comparison.groups] == titles
    assert [group.paired for group in comparison.groups] == [True, True, False, False]
    assert [part.name for part in comparison.groups[2].ranges] == ["all energies", "50-200 keVee", "200-1000 keVee"]
    assert comparison.groups[2].ranges[0].n_gamma != comparison.groups[2].ranges[0].n_neutron


def test_figures_are_those_of_each_model_and_differences_those_of_both(comparison: Comparison) -> None:
    whole = comparison.groups[0].ranges[0]
    pulses = toy_pulses(2000, seed=21, low_kevee=40.0)
    expected = {}
    for name, model in MODELS.items():
        scores, labels = model.predictor.predict(pulses.samples)[:, 1].astype(np.float64), pulses.column("label")
        figures = whole.figures[name]
        assert isinstance(figures, Figures)
        expected[name] = leakage_at_efficiency(scores, labels, efficiency=0.95)
        assert figures.leakage_at(0.95) == expected[name]
        assert figures.auc == auc(scores, labels)
    assert list(whole.against) == ["blurred"]
    found = whole.against["blurred"].leakage_at(0.95)
    assert found is not None
    assert found.difference.value == pytest.approx(expected["blurred"].leakage - expected["sharp"].leakage)
    assert found.difference.low > 0
    assert found.ratio is not None
    assert found.ratio.low > 1
    assert whole.against["blurred"].auc.high < 0


def test_different_pulses_are_compared_as_independent(comparison: Comparison) -> None:
    whole = comparison.groups[2].ranges[0]
    found = whole.against["second"].leakage_at(0.95)
    assert found is not None
    assert found.ratio is None
    assert found.difference.low < 0 < found.difference.high


def test_files_hold_what_was_found(comparison: Comparison, tmp_path: Path) -> None:
    written = write_comparison(comparison, tmp_path)
    assert [path.name for path in written[:4]] == [
        "comparison.json", "comparison.html", "comparison-1.png", "comparison-1.pdf",
    ]  # fmt: skip
    values = json.loads(written[0].read_text())
    assert values.pop("command_line")
    assert values == json.loads(json.dumps(comparison.as_dict()))
    page = written[1].read_text()
    assert page.count("data:image/png") == 4
    assert "blurred on each data set" in page
    text = comparison_text(comparison)
    assert max(map(len, text.splitlines())) <= 80
    assert "over reference" in text


def test_runs_are_counted_where_there_are_enough() -> None:
    sets = {"runs": dataset(1200, 23, run=np.arange(1200) // 150)}
    by_run = compare_models(MODELS, sets, energy_edges_kevee=EDGES)
    assert any("8 runs" in note for note in by_run.groups[0].notes)


def test_thin_ranges_and_one_class_are_told() -> None:
    thin = compare_models(MODELS, {"few": dataset(150, 24)}, energy_edges_kevee=(50.0, 55.0))
    assert all(isinstance(each, NotComputed) for each in thin.groups[0].ranges[1].figures.values())
    one_class = dataset(150, 24, label=np.full(150, Label.GAMMA, np.int8))
    with pytest.raises(DataError, match="both classes are needed; files of one data set are joined by commas"):
        compare_models(MODELS, {"gammas": one_class})
    with pytest.raises(SettingsError, match="nothing to compare"):
        compare_models({"sharp": MODELS["sharp"]}, {"few": dataset(150, 24)})


def test_reports_of_earlier_evaluations(tmp_path: Path) -> None:
    folders = {}
    for number, (name, model) in enumerate(MODELS.items()):
        folders[name] = tmp_path / name
        folders[name].mkdir()
        report = evaluate(model.predictor, dataset(800, 25 + number).pulses, energy_edges_kevee=EDGES)
        (folders[name] / "report.json").write_text(json_text(report.as_dict()))
    found = compare_reports(folders)
    (group,) = found.groups
    assert (group.reference, group.paired) == ("sharp", False)
    figures = group.ranges[1].figures["blurred"]
    assert isinstance(figures, Figures)
    assert isinstance(figures.leakages[0], Leakage)
    assert group.ranges[0].against["blurred"].auc.high < 0
    (folders["blurred"] / "report.json").write_text('{"discrimen_report": 1}')
    with pytest.raises(FormatError, match="expected a report of version 2, got 1"):
        compare_reports(folders)
    with pytest.raises(SettingsError, match="several reports"):
        compare_reports({"sharp": folders["sharp"]})


def test_difference_of_independent_shares() -> None:
    found = unpaired_difference((0.5, 0.4, 0.7), (0.3, 0.1, 0.35))
    assert found.value == pytest.approx(0.2)
    assert found.low == pytest.approx(0.2 - np.hypot(0.1, 0.05))
    assert found.high == pytest.approx(0.2 + np.hypot(0.2, 0.2))
