"""The channel of a classified run that is unlike the others."""

from __future__ import annotations

import numpy as np

from discrimen.pulses.places import Place
from discrimen.scoring.counts import ChannelTally, RunTally
from discrimen.scoring.odd_channels import odd_channels


def tally(shares: list[float], *, n_pulses: int = 2000, outside: dict[int, int] | None = None) -> RunTally:
    rng = np.random.default_rng(4)
    channels = {}
    for number, share in enumerate(shares):
        neutrons = rng.binomial(n_pulses, share)
        one = ChannelTally(counted=np.array([n_pulses - neutrons, neutrons, 0, 0]), recorded_ns=1.0)
        one.n_outside = rng.binomial(n_pulses, 0.001) + (outside or {}).get(number, 0)
        channels[Place(0, number)] = one
    return RunTally(channels=channels)


def test_channels_that_are_alike_are_not_named() -> None:
    assert odd_channels(tally([0.4] * 16)) == []
    assert odd_channels(tally([0.4] * 8, n_pulses=20)) == []


def test_the_channel_with_other_neutrons_and_that_with_outsiders_are_named() -> None:
    lines = odd_channels(tally([0.4] * 5 + [0.1] + [0.4] * 6, outside={2: 300}))
    assert len(lines) == 2
    assert lines[0].startswith("board 0 channel 5 is odd: share of neutrons 9.")
    assert lines[1].startswith("board 0 channel 2 is odd: share unlike the training 15.")


def test_few_channels_are_not_compared() -> None:
    assert odd_channels(tally([0.4, 0.4, 0.4, 0.4, 0.0])) == []


def test_a_channel_without_decided_pulses_does_not_stop_the_others() -> None:
    found = tally([0.4] * 8)
    found.channels[Place(0, 3)].counted[:] = [0, 0, 2000, 0]
    assert odd_channels(found) == []
