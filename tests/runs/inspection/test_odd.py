"""The odd channel is named, and none where all are alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discrimen.runs.inspection.odd import FEWEST_CHANNELS, Compared, compare_channels, limit, place_of, told
from discrimen.runs.inspection.summary import ChannelSummary

WAVE = np.concatenate([np.zeros(20), np.exp(-np.arange(60) / 10)])


def channel(number: int, *, rng: np.random.Generator, gain: float = 1.0) -> ChannelSummary:
    heights = rng.exponential(400 * gain, 4000)
    counts, edges = np.histogram(heights, 64)
    baseline = 5000 + rng.normal(0, 10)
    return ChannelSummary(
        board=0,
        channel=number,
        n_pulses=4000,
        n_samples=80,
        sample_period_ns=2.0,
        rate_hz=300 + rng.normal(0, 10),
        first_ps=0,
        last_ps=1,
        digitised=True,
        baseline_adc=baseline,
        baseline_spread_adc=3.0,
        noise_adc=3 + rng.normal(0, 0.1),
        baseline_start=0,
        baseline_samples=16,
        largest_excursion="positive",
        n_saturated=0,
        flags={},
        labels={},
        mean_pulse_adc=baseline + 400 * gain * WAVE,
        amplitude_edges_adc=edges,
        amplitude_counts=counts,
    )


@pytest.fixture
def channels() -> list[ChannelSummary]:
    rng = np.random.default_rng(3)
    return [channel(number, rng=rng) for number in range(16)]


def odd_ones(compared: tuple[Compared, ...]) -> dict[str, list[int]]:
    return {each.name: np.flatnonzero(each.odd).tolist() for each in compared if each.odd.any()}


def test_channels_that_are_alike_are_none_odd(channels: list[ChannelSummary]) -> None:
    compared = compare_channels(channels)
    assert len(compared) == 6
    assert odd_ones(compared) == {}
    assert told(channels, compared) == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"rate_hz": 90.0}, "rate (Hz)"),
        ({"baseline_adc": 5300.0, "mean_pulse_adc": 5300 + 400 * WAVE}, "baseline"),
        ({"noise_adc": 6.0}, "noise"),
        ({"mean_pulse_adc": 5000 + 400 * WAVE**0.9, "baseline_adc": 5000.0}, "width (samples)"),
        ({"largest_excursion": "negative"}, "direction (up: 1)"),
    ],
)
def test_the_odd_channel_is_named(channels: list[ChannelSummary], changes: dict[str, object], name: str) -> None:
    channels[5] = replace(channels[5], **changes)  # type: ignore[arg-type]
    compared = compare_channels(channels)
    assert odd_ones(compared).pop(name) == [5]
    assert any(line.startswith(f"board 0 channel 5 is odd: {name} ") for line in told(channels, compared))


def test_a_channel_of_half_the_gain_is_odd(channels: list[ChannelSummary]) -> None:
    channels[9] = channel(9, rng=np.random.default_rng(5), gain=0.4)
    assert odd_ones(compare_channels(channels)) == {"median height": [9]}


def test_few_channels_are_not_compared_and_unknown_rates_neither(channels: list[ChannelSummary]) -> None:
    assert compare_channels(channels[: FEWEST_CHANNELS - 1]) == ()
    without = [replace(each, rate_hz=None) for each in channels]
    assert np.isnan(compare_channels(without)[0].median)
    assert odd_ones(compare_channels(without)) == {}
    assert place_of(replace(channels[0], board=None, channel=None)) == "channel -"


@pytest.mark.parametrize("n_channels", [6, 8, 16, 64])
def test_normal_scatter_makes_one_odd_in_few_of_a_thousand(n_channels: int) -> None:
    values = np.random.default_rng(n_channels).standard_normal((20_000, n_channels))
    off = np.abs(values - np.median(values, axis=1, keepdims=True))
    spreads = off / (1.4826 * np.median(off, axis=1, keepdims=True))
    assert (spreads.max(axis=1) > limit(n_channels)).mean() < 0.006
