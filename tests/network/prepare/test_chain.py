"""The whole preparation: invariances, invalid pulses, and what the description promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discrimen.errors import DataError, SettingsError
from discrimen.network.preparation import Preparation, one_channel
from discrimen.network.prepare import prepare

PREPARATION = one_channel(
    sample_period_ns=10, polarity=1, baseline_start=0, baseline_stop=4, window_start=0, window_length=12
)
SHAPE = np.array([0, 0, 0, 0, 0, 2, 8, 10, 6, 4, 2, 1])


def changed(**changes: object) -> Preparation:
    """Return the preparation with other values, those of its only channel included."""
    plain = PREPARATION.as_dict()
    of_channel = {name: changes.pop(name) for name in tuple(changes) if name in plain["channels"][0]}
    return Preparation.from_dict(plain | {"channels": [plain["channels"][0] | of_channel]} | changes)


@given(gain=st.integers(1, 50), offset=st.integers(0, 60_000), negative=st.booleans())
def test_gain_offset_and_polarity_do_not_change_the_input(gain: int, offset: int, negative: bool) -> None:
    sign = -1 if negative else 1
    samples = (offset + sign * gain * SHAPE + (1000 if negative else 0))[np.newaxis].astype(np.int32)
    prepared = prepare(samples, changed(polarity=sign))
    assert prepared.valid.all()
    assert prepared.waveforms[0, 0] == pytest.approx(SHAPE / 10, abs=1e-6)


def test_peak_scaling_reaches_one_and_area_scaling_sums_to_one() -> None:
    samples = (500 + 7 * SHAPE)[np.newaxis].astype(np.uint16)
    assert prepare(samples, PREPARATION).waveforms.max() == 1
    assert prepare(samples, changed(scale="area")).waveforms.sum() == pytest.approx(1)
    assert prepare(samples, changed(scale="none")).waveforms.max() == 70


def test_aligned_pulses_look_alike_wherever_they_start() -> None:
    preparation = changed(window_length=8, alignment={"fraction": 0.3, "position": 3, "interpolate": False})
    early = np.concatenate([SHAPE, np.zeros(4, int)])
    samples = np.stack([early, np.roll(early, 3)]).astype(np.int16)
    first, second = prepare(samples, preparation).waveforms[:, 0]
    assert np.array_equal(first, second)
    assert first[3] < 0.3 <= first[4]


@pytest.mark.parametrize("scale", ["peak", "area", "none"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_no_number_makes_the_pulse_invalid(scale: str, bad: float) -> None:
    samples = np.stack([SHAPE, SHAPE]).astype(np.float32)
    samples[1, 8] = bad
    with np.errstate(invalid="ignore"):
        prepared = prepare(samples, changed(scale=scale))
    assert prepared.valid.tolist() == [True, False]
    assert np.isfinite(prepared.waveforms).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_outside_baseline_and_window_only_an_alignment_minds_such_a_sample(bad: float) -> None:
    samples = np.append(SHAPE, np.zeros(20)).astype(np.float32)[np.newaxis]
    samples[0, 30] = bad
    alignment = {"fraction": 0.3, "position": 3, "interpolate": False}
    with np.errstate(invalid="ignore"):
        assert prepare(samples, changed()).valid.all()
        assert not prepare(samples, changed(alignment=alignment)).valid.any()


def test_samples_near_the_largest_float_are_prepared() -> None:
    samples = (SHAPE * np.float32(3e37))[np.newaxis].astype(np.float32)
    prepared = prepare(samples, changed())
    assert prepared.valid.all()
    assert prepared.waveforms[0].max() == 1


def test_pulse_that_never_rises_is_invalid_where_something_is_divided_by_its_peak() -> None:
    flat = np.full(12, 77)
    dip = 77 - SHAPE
    samples = np.stack([flat, dip, 77 + SHAPE]).astype(np.uint16)
    for scale in ("peak", "area"):
        prepared = prepare(samples, changed(scale=scale))
        assert prepared.valid.tolist() == [False, False, True]
        assert np.isfinite(prepared.waveforms).all()


def test_pulse_that_never_rises_is_prepared_where_nothing_is_divided() -> None:
    samples = np.stack([np.full(12, 77), 77 - SHAPE]).astype(np.uint16)
    prepared = prepare(samples, changed(scale="none"))
    assert prepared.valid.all()
    assert prepared.waveforms[:, 0].tolist() == [[0] * 12, (-SHAPE).tolist()]


@pytest.mark.parametrize("baseline", [3, 15_000, 60_000])
def test_the_same_counts_of_any_type_give_the_same_input(baseline: int) -> None:
    rng = np.random.default_rng(5)
    counts = baseline + np.rint(rng.normal(0, 3, (200, 12)) + 200 * SHAPE / 10)
    counts = np.clip(counts, 0, 65535)
    exact = prepare(counts.astype(np.int64), PREPARATION, dtype=np.float64).waveforms
    for kind in (np.uint16, np.int32, np.uint32, np.int64, np.float32, np.float64):
        found = prepare(counts.astype(kind), PREPARATION).waveforms
        assert np.abs(found - exact).max() < 3e-7, kind
    shifted = (counts - 32768).astype(np.int16)
    assert np.abs(prepare(shifted, PREPARATION).waveforms - exact).max() < 3e-7


def test_short_record_is_refused_with_both_lengths() -> None:
    with pytest.raises(DataError, match=r"at least 12 samples.*got 11"):
        prepare(np.zeros((1, 11), np.uint16), PREPARATION)


def test_chunks_equal_the_whole() -> None:
    rng = np.random.default_rng(1)
    samples = rng.integers(0, 4000, (50, 12)).astype(np.uint16)
    preparation = changed(alignment={"fraction": 0.4, "position": 2})
    whole = prepare(samples, preparation)
    parts = [prepare(samples[at : at + 7], preparation) for at in range(0, 50, 7)]
    assert np.array_equal(np.concatenate([part.waveforms for part in parts]), whole.waveforms)
    assert np.array_equal(np.concatenate([part.valid for part in parts]), whole.valid)


def test_description_survives_the_way_through_plain_data() -> None:
    preparation = changed(alignment={"fraction": 0.4, "position": 2}, scale="area")
    assert Preparation.from_dict(preparation.as_dict()) == preparation


@pytest.mark.parametrize(
    "fault",
    [
        {"polarity": 0},
        {"baseline_start": 5},
        {"window_start": -1},
        {"reference": 1},
        {"channels": []},
        {"window_length": 0},
        {"scale": "max"},
        {"sample_period_ns": 0.0},
        {"alignment": {"fraction": 1.5, "position": 0}},
        {"gain": 3},
    ],
)
def test_impossible_descriptions_are_refused(fault: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        changed(**fault)
