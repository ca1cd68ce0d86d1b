"""The messages of ABCD: a topic, a space, and what it is about; sent as one frame, stored one behind the other.

A topic ends in the length of what follows: ``data_abcd_waveforms_v0_n17_s307000`` is the 18th message of waveforms of
its program, 307,000 bytes long. ``status_waan_s861`` and ``events_waan_s106`` are followed by JSON. Facts: ABCD's
handbook and the behaviour of ABCD 1.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from discrimen.errors import DataError

WAVEFORMS = "data_abcd_waveforms"
EVENTS = "data_abcd_events"

LONGEST_TOPIC = 1024
"""Bytes, as in ABCD."""

LARGEST_MESSAGE = 2**28
"""Bytes of a payload; a topic that promises more is taken for garbage."""

TOPIC = re.compile(
    rb"(?P<name>(?:compressed_)?(?:data|status|events)_[A-Za-z0-9_]*?)"
    rb"(?:_v(?P<version>\d{1,5}))?(?:_n(?P<number>\d{1,19}))?_s(?P<size>\d{1,12}) "
)
"""A topic with the space behind it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What stands before a payload.

    Parameters
    ----------
    name : str
        For example ``data_abcd_waveforms``.
    size : int
        Bytes of the payload.
    version : int or None
        Of its layout.
    number : int or None
        Of the message among those of its program; only the programs `abcd`, `waan` and `chafi` count.
    """

    name: str
    size: int
    version: int | None = None
    number: int | None = None

    def __bytes__(self) -> bytes:
        version = "" if self.version is None else f"_v{self.version}"
        number = "" if self.number is None else f"_n{self.number}"
        return f"{self.name}{version}{number}_s{self.size} ".encode()


def topic_of(match: re.Match[bytes]) -> Topic:
    """Return the topic that :data:`TOPIC` has found."""
    version, number = match["version"], match["number"]
    return Topic(
        name=match["name"].decode(),
        size=int(match["size"]),
        version=None if version is None else int(version),
        number=None if number is None else int(number),
    )


def packed(name: str, payload: bytes, *, version: int | None = None, number: int | None = None) -> bytes:
    """Return a message as it travels and is stored."""
    return bytes(Topic(name, len(payload), version, number)) + payload


def unpacked(frame: bytes | memoryview) -> tuple[Topic, memoryview]:
    """Take a frame apart; nothing is copied.

    Raises
    ------
    DataError
        If it does not begin with a topic, or is of another length than that says.
    """
    view = memoryview(frame)
    begin = bytes(view[:LONGEST_TOPIC])
    match = TOPIC.match(begin)
    if match is None:
        raise DataError(f"expected a message of ABCD that begins with a topic and a space, got {begin[:40]!r}")
    topic, payload = topic_of(match), view[match.end() :]
    if payload.nbytes != topic.size:
        raise DataError(f"{topic.name}: its topic promises {topic.size} bytes, {payload.nbytes} came")
    return topic, payload


@dataclass(slots=True)
class MessageWalk:
    """Finds the messages in bytes that may come piece by piece, and the next one behind damage.

    Attributes
    ----------
    found : list of (Topic, int)
        Messages in the latest piece that are whole, and where their payloads begin.
    damaged : list of (str, int)
        What was damaged in it, and where.
    """

    found: list[tuple[Topic, int]] = field(default_factory=list)
    damaged: list[tuple[str, int]] = field(default_factory=list)
    _is_lost: bool = False

    def through(self, content: bytes, *, is_end: bool) -> int:
        """Walk through a piece, and return how many bytes of it are done; the next piece begins with the rest."""
        self.found, self.damaged = [], []
        at = 0
        while at < len(content):
            match = TOPIC.search(content, at) if self._is_lost else TOPIC.match(content, at)
            if match is None:
                if not is_end and len(content) - at < LONGEST_TOPIC:
                    return at
                if self._is_lost:
                    return len(content) if is_end else len(content) - LONGEST_TOPIC
                self.damaged.append(("bytes that are no message", at))
                self._is_lost = True
                continue
            topic, begin = topic_of(match), match.end()
            at, self._is_lost = match.start(), False
            if begin + topic.size <= len(content):
                self.found.append((topic, begin))
                at = begin + topic.size
            elif is_end or topic.size > LARGEST_MESSAGE:
                self.damaged.append(("message of another size than its topic says", at))
                at, self._is_lost = begin, True
            else:
                return at
        return at


def require_version(topic: Topic) -> None:
    """Refuse a layout of waveforms that is not known.

    Raises
    ------
    DataError
        If the topic names another version than 0.
    """
    if topic.version not in (None, 0):
        raise DataError(f"{topic.name}: expected version 0 of the layout, got {topic.version}: newer than ABCD 1.3")
