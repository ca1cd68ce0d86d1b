"""The plane of charge comparison that band labels are cut in."""

from __future__ import annotations

import numpy as np

from discrimen.labelling.plane import plane_of_pulses
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings, GatesNs, WindowNs, validate_settings


def test_pulses_that_the_adc_cut_off_have_no_psd() -> None:
    rng = np.random.default_rng(4)
    shape = np.concatenate([np.zeros(20), np.exp(-np.arange(80) / 10)])
    samples = np.clip(600 - rng.uniform(100, 1500, (200, 1)) * shape, 0, 1023)
    pulses = Pulses(samples=np.rint(samples).astype(np.uint16), sample_period_ns=2.0, entry=np.arange(200))
    settings = DetectorSettings(
        polarity="negative",
        baseline=WindowNs(start_ns=0, stop_ns=30),
        gates=GatesNs(gate_start_ns=-10, short_gate_end_ns=20, long_gate_end_ns=100),
    )
    plane = plane_of_pulses(pulses, settings)
    cut_off = pulses.samples.min(axis=1) == 0
    assert 50 < cut_off.sum() < 190
    assert np.isnan(plane.psd[cut_off]).all()
    assert np.isfinite(plane.psd[~cut_off]).all()


def test_each_channel_is_integrated_with_its_own_settings() -> None:
    rng = np.random.default_rng(5)
    shape = np.concatenate([np.zeros(20), np.exp(-np.arange(80) / 10)])
    channel = rng.integers(0, 3, 60).astype(np.int32)
    sign = np.where(channel == 2, 1, -1)[:, np.newaxis]
    samples = 5000 + sign * rng.uniform(100, 1500, (60, 1)) * shape
    pulses = Pulses(samples=np.rint(samples).astype(np.uint16), sample_period_ns=2.0, channel=channel)
    gates = {"gate_start_ns": -10, "short_gate_end_ns": 20, "long_gate_end_ns": 100}
    array = validate_settings(
        {
            "polarity": "negative",
            "baseline": {"start_ns": 0, "stop_ns": 30},
            "gates": gates,
            "channels": [
                {"channel": 0},
                {"channel": 1, "gates": gates | {"short_gate_end_ns": 40}},
                {"channel": 2, "polarity": "positive"},
            ],
        },
        source="test",
    )
    plane = plane_of_pulses(pulses, array)
    np.testing.assert_array_equal(plane.channel, channel)
    for number in range(3):
        here = channel == number
        alone = plane_of_pulses(pulses[here], array.of(0, number))
        np.testing.assert_array_equal(plane.psd[here], alone.psd)
        np.testing.assert_array_equal(plane.energy[here], alone.energy)
        assert (alone.energy > 0).all()
    assert np.median(plane.psd[channel == 1]) < np.median(plane.psd[channel == 0]) - 0.1
