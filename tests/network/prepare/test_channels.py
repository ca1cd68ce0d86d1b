"""Preparation of several channels: a common time and scale, signed transients, absent channels, the way back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discrimen.errors import DataError, SettingsError
from discrimen.network.preparation import Alignment, Channel, Preparation
from discrimen.network.prepare import arranged, arrangement_for, prepare

SHAPE = np.array([0, 0, 0, 0, 0, 2, 8, 10, 6, 4, 2, 1], dtype=np.float64)
TRANSIENT = np.array([0, 0, 0, 0, 0, -1, -3, 2, 1, 0, 0, 0], dtype=np.float64)

PREPARATION = Preparation(
    sample_period_ns=10,
    channels=(
        Channel(name="core", polarity=-1, baseline_stop=4),
        Channel(name="segment", polarity=1, baseline_stop=4, window_start=1),
    ),
    window_length=10,
)


def hit(*, gain: float = 10.0, core_adc: float = 9000.0, segment_adc: float = 500.0) -> np.ndarray:
    return np.rint(np.stack([core_adc - gain * SHAPE, segment_adc + gain * TRANSIENT]))[np.newaxis].astype(np.int32)


def test_each_channel_has_its_own_polarity_baseline_and_window() -> None:
    (core, segment) = prepare(hit(), PREPARATION).waveforms[0]
    assert core == pytest.approx(SHAPE[:10] / 10)
    assert segment == pytest.approx(TRANSIENT[1:11] / 10)


def test_all_channels_share_the_divisor_of_the_reference() -> None:
    by_segment = replace(PREPARATION, reference=1)
    core, segment = prepare(hit(), by_segment).waveforms[0]
    assert segment.max() == pytest.approx(1)
    assert core == pytest.approx(SHAPE[:10] / 2)
    by_area = replace(PREPARATION, scale="area", reference=0)
    core, segment = prepare(hit(), by_area).waveforms[0]
    assert core.sum() == pytest.approx(1)
    assert segment == pytest.approx(TRANSIENT[1:11] / SHAPE[:10].sum())


def test_without_a_reference_the_highest_channel_of_each_pulse_is_it() -> None:
    strong_segment = hit()
    strong_segment[0, 1] = 500 + 700 * SHAPE
    prepared = prepare(np.concatenate([hit(), strong_segment]), PREPARATION)
    assert prepared.waveforms.max(axis=2).argmax(axis=1).tolist() == [0, 1]
    assert prepared.waveforms.max(axis=(1, 2)) == pytest.approx([1, 1])


def test_all_channels_share_the_time_of_the_reference() -> None:
    aligned = replace(PREPARATION, alignment=Alignment(fraction=0.5, position=3), reference=0, window_length=6)
    early, late = (np.pad(hit(), ((0, 0), (0, 0), (before, 6 - before)), mode="edge") for before in (0, 4))
    first, second = prepare(np.concatenate([early, late]), aligned).waveforms
    assert np.array_equal(first, second)
    assert first[0, 3] < 0.5 <= first[0, 4]
    assert first[1] == pytest.approx(TRANSIENT[3:9] / 10)


def test_absent_channels_hold_zeros_and_are_no_reference() -> None:
    masked = replace(PREPARATION, masked=True)
    samples = np.concatenate([hit()] * 4)
    present = np.array([[1, 1], [1, 0], [0, 1], [0, 0]])
    prepared = prepare(samples, masked, present=present)
    assert prepared.valid.tolist() == [True, True, True, False]
    assert (prepared.waveforms[1, 1] == 0).all()
    assert prepared.restoration.baseline_adc[1].tolist() == [9000, 0]
    assert (prepared.waveforms[2, 0] == 0).all()
    assert prepared.waveforms[2, 1].max() == pytest.approx(1)
    fixed = prepare(samples, replace(masked, reference=0), present=present)
    assert fixed.valid.tolist() == [True, True, False, False]


def test_absent_channels_are_refused_by_a_model_that_needs_them() -> None:
    with pytest.raises(DataError, match="needs all of them"):
        prepare(hit(), PREPARATION, present=np.array([[1, 0]]))
    assert prepare(hit(), PREPARATION, present=np.array([[1, 1]])).valid.all()


def test_a_sample_that_is_no_number_counts_only_where_its_channel_is_there() -> None:
    samples = hit().astype(np.float32)
    samples[0, 1, 6] = np.nan
    masked = replace(PREPARATION, masked=True)
    assert not prepare(samples, masked).valid.any()
    assert prepare(samples, masked, present=np.array([[1, 0]])).valid.all()


@pytest.mark.parametrize("interpolate", [False, True])
def test_prepared_waveforms_lead_back_to_the_record(interpolate: bool) -> None:
    preparation = replace(
        PREPARATION,
        alignment=Alignment(fraction=0.5, position=3, interpolate=interpolate),
        reference=0,
        window_length=6,
    )
    samples = hit()
    prepared = prepare(samples, preparation, dtype=np.float64)
    (adc,) = prepared.restoration.to_adc(prepared.waveforms, preparation)
    for number, channel in enumerate(preparation.channels):
        at = prepared.restoration.start[0] + channel.window_start + np.arange(6)
        assert adc[number] == pytest.approx(np.interp(at, np.arange(12), samples[0, number]), abs=1e-4)


def test_a_channel_without_baseline_window_is_taken_as_it_is() -> None:
    code = Preparation(sample_period_ns=1, channels=(Channel(name="code"),), window_length=4, scale="none")
    values = np.array([[1.5, -2.0, 0.25, 0.0]], dtype=np.float32)
    prepared = prepare(values, code)
    assert prepared.valid.all()
    assert np.array_equal(prepared.waveforms[:, 0], values)


def test_pulses_of_other_channels_are_refused_with_both_shapes() -> None:
    with pytest.raises(DataError, match=r"\(pulse, 2, sample\), got \(1, 3, 12\)"):
        prepare(np.zeros((1, 3, 12), np.int16), PREPARATION)
    with pytest.raises(DataError, match=r"got \(1, 12\)"):
        prepare(np.zeros((1, 12), np.int16), PREPARATION)


def test_what_knows_one_channel_refuses_several_by_name() -> None:
    with pytest.raises(SettingsError, match="one channel; this one has 2: core, segment"):
        _ = PREPARATION.only


@pytest.mark.parametrize(
    ("shape", "expected"), [((2, 10), "channel_sample"), ((10, 2), "sample_channel"), ((20,), "flat")]
)
def test_networks_made_elsewhere_get_the_layout_that_they_take(shape: tuple[int, ...], expected: str) -> None:
    waveforms = prepare(hit(), PREPARATION).waveforms
    arrangement = arrangement_for(shape, PREPARATION)
    assert arrangement == expected
    laid_out = arranged(waveforms, arrangement)
    assert laid_out.shape == (1, *shape)
    assert np.array_equal(np.sort(laid_out.ravel()), np.sort(waveforms.ravel()))


def test_a_shape_that_does_not_fit_is_refused_with_those_that_do() -> None:
    with pytest.raises(SettingsError, match=r"\(3, 10\).*2 channels of 10 samples.*\(2, 10\), \(10, 2\) or \(20,\)"):
        arrangement_for((3, 10), PREPARATION)
