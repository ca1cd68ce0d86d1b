"""Detector settings are checked against their schema, and every fault is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from discrimen.errors import SettingsError
from discrimen.pulses.detector import DetectorSettings, read_settings, validate_settings

FULL = """
name: NEDA cell 17
sample_period_ns: 10
polarity: negative
pretrigger_ns: 150
adc_bits: 14
baseline: {start_ns: 0, stop_ns: 120}
gates: {gate_start_ns: -20, short_gate_end_ns: 40, long_gate_end_ns: 500}
calibration: {quantity: peak_adc, gain_kevee_per_unit: 0.4}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "detector.yaml"
    path.write_text(text)
    return path


def test_full_file_is_read(tmp_path: Path) -> None:
    settings = read_settings(write(tmp_path, FULL))
    assert settings.sample_period_ns == 10
    assert settings.gates is not None
    assert settings.gates.long_gate_end_ns == 500


def test_empty_file_knows_nothing(tmp_path: Path) -> None:
    assert read_settings(write(tmp_path, "")) == DetectorSettings()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("polarity: down", "polarity"),
        ("sample_period_ns: -2", "sample_period_ns"),
        ("samplerate: 500", "samplerate"),
        ("baseline: {start_ns: 5, stop_ns: 5}", "stop_ns must lie after"),
        ("gates: {short_gate_end_ns: 90, long_gate_end_ns: 50}", "gate_start_ns < short"),
        ("[1, 2]", "dictionary"),
        ("polarity: [", "cannot read"),
        ("sample_period_ns: .nan", "sample_period_ns"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        read_settings(write(tmp_path, text))


def test_every_fault_is_reported_at_once() -> None:
    with pytest.raises(SettingsError, match=r"polarity.*adc_bits"):
        validate_settings({"polarity": "up", "adc_bits": 99}, source="here")


def test_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot read detector settings"):
        read_settings(tmp_path / "absent.yaml")


def test_overrides_win_and_gaps_are_filled() -> None:
    given = DetectorSettings(sample_period_ns=2.0)
    file = DetectorSettings(sample_period_ns=4.0, polarity="negative")
    assert given.filled_from(file) == DetectorSettings(sample_period_ns=2.0, polarity="negative")
    assert file.merged(sample_period_ns=1.0, polarity=None).sample_period_ns == 1.0
