"""The tap counts what passes once, within its share of the time, and takes a few pulses aside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.online.monitor.made import Clock, message, pulses_of, small_tap

from discrimen.online.message import Message
from discrimen.online.monitor import tap as tap_module
from discrimen.online.monitor.bulletin import Bulletin, read_bulletin
from discrimen.online.monitor.tap import MOST_SHARE, PERIOD_S, Tap
from discrimen.online.scorer import Scorer
from discrimen.pulses import PulseFlag

Tapped = tuple[Scorer, Tap, Clock]


@pytest.fixture
def tapped(tmp_path: Path) -> Tapped:
    return small_tap(tmp_path)


def passed(tapped: Tapped, given: Message, *, took_s: float = 0.001) -> Message:
    scorer, tap, clock = tapped
    begin_s = clock.now_s
    result = scorer(given)
    clock.now_s += took_s
    tap.passed(given, result, begin_s=begin_s)
    return result


def bulletin(tapped: Tapped) -> Bulletin:
    _, tap, clock = tapped
    clock.now_s += PERIOD_S
    made = tap.due()
    assert made is not None
    return read_bulletin([bytes(part) for part in made.frames()])


def test_every_pulse_is_counted_by_channel_and_class(tapped: Tapped) -> None:
    flags = np.zeros(500, np.uint32)
    flags[:20], flags[20:50] = PulseFlag.SATURATED_INPUT, PulseFlag.PILE_UP
    pulses = pulses_of(500, n_channels=40, flags=flags)
    numbers = np.frombuffer(passed(tapped, message(pulses)).parts[3], np.int8)
    more = pulses_of(300, n_channels=50, seed=2)
    more_numbers = np.frombuffer(passed(tapped, message(more, sequence=1)).parts[3], np.int8)
    told = bulletin(tapped).told
    assert (told.n_pulses, told.n_counted, told.n_messages) == (800, 800, 2)
    board = np.concatenate([pulses.column("board"), more.column("board")])
    channel = np.concatenate([pulses.column("channel"), more.column("channel")])
    number, flag = np.concatenate([numbers, more_numbers]), np.concatenate([flags, np.zeros(300, np.uint32)])
    places = set(zip(board.tolist(), channel.tolist(), strict=True))
    assert {(row[0], row[1]) for row in told.channels} == places
    for row in told.channels:
        here = (board == row[0]) & (channel == row[1])
        wanted = [here, here & (number == 1), here & (number == 0), here & (number < 0)]
        wanted += [here & (flag == PulseFlag.SATURATED_INPUT), here & (flag == PulseFlag.PILE_UP)]
        assert row[2:] == [int(each.sum()) for each in wanted]
    assert 0 < number.sum() < len(number)


def test_examples_are_pulses_of_the_stream_with_their_results(tapped: Tapped) -> None:
    given = message(pulses_of(1000))
    result = passed(tapped, given)
    examples = bulletin(tapped).examples
    rows = examples.columns["entry"]
    assert 20 <= len(rows) <= 200
    np.testing.assert_array_equal(examples.samples, given.samples[rows, 0])
    np.testing.assert_array_equal(examples.scores, result.values[rows])
    np.testing.assert_array_equal(examples.numbers, np.frombuffer(result.parts[3], np.int8)[rows])
    np.testing.assert_array_equal(examples.columns, given.columns[rows])


def test_examples_are_few_however_many_pulses_come(tapped: Tapped) -> None:
    given = message(pulses_of(1000))
    n_examples = 0
    for sequence in range(300):
        passed(tapped, _numbered(given, sequence))
        if sequence % 100 == 99:
            n_examples += len(bulletin(tapped).examples)
    seconds = 300 * 0.001 + 3 * PERIOD_S
    assert n_examples <= tap_module.EXAMPLES_HZ * (seconds + PERIOD_S)
    assert n_examples > 1000


def _numbered(given: Message, sequence: int) -> Message:
    return Message(replace(given.head, sequence=sequence), given.parts)


def test_no_more_than_its_share_of_the_time_is_spent(tapped: Tapped, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = tapped[2]
    look = Tap._look

    def slow(self: Tap, given: Message, result: Message, now_s: float) -> None:
        look(self, given, result, now_s)
        clock.now_s += 0.002

    monkeypatch.setattr(Tap, "_look", slow)
    monkeypatch.setattr(tap_module, "_LONGEST_LOOK_S", 1.0)
    given, begin_s = message(pulses_of(100)), clock.now_s
    for sequence in range(1000):
        passed(tapped, _numbered(given, sequence), took_s=0.004)
    told = bulletin(tapped).told
    assert told.n_pulses == 100_000
    spent_s = 0.002 * told.n_counted / 100
    assert spent_s <= MOST_SHARE * (clock.now_s - begin_s) + 0.03
    assert 0 < told.n_counted < told.n_pulses
    assert sum(row[2] for row in told.channels) == told.n_counted


def test_a_look_that_another_program_interrupts_costs_no_more(tapped: Tapped, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, look, times = tapped[2], Tap._look, iter([30.0])

    def interrupted(self: Tap, given: Message, result: Message, now_s: float) -> None:
        look(self, given, result, now_s)
        clock.now_s += next(times, 0.0)

    monkeypatch.setattr(Tap, "_look", interrupted)
    given = message(pulses_of(100))
    for sequence in range(10):
        passed(tapped, _numbered(given, sequence))
    told = bulletin(tapped).told
    assert told.n_counted == told.n_pulses == 1000


def test_a_message_that_is_sent_again_counts_once(tapped: Tapped) -> None:
    for sequence in (0, 1, 1, 0, 2):
        passed(tapped, message(pulses_of(10), sequence=sequence))
    told = bulletin(tapped).told
    assert (told.n_pulses, told.n_repeated, told.n_lost) == (30, 2, 0)


def test_a_message_too_far_ahead_waits_for_the_ones_before_it(tapped: Tapped) -> None:
    for sequence in (0, 3, 1, 2, 3):
        passed(tapped, message(pulses_of(10), sequence=sequence))
    told = bulletin(tapped).told
    assert (told.n_pulses, told.n_lost) == (40, 0)


def test_what_cannot_be_sent_again_is_lost(tapped: Tapped) -> None:
    first = message(pulses_of(10), again=False)
    passed(tapped, first)
    passed(tapped, message(pulses_of(10).replace(timestamp_ps=np.arange(10) + 10**9), sequence=4, again=False))
    told = bulletin(tapped).told
    assert (told.n_lost, told.missing_ps) == (3, 10**9 - first.head.end_ps)


def test_latency_runs_from_arrival_to_receipt(tapped: Tapped) -> None:
    _, tap, clock = tapped
    for sequence in range(3):
        passed(tapped, message(pulses_of(10), sequence=sequence), took_s=0.010)
    tap.kept(1, 2)
    clock.now_s += 0.5
    tap.kept(1, 3)
    told = bulletin(tapped).told
    np.testing.assert_allclose(told.latency_ms, [30.0, *told.latency_ms[1:3], 510.0])
    assert told.n_waiting == 3
    assert bulletin(tapped).told.latency_ms == []


def test_bulletins_come_twice_a_second_and_at_the_end(tapped: Tapped) -> None:
    _, tap, clock = tapped
    assert tap.due() is None
    clock.now_s += PERIOD_S
    first, second = tap.due(), tap.due()
    assert first is not None
    assert second is None
    last = tap.due(is_ended=True)
    assert last is not None
    assert (last.told.is_ended, last.told.number) == (True, first.told.number + 1)
