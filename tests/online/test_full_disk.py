"""A disk that is full for a while: the stream waits and goes on, and nothing is lost, doubled or counted twice."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import pytest
from tests.online.faults import SOURCE, block

from discrimen.online.delivery import Keeper
from discrimen.online.follow import FileGrowth, Follower
from discrimen.online.message import Message
from discrimen.online.result_log import ResultLog, is_full
from discrimen.online.stream import ToStore


class SmallDisk(io.BytesIO):
    """A file whose disk has room for so many bytes."""

    room = 10**9

    def write(self, content: bytes, /) -> int:  # type: ignore[override]
        room = self.room - self.tell()
        if room <= 0:
            raise OSError(errno.ENOSPC, "no space left on device")
        return super().write(content[:room])


@pytest.fixture
def disk() -> SmallDisk:
    return SmallDisk()


@pytest.fixture
def log(disk: SmallDisk) -> ResultLog:
    return ResultLog(disk, Path("run.log"))  # type: ignore[arg-type]


def test_a_message_without_room_is_taken_later_and_counted_once(disk: SmallDisk, log: ResultLog) -> None:
    told: list[str] = []
    store = ToStore(Keeper(log), on_full=lambda: told.append("full"))
    assert store.take(block(0))
    kept = disk.getvalue()
    disk.room = len(kept) + 30
    assert [store.take(block(1)) for _ in range(3)] == [False] * 3
    assert (disk.getvalue(), told, store.n_full) == (kept, ["full"], 1)
    disk.room = 10**9
    assert store.take(block(1))
    assert [receipt.sequence for receipt in store.receipts()] == [1, 2]
    assert (store.keeper.ledgers[SOURCE].n_messages, log.n_kept(SOURCE)) == (2, 2)


def test_a_loss_before_a_full_disk_is_counted_once(disk: SmallDisk, log: ResultLog) -> None:
    store = ToStore(Keeper(log))
    disk.room = 0
    assert not store.take(block(3))
    assert not store.take(block(3))
    disk.room = 10**9
    assert store.take(block(3))
    assert store.keeper.ledgers[SOURCE].n_lost == 3


def test_another_error_of_the_disk_ends_the_stream(log: ResultLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Message) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(log, "append", broken)
    with pytest.raises(OSError, match="input/output"):
        ToStore(Keeper(log)).take(block(0))


@pytest.mark.parametrize(("number", "full"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EIO, False)])
def test_which_errors_may_pass(number: int, full: bool) -> None:
    assert is_full(OSError(number, "")) is full


def test_a_follower_waits_for_room(disk: SmallDisk, log: ResultLog) -> None:
    told: list[str] = []
    pauses = iter(range(100))

    def pause() -> None:
        if next(pauses) == 4:
            disk.room = 10**9

    growth = FileGrowth(Path("run.BIN"), lambda: False, pause=pause)
    follower = Follower(
        Path("run.BIN"), NotImplemented, lambda message: message, log, growth, lambda: told.append("full")
    )
    disk.room = 10
    follower._keep(block(0))
    assert (told, follower.n_full, follower.ledger.n_messages, log.n_kept(SOURCE)) == (["full"], 1, 1, 1)
    assert next(pauses) == 5
