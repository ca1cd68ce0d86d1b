"""The front end on chip: analytic pulses, and a plain loop over the clock as the measure of the vectorised one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discrimen.errors import DataError, SettingsError
from discrimen.fpga.front_end import FrontEnd

PLAIN = FrontEnd(polarity="positive", gap=8, threshold_adc=20, before=5, length=40)
PULSE = np.array([100, 400, 1000, 800, 600, 300, 100, 50])


def stream_of(*starts: int, length: int = 200, pedestal: int = 500, pulse: np.ndarray = PULSE) -> np.ndarray:
    stream = np.full(length, pedestal)
    for start in starts:
        stream[start : start + len(pulse)] += pulse
    return stream


def by_the_clock(front_end: FrontEnd, stream: np.ndarray) -> list[tuple[int, int, list[int]]]:
    """Return trigger, baseline and window by walking along the stream as the module's text says."""
    turned = front_end.highest_adc - stream if front_end.polarity == "negative" else stream
    s = [int(value) for value in turned]

    def sample(t: int) -> int:
        return s[max(t, 0)]

    def baseline(t: int) -> int:
        return sum(sample(t - front_end.gap - i) for i in range(front_end.n_mean)) // front_end.n_mean

    found, t = [], front_end.settling
    while t + front_end.peak_samples <= len(s):
        b = baseline(t)
        if s[t - 1] - baseline(t - 1) < front_end.threshold_adc <= s[t] - b:
            peak = max(s[t + i] - b for i in range(front_end.peak_samples))
            t0 = next(t + i for i in range(len(s)) if 16 * (s[t + i] - b) >= front_end.fraction_16 * peak)
            first = t0 - front_end.before
            if first + front_end.length <= len(s):
                found.append((t0, b, [v - b for v in s[first : first + front_end.length]]))
                t = first + front_end.length - 1
        t += 1
    return found


def test_trigger_is_the_first_sample_at_five_sixteenths_of_the_peak() -> None:
    found = PLAIN.windows(stream_of(60))
    assert found.trigger.tolist() == [61], "100 arms, 400 is the first above 312.5"
    assert found.baseline.tolist() == [500]
    assert found.values[0].tolist() == [0] * 4 + PULSE.tolist() + [0] * 28
    assert replace(PLAIN, fraction_16=1).windows(stream_of(60)).trigger.tolist() == [60]
    assert replace(PLAIN, fraction_16=16).windows(stream_of(60)).trigger.tolist() == [62]


def test_fraction_is_reached_by_equality() -> None:
    pulse = np.array([311, 312, 313, 1000])
    assert PLAIN.windows(stream_of(60, pulse=pulse)).trigger.tolist() == [62]
    pulse = np.array([249, 250, 800])
    assert PLAIN.windows(stream_of(60, pulse=pulse)).trigger.tolist() == [61]


@pytest.mark.parametrize("height", [19, 20])
def test_threshold_arms_from_its_own_value(height: int) -> None:
    assert len(PLAIN.windows(stream_of(60, pulse=np.array([height]))).trigger) == (height == 20)


def test_trigger_does_not_walk_with_the_height() -> None:
    for factor in (0.3, 1, 8):
        found = PLAIN.windows(stream_of(60, pulse=(PULSE * factor).astype(int)))
        assert found.trigger.tolist() == [61], factor


@pytest.mark.parametrize("moved", [-100, 100])
@pytest.mark.parametrize("polarity", ["positive", "negative"])
def test_moved_pedestal_gives_the_very_same_windows(moved: int, polarity: str) -> None:
    front_end = FrontEnd(polarity=polarity)  # type: ignore[arg-type]
    rng = np.random.default_rng(3)
    stream = stream_of(80, 300, 520, length=700, pedestal=1400) + rng.integers(-6, 7, 700)
    stream = 16383 - stream if polarity == "negative" else stream
    there, moved_there = front_end.windows(stream), front_end.windows(stream + moved)
    assert len(there.trigger) == 3
    np.testing.assert_array_equal(there.values, moved_there.values)
    np.testing.assert_array_equal(there.trigger, moved_there.trigger)
    assert np.unique(np.abs(moved_there.baseline - there.baseline)).tolist() == [100]


def test_falling_pulses_give_the_windows_of_rising_ones() -> None:
    stream = stream_of(60, 120)
    rising, falling = PLAIN.windows(stream), replace(PLAIN, polarity="negative").windows(16383 - stream)
    assert len(rising.trigger) == 2
    for one, other in zip(rising, falling, strict=True):
        np.testing.assert_array_equal(one, other)


def test_mean_is_truncated() -> None:
    stream = stream_of(60)
    stream[60 - PLAIN.gap - 7 : 60 - PLAIN.gap + 1] += [0, 1, 1, 1, 1, 1, 1, 1]
    assert PLAIN.windows(stream).baseline.tolist() == [500], "500 and 7/8"
    stream[60 - PLAIN.gap] += 1
    assert PLAIN.windows(stream).baseline.tolist() == [501]


def test_mean_ends_the_gap_before_the_sample_that_arms() -> None:
    stream = stream_of(60)
    stream[60 - PLAIN.gap + 1 : 60] += 15
    assert PLAIN.windows(stream).baseline.tolist() == [500]


def test_gap_shorter_than_a_slow_edge_takes_the_edge_for_baseline() -> None:
    slow = np.concatenate([np.arange(1, 13), [400, 1000, 500, 100]])  # the mean of 4 ... 11 is 7.5
    assert replace(PLAIN, gap=2).windows(stream_of(60, pulse=slow)).baseline.tolist() == [507]
    assert replace(PLAIN, gap=16).windows(stream_of(60, pulse=slow)).baseline.tolist() == [500]


def test_saturated_pulse_triggers_at_the_same_sample() -> None:
    stream = np.minimum(stream_of(60, pulse=PULSE * 20), 16383)
    found = PLAIN.windows(stream)
    assert found.trigger.tolist() == [61]
    assert found.values.max() == 16383 - 500
    low, high = PLAIN.value_range
    assert low <= found.values.min()
    assert found.values.max() <= high


def test_no_second_trigger_until_the_last_sample_of_the_window() -> None:
    last = 61 - PLAIN.before + PLAIN.length - 1
    assert PLAIN.windows(stream_of(60, last)).trigger.tolist() == [61], "dead at the last sample of the window"
    assert PLAIN.windows(stream_of(60, last + 1)).trigger.tolist() == [61, last + 2]


def test_back_to_back_pulses_are_all_found_and_keep_their_piled_up_samples() -> None:
    found = PLAIN.windows(stream_of(60, 68, 96, 150))
    assert found.trigger.tolist() == [61, 97, 151]
    assert found.values[0][12:20].tolist() == PULSE.tolist()


def test_nothing_arms_while_it_settles_and_no_window_is_cut_off() -> None:
    settling = PLAIN.settling
    assert settling == 8 + 8 + 5
    assert len(PLAIN.windows(stream_of(settling - 1)).trigger) == 0
    assert len(PLAIN.windows(stream_of(settling)).trigger) == 1
    end = 61 - PLAIN.before + PLAIN.length
    assert len(PLAIN.windows(stream_of(60)[:end]).trigger) == 1
    assert len(PLAIN.windows(stream_of(60)[: end - 1]).trigger) == 0


@pytest.mark.parametrize("value", [0, 16383])
def test_constant_and_empty_streams_give_no_window(value: int) -> None:
    assert PLAIN.windows(np.full(500, value)).values.shape == (0, 40)
    assert PLAIN.windows(np.zeros(0, dtype=int)).values.shape == (0, 40)
    assert PLAIN.windows(np.full(3, value)).values.shape == (0, 40)


@given(seed=st.integers(0, 10**6), n_mean_log2=st.integers(0, 4), gap=st.integers(1, 20), width=st.integers(0, 60))
@settings(max_examples=40, deadline=None)
def test_equals_a_plain_walk_along_the_clock(seed: int, n_mean_log2: int, gap: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    front_end = replace(PLAIN, n_mean_log2=n_mean_log2, gap=gap, polarity=rng.choice(["positive", "negative"]).item())
    stream = rng.integers(0, 2 + width, 400) + 500
    for start in rng.integers(0, 390, 12):
        stream[start : start + 8] += (PULSE[: 400 - start] * rng.exponential(1.0)).astype(int)
    stream = np.clip(stream, 0, front_end.highest_adc)
    found = front_end.windows(stream)
    expected = by_the_clock(front_end, stream)
    got = [(int(t), int(b), v.tolist()) for v, t, b in zip(*found, strict=True)]
    assert got == expected


def test_closed_gate_keeps_the_trigger_from_arming() -> None:
    stream = stream_of(60, 120)
    gate = np.ones(len(stream), bool)
    gate[60] = False
    assert PLAIN.windows(stream, gate=gate).trigger.tolist() == [121]


def test_stream_that_does_not_fit_the_adc_is_refused() -> None:
    stream = stream_of(60)
    stream[17] = 16384
    with pytest.raises(DataError, match=r"sample 17 .* 16384, expected 0 to 16383"):
        PLAIN.windows(stream)
    with pytest.raises(DataError, match="whole numbers"):
        PLAIN.windows(stream.astype(float))
    with pytest.raises(DataError, match="whole numbers"):
        PLAIN.windows(stream.reshape(2, 100))


def test_description_comes_back_and_wrong_ones_are_refused() -> None:
    assert FrontEnd.from_dict(PLAIN.as_dict()) == PLAIN
    with pytest.raises(SettingsError, match="lacks or does not know: gap"):
        FrontEnd.from_dict({name: value for name, value in PLAIN.as_dict().items() if name != "gap"})
    with pytest.raises(SettingsError, match=r"fraction_16 .* from 1 to 16, got 17"):
        replace(PLAIN, fraction_16=17)
    with pytest.raises(SettingsError, match=r"ends before the peak is known: .* 13"):
        replace(PLAIN, length=12)
    with pytest.raises(SettingsError, match="polarity"):
        replace(PLAIN, polarity="up")  # type: ignore[arg-type]
