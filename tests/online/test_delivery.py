"""Every message once and in order: thousands of stories in which something goes wrong, each from one seed."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from tests.online.faults import SOURCE, FileLog, World, block

from discrimen.errors import DataError
from discrimen.online.delivery import Keeper, Ledger, Sender
from discrimen.online.message import SEND_AGAIN, Head, Kind, Message
from discrimen.online.result_log import ResultLog

N_SEEDS = 900


def story(seed: int, **options: object) -> World:
    world = World(seed, **options)  # type: ignore[arg-type]
    world.play()
    return world


def apart(message: Message) -> tuple[Head, list[bytes]]:
    """Return what a message says, whichever attempt brought it."""
    return replace(message.head, attempt=0, flags=0), [bytes(part) for part in message.parts]


def told(world: World) -> str:
    """Say what is wrong with what was kept; nothing where nothing is."""
    wanted = [apart(world.log.message_again(n)) for n in range(world.log.n_all)]
    kept = [apart(message) for message in world.disk.messages()]
    return "" if kept == wanted else f"{len(kept)} of {len(wanted)} messages kept, {world.log.n_written} written"


@pytest.mark.parametrize("first", range(0, N_SEEDS, 300))
def test_every_message_is_kept_once_and_in_order(first: int) -> None:
    for seed in range(first, first + 300):
        assert not told(story(seed)), f"seed {seed}"


@pytest.mark.slow
def test_ten_thousand_stories() -> None:
    for seed in range(N_SEEDS, 10_000):
        assert not told(story(seed)), f"seed {seed}"


class Greedy(Keeper):
    """Takes whatever comes."""

    def take(self, message: Message) -> Head | None:
        if message.head.kind in (Kind.PULSES, Kind.STOP):
            self._store.append(message)
            return self._receipt(message.head, message.head.sequence + 1)
        return super().take(message)


def test_the_stories_find_a_keeper_that_takes_whatever_comes() -> None:
    assert sum(bool(told(story(seed, keeper=Greedy))) for seed in range(100)) > 30


def test_a_story_plays_the_same_again() -> None:
    first, second = story(17), story(17)
    assert first._now_s == second._now_s
    assert first.n_garbage == second.n_garbage


def test_the_stories_have_every_kind_of_fault() -> None:
    worlds = [story(seed) for seed in range(60)]
    ledgers = [world.keeper.ledgers[SOURCE] for world in worlds if world.keeper and SOURCE in world.keeper.ledgers]
    assert any(ledger.n_repeated for ledger in ledgers)
    assert any(ledger.n_asked_again for ledger in ledgers)
    assert any(world.n_garbage for world in worlds)
    assert any(world.n_torn for world in worlds)


def test_a_sender_is_no_further_ahead_than_the_window() -> None:
    log = FileLog(100, n_written=100)
    sender = Sender(log, attempt=3)
    assert [message.head.kind for message in sender.due(0.0)] == [Kind.HELLO]
    sender.take(Head(kind=Kind.RECEIPT, source=SOURCE, sequence=0, window=5), 0.1)
    assert [message.head.sequence for message in sender.due(0.2)] == [0, 1, 2, 3, 4]
    sender.take(Head(kind=Kind.RECEIPT, source=SOURCE, sequence=2, window=5), 0.3)
    assert [message.head.sequence for message in sender.due(0.4)] == [5, 6]
    sender.take(Head(kind=Kind.RECEIPT, source=SOURCE, sequence=3, sample_type=SEND_AGAIN, window=5, attempt=3), 0.5)
    assert [message.head.sequence for message in sender.due(0.6)] == [3, 4, 5, 6, 7]
    again = Head(kind=Kind.RECEIPT, source=SOURCE, sequence=3, sample_type=SEND_AGAIN, window=5, attempt=3)
    sender.take(again, 0.7)  # a doubled one
    assert not list(sender.due(0.8))
    assert [(message.head.kind, message.head.attempt) for message in sender.due(10.0)] == [(Kind.HELLO, 4)]


def test_a_sender_whose_receiver_knows_another_run_says_so() -> None:
    sender = Sender(FileLog(10, n_written=10), attempt=3)
    with pytest.raises(DataError, match="keeps 11 messages of source 7, which has 10: its output is of another run"):
        sender.take(Head(kind=Kind.RECEIPT, source=SOURCE, sequence=11), 0.0)


def test_what_cannot_be_sent_again_is_counted() -> None:
    keeper = Keeper(ResultLog(io.BytesIO(), Path("log")))
    for sequence in (0, 1, 4, 4):
        keeper.take(block(sequence))
    ledger = keeper.ledgers[SOURCE]
    assert (ledger.n_messages, ledger.n_lost) == (3, 2)


def test_time_that_no_message_covers_is_counted() -> None:
    ledger = Ledger()
    for begin_ps, end_ps in ((0, 10), (10, 20), (25, 30), (28, 40)):
        ledger.add(Head(kind=Kind.PULSES, source=1, sequence=0, begin_ps=begin_ps, end_ps=end_ps))
    assert (ledger.missing_ps, ledger.overlap_ps, ledger.end_ps) == (5, 2, 40)
