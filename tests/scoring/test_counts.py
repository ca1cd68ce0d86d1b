"""Counts of a run by channel, and the times in which its pulses came."""

from __future__ import annotations

import numpy as np

from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.places import Place
from discrimen.scoring.counts import Counted, RunTally
from discrimen.scoring.pile_up import PileUp


def pulses(*, stamps_ps: list[int] | None, channel: list[int], flags: list[int] | None = None) -> Pulses:
    return Pulses(
        samples=np.zeros((len(channel), 50), np.int16),
        sample_period_ns=2.0,
        timestamp_ps=None if stamps_ps is None else np.array(stamps_ps),
        channel=np.array(channel),
        flags=None if flags is None else np.array(flags),
    )


def test_each_channel_counts_its_own() -> None:
    tally = RunTally()
    tally.add(
        pulses(stamps_ps=[10, 30, 20, 40], channel=[3, 3, 1, 3], flags=[0, PulseFlag.PILE_UP, 0, 0]),
        np.array([Counted.NEUTRON, Counted.VETOED, Counted.GAMMA, Counted.NOT_SCORED], np.int8),
        outside=np.array([0, 4, 0, 1], np.uint16),
        pile_up=np.array([0, PileUp.DIGITIZER, PileUp.IN_RECORD, 0], np.uint8),
    )
    tally.add(pulses(stamps_ps=[50], channel=[1]), np.array([Counted.NEUTRON], np.int8))
    three, one = tally.channels[Place(0, 3)], tally.channels[Place(0, 1)]
    assert three.counted.tolist() == [0, 1, 1, 1]
    assert one.counted.tolist() == [1, 1, 0, 0]
    assert (three.n_outside, three.n_in_record, three.n_told, three.recorded_ns) == (2, 0, 1, 300.0)
    assert (one.n_outside, one.n_in_record, one.n_told) == (0, 1, 0)
    assert (len(tally), tally.count(Counted.NEUTRON), tally.count(Counted.GAMMA, Counted.NEUTRON)) == (5, 2, 3)
    assert (tally.first_ps, tally.last_ps, tally.n_back) == (10, 50, 0)
    assert not tally.has_flags


def test_a_clock_that_was_set_back_is_noticed_in_and_between_chunks() -> None:
    second = 10**12
    for chunks in ([[0, 5 * second, second]], [[0, 5 * second], [second]]):
        tally = RunTally()
        for stamps in chunks:
            tally.add(pulses(stamps_ps=stamps, channel=[0] * len(stamps)), np.zeros(len(stamps), np.int8))
        assert tally.n_back == 1


def test_channels_that_are_a_little_out_of_order_are_no_set_back_clock() -> None:
    tally = RunTally()
    tally.add(pulses(stamps_ps=[0, 10**11, 10**10], channel=[0, 1, 0]), np.zeros(3, np.int8))
    assert tally.n_back == 0


def test_events_at_which_others_were_lost_are_counted() -> None:
    tally = RunTally()
    flags = [PulseFlag.TRIGGER_LOST, PulseFlag.TRIGGER_LOST | PulseFlag.MEMORY_FULL, PulseFlag.PILE_UP]
    tally.add(pulses(stamps_ps=None, channel=[0, 0, 0], flags=list(map(int, flags))), np.zeros(3, np.int8))
    assert dict(tally.losses) == {"TRIGGER_LOST": 2, "MEMORY_FULL": 1}
    assert not tally.has_time
