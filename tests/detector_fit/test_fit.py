"""Closure: simulate a detector that is known, fit it, and find it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from discrimen.detector_fit import DetectorFit, Records, fit_detector, read_records
from discrimen.detector_fit.picture import draw_fit
from discrimen.detector_fit.text import lines_of
from discrimen.errors import DataError
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader
from discrimen.pulses.detector import DetectorSettings, LightCalibration
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.simulate import simulate

SHORT = {"detector": "EJ-276", "digitizer": "DT5730", "n_samples": 150, "pretrigger_ns": 66.0, "noise_adc": 4.0}


def records(config: SimulationConfig, **settings: Any) -> Records:
    pulses = simulate(config)
    known = DetectorSettings(sample_period_ns=pulses.sample_period_ns, **settings)
    nothing = np.zeros(len(pulses), dtype=np.int64)
    return Records(samples=pulses.samples, file=nothing, settings=known, sources=("made.lh5",), notes=())


def values(fit: DetectorFit) -> dict[str, float]:
    return {quantity.name: quantity.value for quantity in fit.quantities}


@pytest.fixture(scope="module")
def fitted() -> DetectorFit:
    config = SimulationConfig(n_pulses=500, trigger_jitter_ns=2.0, pileup_fraction=0.1, seed=3, **SHORT)
    return fit_detector(records(config, adc_bits=14), scintillator="EJ-276")


def test_the_place_of_the_pulses_is_found_again(fitted: DetectorFit) -> None:
    assert fitted.file.settings.pretrigger_ns == pytest.approx(66, abs=0.4)
    assert fitted.file.simulation.trigger_jitter_ns == pytest.approx(2, abs=0.3)
    assert fitted.file.settings.polarity == "negative"


def test_the_electronics_are_found_again(fitted: DetectorFit) -> None:
    section = fitted.file.simulation
    assert section.noise_adc == pytest.approx(4, rel=0.03)
    assert section.baseline_adc == pytest.approx(15000, abs=1)
    assert section.baseline_spread_adc == pytest.approx(5, rel=0.2)
    assert section.noise_power == []
    (pile_up,) = (quantity for quantity in fitted.quantities if quantity.name == "pileup_fraction")
    assert pile_up.error is not None
    assert 0.01 < pile_up.error < 0.05
    assert abs(pile_up.value - 0.1) < 3 * pile_up.error


def test_the_front_end_is_found_again(fitted: DetectorFit) -> None:
    front_end = fitted.file.simulation.front_end
    # Behind a sensor of 1.7 ns a pole of 0.64 ns and a Gaussian are alike: their widths add in quadrature.
    assert np.hypot(front_end.time_constant_ns, front_end.sigma_ns) == pytest.approx(0.64, abs=0.25)
    assert fitted.shape.rms_residual < 0.004


def test_simulated_heights_cover_those_of_the_run(fitted: DetectorFit) -> None:
    run, simulated = (
        np.quantile(heights, [0.05, 0.5, 0.95]) for heights in (fitted.heights_adc, fitted.simulated_heights_adc)
    )
    np.testing.assert_allclose(simulated, run, rtol=0.15)


def test_what_cannot_be_fitted_is_said(fitted: DetectorFit) -> None:
    text = "\n".join(lines_of(fitted))
    assert "not fitted: gain: no calibration is known" in text
    assert "not fitted: tails of both classes" in text
    assert "taken for EJ-276" in text
    assert fitted.file.simulation.gain_is_relative
    assert fitted.file.settings.calibration is None


def test_the_picture_is_drawn(fitted: DetectorFit, tmp_path: Path) -> None:
    draw_fit(fitted, tmp_path / "fit.png")
    assert (tmp_path / "fit.png").read_bytes().startswith(b"\x89PNG")


def test_ten_pulses_are_enough_for_a_start(fitted: DetectorFit) -> None:
    config = SimulationConfig(n_pulses=10, trigger_jitter_ns=1.0, energy_min_kevee=200.0, seed=8, **SHORT)
    few = records(config)
    calibration = LightCalibration(quantity="peak_adc", gain_kevee_per_unit=0.25)
    known = Records(
        samples=few.samples,
        file=few.file,
        settings=few.settings.model_copy(update={"calibration": calibration}),
        sources=few.sources,
        notes=few.notes,
    )
    fit = fit_detector(known, scintillator="EJ-276")
    assert fit.file.settings.pretrigger_ns == pytest.approx(66, abs=2)
    assert any("10 clean pulses" in line for line in fit.warnings)
    assert any("pile-up: 10 clean pulses are too few" in line for line in fit.not_fitted)
    assert any("taken for 14 bits" in line for line in fit.not_fitted)
    assert fit.file.simulation.gain_adc_per_kevee == pytest.approx(4)
    assert not fit.file.simulation.gain_is_relative


@pytest.mark.slow
def test_what_is_no_scintillator_is_refused() -> None:
    rng = np.random.default_rng(1)
    time = np.arange(120) - 40 - rng.random((200, 1))
    triangle = np.clip(np.minimum(time / 8, 1.2 - time / 120), 0, None) * rng.uniform(300, 900, (200, 1))
    samples = np.rint(500 + triangle + rng.normal(0, 1, triangle.shape)).astype(np.int64)
    settings = DetectorSettings(sample_period_ns=2.0)
    made = Records(samples=samples, file=np.zeros(200, int), settings=settings, sources=("ramp.npy",), notes=())
    with pytest.raises(DataError, match=r"ramp.npy: no scintillator of those tried fits .* Nothing is written"):
        fit_detector(made, scintillator="BC501A")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "front_end"),
    [
        ({"detector": "BC501A", "digitizer": "NUMEXO2"}, {}),
        ({"detector": "EJ-309", "digitizer": "NUMEXO2", "pretrigger_ns": 203.0}, {}),
        ({"detector": "EJ-276", "digitizer": "DT5730", "polarity": "positive", "baseline_adc": 900.0}, {}),
        ({"detector": "stilbene", "digitizer": "DT5730", "noise_adc": 6.0}, {}),
        (
            {"detector": "BC501A", "digitizer": "DT5751"},
            {"time_constant_ns": (4.98, 0.1), "sigma_ns": (2.2, 0.05), "period_ns": (22.07, 0.15)},
        ),
    ],
)
def test_every_detector_is_found_again(config: dict[str, Any], front_end: dict[str, tuple[float, float]]) -> None:
    truth = SimulationConfig(n_pulses=4000, trigger_jitter_ns=1.5, pileup_fraction=0.05, seed=3, **config)
    digitizer = truth.digitizer_as_run
    fit = fit_detector(
        records(truth, adc_bits=digitizer.adc_bits),
        scintillator=truth.detector,
        gain_adc_per_kevee=digitizer.gain_adc_per_kevee,
    )
    section, found = fit.file.simulation, values(fit)
    if digitizer.trigger == "constant_fraction":
        assert fit.file.settings.pretrigger_ns == pytest.approx(digitizer.pretrigger_ns, abs=0.5)
        assert section.trigger_jitter_ns == pytest.approx(1.5, abs=0.3)
    assert section.noise_adc == pytest.approx(digitizer.noise_adc, rel=0.02)
    assert section.baseline_adc == pytest.approx(digitizer.baseline_adc, abs=0.5)
    assert section.baseline_spread_adc == pytest.approx(digitizer.baseline_spread_adc, rel=0.06)
    assert section.pileup_fraction == pytest.approx(0.05, abs=0.025)
    assert fit.shape.rms_residual < 0.004
    for name in ("gamma_tail", "neutron_tail"):
        assert found.get(name, 1.0) == pytest.approx(1, abs=0.08)
    for name, (value, tolerance) in front_end.items():
        assert getattr(section.front_end, name, found.get("period")) == pytest.approx(value, abs=tolerance)


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["lh5/LDQTA_r117_20200110T105115Z_cal_geds_raw.lh5", "lh5/l200-p03-r001-cal-20230318T012144Z-tier_raw.lh5"]
)
def test_germanium_is_no_scintillator(real_data: Path, name: str) -> None:
    with pytest.raises(DataError, match="no scintillator of those tried fits"):
        fit_detector(read_records([open_reader(real_data / name)]), scintillator="BC501A")


@pytest.mark.real_data
def test_pulses_with_too_little_before_them_are_refused(real_data: Path) -> None:
    reader = open_reader(real_data / "compass" / "compass_test_data.BIN")
    with pytest.raises(DataError, match="fewer than 4 samples before them"):
        fit_detector(read_records([reader]))


@pytest.mark.real_data
def test_ten_real_pulses_are_met_within_a_percent(real_data: Path) -> None:
    options = ReadOptions(settings=DetectorSettings(sample_period_ns=1.0))
    names = ("bc501a_gamma_first5.csv", "bc501a_neutron_first5.csv")
    run = read_records([open_reader(real_data / "bc501a" / name, options) for name in names])
    fit = fit_detector(run, scintillator="BC501A")
    assert fit.n_clean == 10
    assert fit.shape.rms_residual < 0.01
    assert fit.file.settings.pretrigger_ns == pytest.approx(37, abs=1)
    assert values(fit)["period"] == pytest.approx(22.07, abs=0.5)
    assert any("ADC steps differ from file to file (4, 1)" in line for line in fit.warnings)
