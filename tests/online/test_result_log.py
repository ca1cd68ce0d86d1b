"""A log that was cut anywhere goes on behind its last whole message."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from tests.online.faults import SOURCE, block

from discrimen.errors import FormatError, OutputError
from discrimen.online.message import Head, Kind, Message
from discrimen.online.result_log import ResultLog, messages_in


def contents(path: Path) -> list[list[bytes]]:
    return [[bytes(part) for part in message.frames()] for message in messages_in(path)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "run.log"
    with ResultLog.open(path) as opened:
        for sequence in range(4):
            opened.append(block(sequence))
        opened.append(Message(Head(kind=Kind.STOP, source=SOURCE, sequence=4)))
    return path


def kept_by(path: Path) -> int:
    with ResultLog.open(path) as opened:
        return opened.n_kept(SOURCE)


def test_what_was_written_is_read_again(log: Path) -> None:
    assert contents(log)[:4] == [[bytes(part) for part in block(sequence).frames()] for sequence in range(4)]
    assert kept_by(log) == 5


def test_a_log_cut_at_any_byte_goes_on_behind_its_last_whole_message(log: Path, tmp_path: Path) -> None:
    whole, messages = log.read_bytes(), contents(log)
    seen = set()
    for length in range(len(whole)):
        path = tmp_path / "cut.log"
        path.write_bytes(whole[:length])
        with ResultLog.open(path) as opened:
            n_kept = opened.n_kept(SOURCE)
            opened.append(Message(Head(kind=Kind.STOP, source=SOURCE, sequence=n_kept)))
        assert contents(path)[:-1] == messages[:n_kept]
        assert kept_by(path) == n_kept + 1
        seen.add(n_kept)
    assert seen == {0, 1, 2, 3, 4}


def test_damage_in_the_middle_is_no_torn_end(log: Path) -> None:
    whole = log.read_bytes()
    for at in range(len(whole) - 100):
        log.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(FormatError, match=r"damaged here|expected the log of a stream"):
            kept_by(log)
        assert log.stat().st_size == len(whole)


@pytest.mark.parametrize("content", [b"entry,score\n1,0.5\n", b"PK", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_another_file_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="expected the log of a stream"):
        ResultLog.open(path)
    assert path.read_bytes() == content


class FullDisk(io.BytesIO):
    """Takes half of what is written, then nothing."""

    room = 300

    def write(self, content: object) -> int:
        data = bytes(content)[: self.room]  # type: ignore[call-overload]
        self.room -= len(data)
        if not data:
            raise OSError(28, "No space left on device")
        return super().write(data)


def test_a_full_disk_keeps_what_was_there_and_can_be_tried_again() -> None:
    disk = FullDisk()
    log = ResultLog(disk, Path("run.log"))
    n_written = 0
    with pytest.raises(OSError, match="No space left"):
        for sequence in range(10):
            log.append(block(sequence))
            n_written += 1
    assert n_written > 0
    disk.room = 10_000
    log.append(block(n_written))
    assert ResultLog(disk, Path("run.log")).n_kept(SOURCE) == n_written + 1


def test_a_log_that_another_stream_writes_is_refused(log: Path) -> None:
    with ResultLog.open(log) as opened:
        with pytest.raises(OutputError, match="another stream"):
            ResultLog.open(log)
        opened.append(block(5))
    assert kept_by(log) == 6
