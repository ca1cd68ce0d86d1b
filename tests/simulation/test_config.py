from __future__ import annotations

from typing import Any

import pytest

from discrimen.errors import SettingsError
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.digitizer import DIGITIZERS
from discrimen.simulation.scintillator import DETECTORS
from discrimen.simulation.settings import detector_settings


def test_the_defaults_are_the_benchmark() -> None:
    config = SimulationConfig(n_pulses=1)
    digitizer = config.digitizer_as_run
    assert (digitizer.n_samples, digitizer.sample_period_ns, digitizer.adc_bits) == (75, 10.0, 14)
    assert digitizer.noise_adc == 3.0
    assert config.scintillator.photoelectrons_per_kev == 1.7
    assert config.share_of_neutrons == 0.5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_pulses": 0}, "n_pulses must be a whole number from 1"),
        ({"n_pulses": 2.5}, "n_pulses must be a whole number"),
        ({"neutron_fraction": 1.5}, "neutron_fraction must be a number from 0 to 1, got 1.5"),
        ({"detector": "NaI"}, "unknown detector 'NaI'; choose one of: BC501A"),
        ({"digitizer": "V1730"}, "unknown digitizer"),
        ({"spectrum": "Ra-226"}, "unknown spectrum"),
        ({"energy_min_kevee": float("nan")}, "energy_min_kevee must be a number"),
        ({"energy_min_kevee": 500.0, "energy_max_kevee": 400.0}, "must lie above energy_min_kevee, got 400 and 500"),
        ({"spectrum": "Co-60", "neutron_fraction": 0.5}, "Co-60 has no neutrons"),
        ({"polarity": "up"}, "polarity must be positive or negative"),
        ({"pretrigger_ns": 750.0}, "pretrigger_ns must lie within the record of 750 ns"),
        ({"noise_adc": -1.0}, "noise_adc must be a number from 0"),
        ({"pileup_fraction": 2.0}, "pileup_fraction"),
        ({"rate_hz": 0.0}, "rate_hz"),
        ({"seed": -1}, "seed"),
        ({"seed": 1 + 5 * 2**32}, "seed"),
        ({"photoelectrons_per_kev": 900.0}, "million photoelectrons"),
    ],
)
def test_values_that_do_not_fit_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        SimulationConfig(**({"n_pulses": 10} | values))


def test_a_gamma_source_needs_no_neutron_fraction() -> None:
    assert SimulationConfig(n_pulses=1, spectrum="Cs-137").share_of_neutrons == 0


def test_given_values_replace_those_of_the_digitizer() -> None:
    config = SimulationConfig(n_pulses=1, noise_adc=7.0, polarity="positive", n_samples=100, photoelectrons_per_kev=3.0)
    digitizer = config.digitizer_as_run
    assert (digitizer.noise_adc, digitizer.polarity, digitizer.n_samples) == (7.0, "positive", 100)
    assert config.scintillator.photoelectrons_per_kev == 3.0


@pytest.mark.parametrize("digitizer", DIGITIZERS)
@pytest.mark.parametrize("detector", DETECTORS)
def test_detector_settings_describe_the_run(detector: str, digitizer: str) -> None:
    settings = detector_settings(SimulationConfig(n_pulses=1, detector=detector, digitizer=digitizer))
    as_run = DIGITIZERS[digitizer]
    assert settings.sample_period_ns == as_run.sample_period_ns
    assert (settings.polarity, settings.adc_bits) == (as_run.polarity, as_run.adc_bits)
    assert settings.gates is not None
    assert as_run.pretrigger_ns + settings.gates.long_gate_end_ns < as_run.record_ns
    assert settings.baseline is not None
    assert settings.baseline.stop_ns <= as_run.pretrigger_ns - 15


def test_a_record_too_short_for_the_gates_is_refused() -> None:
    with pytest.raises(SettingsError, match="raise n_samples or lower pretrigger_ns"):
        detector_settings(SimulationConfig(n_pulses=1, n_samples=18))
