"""What the record of the labels makes of a report: refused, headed, and bounded so that the truth lies within."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.evaluation import evaluate, report_text
from discrimen.evaluation.label_trust import label_bounds, read_label_trust, with_trust
from discrimen.evaluation.page import report_page
from discrimen.evaluation.report import Report
from discrimen.evaluation.report_parts import LabelTrust
from discrimen.labelling.contamination import labels_path
from discrimen.pulses import Label, Pulses


def recorded(folder: Path, found: dict[str, Any]) -> Path:
    dataset = folder / "set.lh5"
    labels_path(dataset).write_text(json.dumps(found))
    return dataset


def cut(purity: float, purity_low: float, n_accepted: int) -> dict[str, Any]:
    return {"labelled": True, "purity": purity, "purity_low": purity_low, "n_accepted": n_accepted}


def test_labels_by_source_are_refused_with_their_contamination(tmp_path: Path) -> None:
    record = {"method": "source", "source": {"contamination": {"gamma": 0.0, "neutron": 0.45}}}
    with pytest.raises(DataError, match=r"45% of the labels neutron are wrong: no model can be judged"):
        read_label_trust([recorded(tmp_path, record)])


def test_band_labels_say_how_many_are_wrong_and_how_many_pulses_have_none(tmp_path: Path) -> None:
    slices = [
        {"gamma": cut(0.99, 0.98, 300), "neutron": cut(0.97, 0.95, 100)},
        {"gamma": cut(1.00, 0.99, 100), "neutron": cut(0.99, 0.97, 100)},
    ]
    counts = {"n_gamma": 400, "n_neutron": 200, "n_unknown": 400}
    record = {"method": "band", **counts, "bands": {"channels": [{"slices": slices}]}}
    (found,) = read_label_trust([recorded(tmp_path, record)])
    assert found.contamination == pytest.approx({"gamma": 0.0075, "neutron": 0.02})
    assert found.highest == pytest.approx({"gamma": 0.0175, "neutron": 0.04})
    assert (found.n_labelled, found.unlabelled_share) == ({"gamma": 400, "neutron": 200}, 0.4)


def test_data_sets_without_a_record_say_nothing(tmp_path: Path, small_report: Report) -> None:
    assert read_label_trust([tmp_path / "set.lh5"]) == ()
    assert with_trust(small_report, ()) is small_report


TRUST = LabelTrust(
    file="set.lh5", method="band", contamination={"gamma": 0.01, "neutron": 0.03},
    highest={"gamma": 0.02, "neutron": 0.05}, n_labelled={"gamma": 100, "neutron": 100}, unlabelled_share=0.3,
)  # fmt: skip


def test_text_page_and_json_begin_with_it(small_report: Report) -> None:
    trusted = with_trust(small_report, [TRUST])
    text = report_text(trusted)
    assert text.startswith("Labels of set.lh5 by the bands of charge comparison")
    words = " ".join(text.split())
    assert "wrong for 1.00% (up to 2.00%) of the gammas and 3.00% (up to 5.00%) of the neutrons, 30% of its" in words
    page = report_page(trusted, [])
    assert page.index("Labels of set.lh5") < page.index("What to know")
    as_json = trusted.as_dict()
    assert as_json["labels"][0]["highest"] == {"gamma": 0.02, "neutron": 0.05}
    assert len(as_json["label_bounds"]) == len(small_report.efficiencies)


@pytest.mark.parametrize("blind", [True, False])
def test_the_truth_lies_within_the_bound(
    make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any], blind: bool
) -> None:
    pulses = make_pulses(1500, seed=5, with_bound=False)
    truth = pulses.column("label")
    predictor = make_predictor()
    scores = predictor.predict(pulses.samples)
    scores = np.asarray(getattr(scores, "scores", scores), np.float64).reshape(len(pulses), -1)[:, -1]
    # As bands do it: the labels agree with the score, so that no error of either is seen.
    labels = (scores > np.median(scores)).astype(np.int8) if blind else truth.copy()
    if not blind:
        rng = np.random.default_rng(0)
        wrong = rng.random(len(truth)) < 0.05
        labels[wrong] = 1 - labels[wrong]
    report = evaluate(predictor, pulses.replace(label=labels))
    contamination = {
        name: float((truth[labels == label] != label).mean())
        for name, label in (("gamma", Label.GAMMA), ("neutron", Label.NEUTRON))
    }
    counts = {"gamma": int((labels == 0).sum()), "neutron": int((labels == 1).sum())}
    trust = LabelTrust(
        file="x", method="band", contamination=contamination, highest=contamination, n_labelled=counts,
        unlabelled_share=0.0,
    )  # fmt: skip
    for bound in label_bounds(report, [trust]):
        leakage = report.overall.computed()["network"].leakage_at(bound.efficiency)
        assert leakage is not None
        true_leakage = (scores[truth == Label.GAMMA] >= leakage.threshold).mean()
        assert bound.low - 1e-9 <= true_leakage <= bound.high + 1e-9
        if blind:
            assert bound.leakage == 0 < true_leakage, "the labels hide what the bound tells"
