"""Each step of the preparation against cases that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discrimen.errors import DataError
from discrimen.network.prepare import constant_fraction_crossing, gather_window, subtract_baseline


def test_baseline_ignores_the_pulse() -> None:
    quiet = np.full((1, 20), 900, np.uint16)
    pulse = quiet.copy()
    pulse[0, 8:] -= 300
    for samples in (quiet, pulse):
        _, baseline_adc = subtract_baseline(samples, start=0, stop=8, polarity=-1)
        assert baseline_adc[0] == 900


def test_negative_pulse_is_turned_upwards_without_wrapping() -> None:
    samples = np.array([[1000, 1000, 0, 65535]], np.uint16)
    waveforms, _ = subtract_baseline(samples, start=0, stop=2, polarity=-1)
    assert waveforms.tolist() == [[0, 0, 1000, -64535]]


@pytest.mark.parametrize("dtype", [np.int32, np.uint32])
def test_a_pulse_on_a_high_baseline_of_32_bits_keeps_its_counts(dtype: type[np.integer]) -> None:
    samples = np.full((1, 6), 2_000_000_001, dtype)
    samples[0, 4] += 100
    waveforms, _ = subtract_baseline(samples, start=0, stop=3, polarity=1)
    assert waveforms.dtype == np.float32
    assert waveforms.tolist() == [[0, 0, 0, 0, 100, 0]]


def test_record_shorter_than_the_baseline_window_is_refused() -> None:
    with pytest.raises(DataError, match="ends at sample 8, but the records have 5"):
        subtract_baseline(np.zeros((1, 5), np.uint16), start=0, stop=8, polarity=1)


def test_crossing_is_interpolated_on_the_leading_edge() -> None:
    waveforms = np.array([[0, 0, 0, 4, 8, 10, 3, 0]], np.float32)
    assert constant_fraction_crossing(waveforms, fraction=0.2)[0] == pytest.approx(2.5)
    assert constant_fraction_crossing(waveforms, fraction=0.6)[0] == pytest.approx(3.5)


def test_crossing_takes_the_edge_of_the_peak_not_an_earlier_bump() -> None:
    waveforms = np.array([[0, 6, 0, 0, 5, 10, 0]], np.float32)
    assert constant_fraction_crossing(waveforms, fraction=0.4)[0] == pytest.approx(3.8)


def test_pulse_without_leading_edge_has_no_crossing() -> None:
    waveforms = np.array([[0, 0, 0, 0], [-1, -2, -3, -1], [9, 5, 3, 1]], np.float32)
    assert np.isnan(constant_fraction_crossing(waveforms, fraction=0.5)).all()


@given(gain=st.floats(0.01, 100), shift=st.integers(0, 5))
def test_crossing_moves_with_the_pulse_and_not_with_the_gain(gain: float, shift: int) -> None:
    shape = np.array([0, 0, 1, 7, 10, 6, 3, 2, 1, 0, 0, 0, 0], np.float32)
    at_rest = constant_fraction_crossing(shape[np.newaxis], fraction=0.35)[0]
    moved = np.roll(shape, shift)[np.newaxis] * np.float32(gain)
    assert constant_fraction_crossing(moved, fraction=0.35)[0] == pytest.approx(at_rest + shift, abs=1e-4)


def test_window_beyond_the_record_is_baseline() -> None:
    waveforms = np.array([[1, 2, 3, 4]], np.float32)
    start = np.array([-2], np.float32)
    assert gather_window(waveforms, start=start, length=4, interpolate=False).tolist() == [[0, 0, 1, 2]]
    start = np.array([3], np.float32)
    assert gather_window(waveforms, start=start, length=3, interpolate=False).tolist() == [[4, 0, 0]]


def test_interpolated_window_of_a_ramp_is_exact() -> None:
    ramp = np.arange(10, dtype=np.float32)[np.newaxis]
    window = gather_window(ramp, start=np.array([2.25], np.float32), length=4, interpolate=True)
    assert window.tolist() == [[2.25, 3.25, 4.25, 5.25]]
