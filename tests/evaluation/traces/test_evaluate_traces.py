"""Denoised traces are judged by kind and energy; transients made smaller are seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.reconstruction.copying_hits_model import write_copying_hits_model
from tests.runs.toy_hits import CHANNELS, toy_hits

from discrimen.errors import DataError
from discrimen.evaluation.traces import TraceReport, evaluate_traces, trace_text, write_trace_report
from discrimen.evaluation.traces.kinds import HIT, NEIGHBOURS, OTHERS, REFERENCE, kinds_of
from discrimen.inference.base import Reconstructed
from discrimen.inference.native import NativePredictor
from discrimen.pulses.hits import Hits

NOISY = toy_hits(400, seed=6, energies_kev=(310.0, 900.0))
CLEAN = toy_hits(400, seed=6, energies_kev=(310.0, 900.0), noise_adc=0.0)


class Shrinking:
    """Gives clean traces with half of the noise, and transients too small by a fifth."""

    def __init__(self, path: Path) -> None:
        self.description = NativePredictor(write_copying_hits_model(path)).description
        self.backend = "a test"

    def reconstruct(self, samples: Any, *, present: Any = None) -> Reconstructed:
        clean = CLEAN.samples[: len(samples)].astype(np.float32)
        noise = samples - clean
        above = clean - 100
        kinds = kinds_of(above, np.ones(samples.shape[:2], bool), CHANNELS, reference=36)
        above[kinds[NEIGHBOURS]] *= 0.8
        return Reconstructed((100 + above + noise / 2).astype(np.float32), None)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> TraceReport:
    predictor: Any = Shrinking(tmp_path_factory.mktemp("model") / "m.discrimen")
    return evaluate_traces(predictor, NOISY, CLEAN.samples)


def test_noise_before_and_after_is_told_by_kind(report: TraceReport) -> None:
    assert (report.n_hits, report.n_judged) == (400, 400)
    assert list(report.kinds) == ["all", HIT, NEIGHBOURS, OTHERS, REFERENCE]
    for kind in (HIT, OTHERS, REFERENCE):
        figures = report.kinds[kind][0].figures
        assert figures["input_rms_adc"].value == pytest.approx(3.0, rel=0.03)
        assert figures["gain_db"].value == pytest.approx(6.02, abs=0.01)
    assert report.kinds[NEIGHBOURS][0].figures["gain_db"].value < -4
    assert [each.name for each in report.kinds[HIT]] == ["all energies", "250-400 keV", "400-700 keV", "700-1200 keV"]


def test_transients_made_smaller_are_seen_of_either_sign(report: TraceReport) -> None:
    assert report.kinds[HIT][0].figures["amplitude_bias"].value == pytest.approx(0, abs=0.1)
    neighbours = report.kinds[NEIGHBOURS][0].figures
    assert neighbours["amplitude_bias"].value == pytest.approx(-20, abs=0.3)
    assert neighbours["input_amplitude_bias"].value == pytest.approx(0, abs=0.5)
    by_height = {each.name: each.figures["amplitude_bias"] for each in report.transients if each.figures}
    for name in ("below -5", "over 5"):
        assert by_height[name].low < -20 < by_height[name].high
        assert by_height[name].high < -15


def test_hits_that_cannot_be_denoised_are_counted(tmp_path: Path) -> None:
    predictor = NativePredictor(write_copying_hits_model(tmp_path / "m.discrimen"))
    strong = toy_hits(30, energies_kev=(3000.0, 3000.0))
    with pytest.raises(DataError, match="no hit can be judged: of 30 hits, 30 higher than the training"):
        evaluate_traces(predictor, strong, strong.samples)
    with pytest.raises(DataError, match="clean traces of the shape"):
        evaluate_traces(predictor, strong, strong.samples[:5])


def test_neighbours_are_known_of_named_segments_alone() -> None:
    above = (CLEAN.samples[:20] - 100).astype(np.float32)
    there = np.ones((20, 37), bool)
    there[0, 36] = False
    named = kinds_of(above, there, CHANNELS, reference=36)
    other = kinds_of(above, there, [str(number) for number in range(37)], reference=36)
    assert named[HIT].argmax(axis=1).tolist() == CLEAN.column("segment")[:20].tolist()
    assert set(named[NEIGHBOURS].sum(axis=1)) <= {5, 8}
    assert not other[NEIGHBOURS].any()
    assert named[REFERENCE][:, 36].tolist() == [False] + [True] * 19
    assert (sum(each.astype(int) for each in named.values()) == there).all()


@pytest.mark.slow
def test_the_report_is_written(report: TraceReport, tmp_path: Path) -> None:
    written = {path.name for path in write_trace_report(report, tmp_path)}
    assert {"report.json", "report.html", "traces.png", "transients.png", "neighbours.png"} <= written


def test_the_report_is_told(report: TraceReport) -> None:
    text = trace_text(report, width=100)
    assert "400 of 400 hits judged" in text
    assert "hit segment" in text


def test_segment_neighbour_and_core_of_a_hit_near_300_kev_are_shown(report: TraceReport) -> None:
    assert len(report.shown) == 3
    assert report.shown[-1].title.startswith("core, 3")
    clean = report.shown[-1].clean
    assert clean[-1] == pytest.approx(np.abs(clean).max(), rel=0.01)


def test_hits_of_one_energy_have_a_line_of_their_own(tmp_path: Path) -> None:
    predictor = NativePredictor(write_copying_hits_model(tmp_path / "m.discrimen"))
    hits: Hits = toy_hits(40, energies_kev=(500.0, 500.0))
    clean = toy_hits(40, energies_kev=(500.0, 500.0), noise_adc=0.0)
    found = evaluate_traces(predictor, hits, clean.samples)
    assert [each.name for each in found.kinds["all"]] == ["all energies", "500 keV"]
