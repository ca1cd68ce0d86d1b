"""What the families of frames share: pieces of any size, a lost place found again, and the end of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from discrimen.formats.base import ReadReport
from discrimen.formats.frame_walk import FrameWalk, next_mark


class ToyWalk(FrameWalk[bytes]):
    """Frames of an F, a digit that counts the bytes behind it, and so many bytes."""

    head_bytes, cut = 2, "cut"

    def step(self, text: bytes, at: int, found: list[bytes]) -> int | None:
        if text[at : at + 1] != b"F" or not text[at + 1 : at + 2].isdigit():
            return self.lose("no frame", at)
        after = at + 2 + int(text[at + 1 : at + 2])
        if after > len(text):
            return None
        found.append(text[at + 2 : after])
        return after

    def way_back(self, text: bytes, at: int, *, is_end: bool) -> tuple[int, bool]:
        at = next_mark(text, at, [b"F1", b"F2", b"F3"])
        return (at, True) if at < len(text) else (max(0, len(text) - (not is_end)), False)


@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("content", "frames", "damage"),
    [
        (b"F1aF3bcdF2ef", [b"a", b"bcd", b"ef"], {}),
        (b"?F1aF3bcd", [b"a", b"bcd"], {"no frame": 0}),
        (b"F1a?????F3bcd", [b"a", b"bcd"], {"no frame": 3}),
        (b"F1aF3b", [b"a"], {"cut": 3}),
        (b"F1a????", [b"a"], {"no frame": 3}),
    ],
)
def test_pieces_of_any_size_give_the_same_frames_and_damage(
    tmp_path: Path, content: bytes, frames: list[bytes], damage: dict[str, int], chunk_bytes: int
) -> None:
    path = tmp_path / "toy.bin"
    path.write_bytes(content)
    report = ReadReport()
    pieces = list(ToyWalk(report).pieces(path, chunk_bytes=chunk_bytes))
    assert [frame for *_, found in pieces for frame in found] == frames
    assert {kind: each.first_offset for kind, each in report.damaged.items()} == damage
    assert all(content[offset : offset + len(text)] == text for text, offset, _ in pieces)


@pytest.mark.parametrize("at", [0, 2**16 - 3, 2**16 - 2, 2**16 - 1, 2**16, 2**17 - 1])
def test_a_mark_is_found_wherever_it_stands(at: int) -> None:
    text = bytes(at) + b"mark" + bytes(2**17)
    assert next_mark(text, 0, [b"no", b"mark"]) == at
    assert next_mark(text, at + 1, [b"no", b"mark"]) == len(text)
