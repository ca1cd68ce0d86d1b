"""The banks of an n_TOF raw file: one behind the other, each with a head that says its kind and its length.

A head is 16 bytes, little-endian: a tag of four letters, u32 version, u32 reserved, u32 length in words of 32 bits. A
file begins with RCTR (run control) and MODH (channels); then come, for each bunch of protons, EVEH (its numbers), ADDH
and an ACQC for each channel. Layout as public readers of such files understand it; the note of the facility on it
is not published.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from typing import NamedTuple

from discrimen.formats.base import ReadReport

HEAD = struct.Struct("<4sIII")
"""Tag, version, reserved, length in words."""

TAGS = frozenset({b"RCTR", b"MODH", b"EVEH", b"ADDH", b"ACQC", b"EVDH"})
"""The kinds of banks that are known."""

_TAG = re.compile(rb"[A-Z][A-Z0-9]{3}")
_KNOWN_TAG = re.compile(b"|".join(sorted(TAGS)))
_SOUGHT_BYTES = 2**20

LOST = "bytes that are no bank"
TRUNCATED = "truncated last bank"


class Bank(NamedTuple):
    """One bank: its tag, where its payload begins and ends in the file, in bytes."""

    tag: bytes
    begin: int
    end: int

    @property
    def n_bytes(self) -> int:
        """Length of the payload that the head promises."""
        return self.end - self.begin


def leads_on(stream: BufferedReader, at: int, size: int) -> bool:
    """Whether a known bank begins here and ends where another bank begins, or with the file."""
    bank = _bank_at(stream, at, size)
    if bank is None or bank.tag not in TAGS:
        return False
    return bank.end == size or _bank_at(stream, bank.end, size) is not None


@dataclass(slots=True)
class BankWalk:
    """Walks through the banks of a file; the stream may be moved between them.

    Parameters
    ----------
    stream : BufferedReader
        The open file.
    size : int
        Its length in bytes.
    report : ReadReport
        Counts what is left out.
    """

    stream: BufferedReader
    size: int
    report: ReadReport
    _at: int = 0

    def banks(self) -> Iterator[Bank]:
        """Yield the banks in order.

        A bank of an unknown tag is told, and comes as well. Bytes that are no bank are counted and come as a bank
        without a tag, up to the next known bank that leads on to another. An ACQC bank may reach beyond the end of the
        file.
        """
        while self._at < self.size:
            bank = _bank_at(self.stream, self._at, self.size) or self._lost()
            if bank.tag and bank.tag not in TAGS:
                kind = f"bank of unknown kind {bank.tag.decode('ascii')}, passed over"
                self.report.add_damage(kind, offset=self._at)
            self._at = bank.end
            yield bank
            if self._at > self.size:
                # The length is that of the last bank, cut off, or wrong: then others follow.
                self.seek_from(bank.begin)

    def seek_from(self, at: int) -> None:
        """Go on with the first known bank from some place on that leads on to another."""
        self._at = _next_bank(self.stream, at, self.size)

    def _lost(self) -> Bank:
        at = self._at
        found = _next_bank(self.stream, at + 1, self.size)
        is_cut = found == self.size and _tag_at(self.stream, at) in TAGS
        self.report.add_damage(TRUNCATED if is_cut else LOST, offset=at)
        return Bank(b"", at, found)


def _bank_at(stream: BufferedReader, at: int, size: int) -> Bank | None:
    """Read the head at some place; None if it is none."""
    stream.seek(at)
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    tag, _, _, words = HEAD.unpack(head)
    bank = Bank(tag, at + HEAD.size, at + HEAD.size + 4 * words)
    if tag in TAGS:
        return bank if bank.end <= size or tag == b"ACQC" else None
    is_other = _TAG.fullmatch(tag) is not None and bank.end <= size
    is_other = is_other and (bank.end == size or _TAG.fullmatch(_tag_at(stream, bank.end)) is not None)
    return bank if is_other else None


def _tag_at(stream: BufferedReader, at: int) -> bytes:
    stream.seek(at)
    return stream.read(4)


def _next_bank(stream: BufferedReader, at: int, size: int) -> int:
    """Find the next known bank that leads on; the end of the file where there is none."""
    while at < size:
        stream.seek(at)
        piece = stream.read(_SOUGHT_BYTES + 3)
        for match in _KNOWN_TAG.finditer(piece):
            if leads_on(stream, at + match.start(), size):
                return at + match.start()
        at += _SOUGHT_BYTES
    return size
