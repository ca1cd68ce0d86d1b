"""Pulses check themselves once, on construction, and select and join without losing a column."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discrimen.errors import DataError, SettingsError
from discrimen.pulses import COLUMNS, FAKE_FLAGS, Label, PulseFlag, Pulses, concatenate


def make(n: int = 4, length: int = 6, **columns: object) -> Pulses:
    samples = np.arange(n * length, dtype=np.uint16).reshape(n, length)
    return Pulses(samples=samples, sample_period_ns=2.0, **columns)  # type: ignore[arg-type]


def all_columns(n: int) -> dict[str, np.ndarray]:
    return {name: np.arange(n).astype(dtype) for name, dtype in COLUMNS.items()}


def test_samples_keep_the_type_of_the_digitizer() -> None:
    for dtype in (np.uint8, np.int16, np.uint16, np.int32, np.float32):
        assert Pulses(samples=np.zeros((2, 3), dtype), sample_period_ns=1.0).samples.dtype == dtype


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros(5, np.uint16), "shape"),
        (np.zeros((5, 0), np.uint16), "zero length"),
        (np.zeros((2, 3), np.float64), "float64"),
        (np.zeros((2, 3), np.int64), "int64"),
        (np.array([[1.0, np.nan]], np.float32), "NaN"),
    ],
)
def test_samples_that_are_no_waveforms_are_refused(samples: np.ndarray, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        Pulses(samples=samples, sample_period_ns=1.0)


@pytest.mark.parametrize("period", [0.0, -1.0, float("nan"), float("inf")])
def test_sampling_period_must_be_positive_and_finite(period: float) -> None:
    with pytest.raises(DataError, match="sample_period_ns"):
        Pulses(samples=np.zeros((1, 2), np.uint16), sample_period_ns=period)


def test_unknown_sampling_period_is_named_when_it_is_needed() -> None:
    pulses = Pulses(samples=np.zeros((1, 2), np.uint16), sample_period_ns=None)
    with pytest.raises(SettingsError, match="--sample-period-ns"):
        pulses.require_sample_period_ns()


def test_columns_get_their_type() -> None:
    pulses = make(channel=[0, 1, 2, 3], energy=np.array([1, 2, 3, 4], np.uint16))
    assert pulses.column("channel").dtype == np.int32
    assert pulses.column("energy").dtype == np.float64


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ({"label": [0, 1]}, r"shape \(4,\)"),
        ({"label": [0, 1, 300, 0]}, "beyond the range"),
        ({"timestamp_ps": [0.5, 1.0, 2.0, 3.0]}, "must be int64"),
        ({"channel": ["a", "b", "c", "d"]}, "must be int32"),
    ],
)
def test_columns_that_do_not_fit_are_refused(column: dict[str, list[object]], reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        make(**column)


def test_absent_column_is_an_error_that_lists_what_is_there() -> None:
    with pytest.raises(DataError, match=r"no column 'label'.*channel"):
        make(channel=[0, 1, 2, 3]).column("label")


@given(mask=st.lists(st.booleans(), min_size=7, max_size=7))
def test_selection_takes_every_column_along(mask: list[bool]) -> None:
    pulses = make(7, **all_columns(7))
    chosen = pulses[np.array(mask)]
    kept = np.flatnonzero(mask)
    assert len(chosen) == len(kept)
    assert np.array_equal(chosen.samples, pulses.samples[kept])
    for name, column in chosen.columns().items():
        assert np.array_equal(column, pulses.column(name)[kept]), name


@given(cuts=st.lists(st.integers(0, 9), max_size=4))
def test_parts_joined_equal_the_whole(cuts: list[int]) -> None:
    whole = make(9, **all_columns(9))
    edges = [0, *sorted(cuts), 9]
    joined = concatenate(whole[a:b] for a, b in pairwise(edges))
    assert np.array_equal(joined.samples, whole.samples)
    assert all(np.array_equal(joined.column(name), whole.column(name)) for name in COLUMNS)


def test_joining_unlike_pulses_is_refused() -> None:
    other_period = make().replace(sample_period_ns=4.0)
    for other, reason in ((make(length=7), "n_samples"), (other_period, "sample_period_ns")):
        with pytest.raises(DataError, match=reason):
            concatenate([make(), other])
    with pytest.raises(DataError, match="nothing to join"):
        concatenate([])


def test_labelled_leaves_out_the_unknown() -> None:
    pulses = make(label=[Label.GAMMA, Label.UNKNOWN, Label.NEUTRON, Label.UNKNOWN])
    assert list(pulses.labelled().column("label")) == [0, 1]


def test_every_kind_of_fake_event_is_known() -> None:
    assert {flag.name for flag in PulseFlag if flag & FAKE_FLAGS} == {
        "FAKE",
        "FAKE_PLL_LOCK_LOSS",
        "FAKE_OVER_TEMPERATURE",
        "FAKE_ADC_SHUTDOWN",
    }
