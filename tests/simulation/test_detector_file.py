from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from discrimen.errors import SettingsError
from discrimen.pulses.detector import read_settings
from discrimen.simulation.detector_file import DetectorFile, detector_yaml, is_detector_file, read_detector_file
from discrimen.simulation.scintillator import DETECTORS
from discrimen.simulation.simulate import simulate

VALUES: dict[str, Any] = {
    "name": "my plastic",
    "sample_period_ns": 2.0,
    "polarity": "positive",
    "pretrigger_ns": 60.0,
    "adc_bits": 12,
    "simulation": {
        "scintillator": "EJ-276",
        "gamma_tail": 1.1,
        "neutron_tail": 0.9,
        "front_end": {
            "time_constant_ns": 4.0,
            "sigma_ns": 1.0,
            "second_time_constant_ns": 1.5,
            "ringing": {"cosine_per_ns": -0.02, "sine_per_ns": 0.01, "decay_ns": 15.0, "period_ns": 25.0},
        },
        "n_samples": 200,
        "baseline_adc": 300.0,
        "baseline_spread_adc": 2.0,
        "noise_adc": 1.5,
        "noise_power": [1.0, 3.0, 0.5],
        "adc_step": 2,
        "gain_adc_per_kevee": 1.2,
        "light": {"kevee": [100.0, 400.0, 900.0], "cumulative": [0.0, 0.8, 1.0]},
        "trigger_jitter_ns": 0.7,
        "pileup_fraction": 0.03,
    },
}


def written(folder: Path, values: object) -> Path:
    path = folder / "detector.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def test_every_value_of_the_file_reaches_the_simulation(tmp_path: Path) -> None:
    config = read_detector_file(written(tmp_path, VALUES)).config(10, seed=4)
    digitizer, section = config.digitizer_as_run, VALUES["simulation"]
    for name in ("n_samples", "baseline_adc", "baseline_spread_adc", "noise_adc", "adc_step", "gain_adc_per_kevee"):
        assert getattr(digitizer, name) == section[name]
    assert (digitizer.sample_period_ns, digitizer.polarity, digitizer.adc_bits) == (2.0, "positive", 12)
    assert digitizer.front_end.second_time_constant_ns == 1.5
    assert digitizer.front_end.ringing is not None
    assert digitizer.front_end.ringing.period_ns == 25.0
    assert (config.trigger_jitter_ns, config.pileup_fraction) == (0.7, 0.03)
    delayed = 1 - config.scintillator.gamma_shares()[0]
    assert delayed == pytest.approx(1.1 * (1 - DETECTORS["EJ-276"].gamma_shares()[0]))


def test_pulses_have_the_light_and_the_samples_of_the_file(tmp_path: Path) -> None:
    pulses = simulate(read_detector_file(written(tmp_path, VALUES)).config(2000, seed=4))
    light = pulses.column("energy_kevee")
    assert pulses.samples.shape == (2000, 200)
    assert light.min() >= 100
    assert light.max() <= 900
    assert (light < 400).mean() == pytest.approx(0.8, abs=0.03)
    assert np.median(pulses.samples[:, :20]) == pytest.approx(300, abs=2)


def test_an_option_wins_over_the_file(tmp_path: Path) -> None:
    file = read_detector_file(written(tmp_path, VALUES))
    config = file.config(10, noise_adc=5.0, spectrum="flat", pileup_fraction=0.0)
    assert (config.digitizer_as_run.noise_adc, config.spectrum, config.pileup_fraction) == (5.0, "flat", 0.0)


def test_what_is_written_is_read_again_alike(tmp_path: Path) -> None:
    file = read_detector_file(written(tmp_path, VALUES))
    again = tmp_path / "again.yaml"
    again.write_text(detector_yaml(file), encoding="utf-8")
    assert read_detector_file(again) == file


def test_the_same_file_gives_the_settings_to_read_runs_with(tmp_path: Path) -> None:
    settings = read_settings(written(tmp_path, VALUES))
    assert (settings.name, settings.sample_period_ns, settings.adc_bits) == ("my plastic", 2.0, 12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scintillator": "NaI"}, "unknown scintillator 'NaI'"),
        ({"noise": 3}, "noise: Extra inputs"),
        ({"light": {"kevee": [3.0, 2.0], "cumulative": [0.0, 1.0]}}, "kevee must rise"),
        ({"noise_adc": -1.0}, "noise_adc"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    values = VALUES | {"simulation": VALUES["simulation"] | change}
    with pytest.raises(SettingsError, match=message):
        read_detector_file(written(tmp_path, values))


def test_settings_alone_cannot_be_simulated(tmp_path: Path) -> None:
    path = written(tmp_path, {name: value for name, value in VALUES.items() if name != "simulation"})
    with pytest.raises(SettingsError, match=r"no section 'simulation'.*--like RUN"):
        read_detector_file(path)


def test_what_the_simulator_must_know_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, {name: value for name, value in VALUES.items() if name != "adc_bits"})
    with pytest.raises(SettingsError, match="adc_bits is missing"):
        read_detector_file(path)


def test_a_detector_is_a_file_by_its_suffix_or_because_it_is_there(tmp_path: Path) -> None:
    assert is_detector_file("mine.yaml")
    assert not is_detector_file("BC501A")
    assert is_detector_file(str(written(tmp_path, VALUES)))


def test_the_schema_is_checked_in_python_too() -> None:
    with pytest.raises(ValueError, match="polarity is missing"):
        DetectorFile.model_validate({"settings": {"sample_period_ns": 2.0}, "simulation": VALUES["simulation"]})
