"""The detector file that a calibration ends in."""

from __future__ import annotations

from pathlib import Path

import yaml

from discrimen.calibration.detector_file import settings_yaml
from discrimen.pulses.detector import DetectorSettings, LightCalibration, read_settings


def test_what_the_simulator_reads_of_the_file_before_is_kept(tmp_path: Path) -> None:
    before, after = tmp_path / "fitted.yaml", tmp_path / "calibrated.yaml"
    before.write_text("polarity: negative\nsimulation: {scintillator: EJ-276}\n")
    calibration = LightCalibration(quantity="peak_adc", gain_kevee_per_unit=0.5)
    settings = DetectorSettings(polarity="negative", calibration=calibration)
    after.write_text(settings_yaml(settings, remarks=["by Cs-137"], before=before))
    assert yaml.safe_load(after.read_text())["simulation"] == {"scintillator": "EJ-276"}
    assert read_settings(after) == settings
    assert "simulation" not in yaml.safe_load(settings_yaml(settings, remarks=[]))
