"""Pulses that go against the polarity."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.pulses import Pulses
from discrimen.pulses.detector import ChannelSettings
from discrimen.runs.polarity import FEWEST, PolarityCheck


def pulses(n: int, *, sign: int, channel: int = 0, seed: int = 1) -> Pulses:
    rng = np.random.default_rng(seed)
    shape = np.concatenate([np.zeros(10), np.exp(-np.arange(50) / 8)])
    samples = 8000 + sign * rng.uniform(100, 4000, (n, 1)) * shape + rng.normal(0, 3, (n, 60))
    return Pulses(
        samples=np.rint(samples).astype(np.uint16),
        sample_period_ns=2.0,
        entry=np.arange(n),
        channel=np.full(n, channel, np.int32),
    )


@pytest.mark.parametrize(("polarity", "sign", "goes"), [("positive", -1, "down"), ("negative", 1, "up")])
def test_pulses_of_the_other_way_are_refused(polarity: Literal["positive", "negative"], sign: int, goes: str) -> None:
    check = PolarityCheck(Path("run.BIN"), polarity)
    with pytest.raises(DataError, match=rf"run.BIN: 50 of 50 pulses of channel 0 go {goes}, .* is {polarity}"):
        check(pulses(50, sign=sign))


def test_the_channel_that_goes_the_other_way_is_named() -> None:
    check = PolarityCheck(Path("run.BIN"), "negative")
    check(pulses(50, sign=-1, channel=1))
    with pytest.raises(DataError, match="of channel 3 go up"):
        check(pulses(50, sign=1, channel=3))


def test_right_pulses_noise_and_few_pulses_pass() -> None:
    check = PolarityCheck(Path("run.BIN"), "negative")
    check(pulses(200, sign=-1))
    check(pulses(FEWEST - 1, sign=1, channel=2))
    noise = np.random.default_rng(2).normal(8000, 5, (100, 60)).astype(np.uint16)
    check(Pulses(samples=noise, sample_period_ns=2.0, entry=np.arange(100), channel=np.full(100, 4, np.int32)))
    PolarityCheck(Path("run.BIN"), None)(pulses(50, sign=1))


def test_a_channel_may_have_a_polarity_of_its_own() -> None:
    own = (ChannelSettings(channel=1, polarity="positive"),)
    check = PolarityCheck(Path("run.BIN"), "negative", channels=own)
    check(pulses(50, sign=-1, channel=0))
    check(pulses(50, sign=1, channel=1))
    with pytest.raises(DataError, match="50 of 50 pulses of channel 2 go up, and the polarity is negative"):
        check(pulses(50, sign=1, channel=2))
    with pytest.raises(DataError, match="of channel 1 go down, and the polarity is positive"):
        PolarityCheck(Path("run.BIN"), None, channels=own)(pulses(50, sign=-1, channel=1))
