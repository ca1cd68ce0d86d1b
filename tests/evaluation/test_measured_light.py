"""Thresholds in ranges of measured light: what classify gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from discrimen.evaluation import NotComputed, Report, evaluate, report_text
from discrimen.evaluation.operating_point import MeasuredLight
from discrimen.evaluation.page import report_page
from discrimen.metrics import Share
from discrimen.network.height_curve import HeightCurve
from discrimen.network.prepare import heights_of
from discrimen.pulse_shape.upright import calibrated_light_kevee
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import LightCalibration

CURVE = HeightCurve((100.0, 1000.0), (0.3, 0.9))
EDGES_KEVEE = (50.0, 100.0, 500.0)
BY_HEIGHT = LightCalibration(quantity="peak_adc", gain_kevee_per_unit=0.9)


@pytest.fixture(scope="module")
def pulses(make_pulses: Callable[..., Pulses]) -> Pulses:
    return make_pulses(1500, seed=21)


@pytest.fixture(scope="module")
def report(make_predictor: Callable[..., Any], pulses: Pulses) -> Report:
    predictor = make_predictor({"by height": CURVE})
    settings = predictor.description.settings.model_copy(update={"calibration": BY_HEIGHT})
    predictor = replace(predictor, description=replace(predictor.description, settings=settings))
    return evaluate(predictor, pulses, energy_edges_kevee=EDGES_KEVEE)


def test_ranges_are_of_the_calibrated_light_and_thresholds_those_of_each_pulse(
    report: Report, make_predictor: Callable[..., Any], pulses: Pulses
) -> None:
    predictor, measured = make_predictor(), report.measured
    assert isinstance(measured, MeasuredLight)
    preparation = predictor.description.preparation
    light = calibrated_light_kevee(pulses, BY_HEIGHT, preparation=preparation, gates=None)
    scores = predictor.predict(pulses.samples)[:, 1]
    at = CURVE.at(heights_of(pulses.samples, preparation))
    labels = pulses.column("label")
    assert (measured.unit, [(each.low, each.high) for each in measured.ranges]) == (
        "keVee",
        list(pairwise(EDGES_KEVEE)),
    )
    for each in measured.ranges:
        there = (light >= each.low) & (light < each.high)
        even, curved = each.operating_points
        assert (each.n_gamma, each.n_neutron) == tuple((there & (labels == one)).sum() for one in (0, 1))
        for point, cut in ((even, 0.5), (curved, at)):
            assert isinstance(point.efficiency, Share)
            assert isinstance(point.leakage, Share)
            assert point.efficiency.value == (scores >= cut)[there & (labels == Label.NEUTRON)].mean()
            assert point.leakage.value == (scores >= cut)[there & (labels == Label.GAMMA)].mean()
        assert (curved.threshold, curved.highest_threshold) == (at[there].min(), at[there].max())
    assert [part.n_neutron for part in report.bins] != [part.n_neutron for part in measured.ranges]


def test_the_table_is_in_text_and_page(report: Report) -> None:
    text = report_text(report)
    assert "What classify gives, in measured light" in text
    assert "50-100" in text[text.index("What classify gives") :]
    page = report_page(report, ())
    assert "Ranges of calibration: 0.9 keVee * peak_adc" in page
    assert report.as_dict()["measured"]["ranges"][0]["operating_points"][1]["name"] == "by height"


def test_without_a_calibration_ranges_double_in_height(make_predictor: Callable[..., Any], pulses: Pulses) -> None:
    measured = evaluate(make_predictor(), pulses, energy_edges_kevee=EDGES_KEVEE).measured
    assert isinstance(measured, MeasuredLight)
    assert measured.unit == "ADC counts"
    assert all(each.high == pytest.approx(2 * each.low) for each in measured.ranges)
    counted = sum(each.n_gamma + each.n_neutron for each in measured.ranges)
    assert 0.99 * len(pulses) < counted <= len(pulses)


def test_where_energies_are_measured_already_nothing_is_told_twice(
    make_predictor: Callable[..., Any], pulses: Pulses
) -> None:
    predictor = make_predictor()
    settings = predictor.description.settings.model_copy(update={"calibration": BY_HEIGHT})
    predictor = replace(predictor, description=replace(predictor.description, settings=settings))
    report = evaluate(predictor, pulses.replace(energy_kevee=None, photon_llr=None), energy_edges_kevee=EDGES_KEVEE)
    assert isinstance(report.measured, NotComputed)
    assert "What classify gives" not in report_text(report)
    assert np.isfinite(report.bins[0].n_neutron)
