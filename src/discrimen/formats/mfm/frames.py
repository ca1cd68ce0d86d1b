"""Frames of GANIL's acquisition (MFM, MultiFrame Metaformat): what their first bytes say.

Every frame begins with 8 bytes, in the byte order that the first of them names: u8 metatype (bit 7: little-endian, bit
6: blob, bits 0 to 3: a unit is 2^n bytes), u24 size of the frame in units, u8 source, u16 type, u8 revision. A frame of
items goes on with u16 size of its header in units, u16 bytes of an item and u32 number of items. Merged frames hold
other frames behind their header. Facts: GANIL's library MFMlib (MFMCommonFrame, MFMBasicFrame, MFMMergeFrame,
MFMNedaFrame, MFMNedaCompFrame, MFMTypes), of which a copy is public at github.com/EliottDelannay/libMFM.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

ByteOrder = Literal["little", "big"]

NEDA, NEDA_COMP = 0x12, 0x13
MERGED_BY_NUMBER, MERGED_BY_TIME = 0xFF01, 0xFF02
MERGED = (MERGED_BY_NUMBER, MERGED_BY_TIME)
XML_DESCRIPTION, XML_FILE_HEADER = 0xFF10, 0xFF11

KNOWN_TYPES = {
    0x01: "CoBo",
    0x02: "CoBo, full signals",
    0x07: "CoBo, topology",
    0x08: "MUTANT",
    0x10: "EXOGAM2",
    0x11: "oscilloscope of NUMEXO2",
    NEDA: "NEDA",
    NEDA_COMP: "NEDACOMP",
    0x14: "VAMOS ionisation chamber",
    0x15: "VAMOS position",
    0x16: "DIAMANT",
    0x17: "S3 BaF2",
    0x18: "S3 alpha",
    0x19: "S3 Rutherford",
    0x1A: "S3 eGUN",
    0x1B: "S3 synchronisation",
    0x1C: "REA",
    0x1D: "VAMOS time",
    0x1E: "box diagnostic",
    0x20: "EBYEDAT, by event number",
    0x21: "EBYEDAT, by time",
    0x22: "EBYEDAT, by event number and time",
    0x23: "MATACQ",
    0x24: "scalers",
    0x30: "RIBF",
    0x40: "FAZIA",
    0x60: "CHIMERA",
    0x71: "REA trace",
    0xFF00: "hello",
    MERGED_BY_NUMBER: "merged by event number",
    MERGED_BY_TIME: "merged by time",
    XML_DESCRIPTION: "XML, description of data",
    XML_FILE_HEADER: "XML, header of the file",
}
"""Types of frames in MFMlib; a file may hold others too."""

HEAD_BYTES, ITEMS_HEAD_BYTES = 8, 16
NEDA_HEADER_BYTES, NEDA_COMP_BYTES = 44, 42
NEDA_END = b"\xf0" * 4
"""Behind the samples of a frame of NEDA; the same in both byte orders."""

LARGEST_FRAME = 2**28
"""Bytes; a head that promises more is taken for damage."""

_LARGEST_N_ITEMS = 2**16
_LITTLE_ENDIAN, _UNUSED, _UNIT = 0x80, 0x30, 0x0F
_HEADERS_OF_MERGED = (26, 24, 20)


class Head(NamedTuple):
    """The first 8 bytes of a frame, without its source."""

    type: int
    bytes: int
    revision: int
    is_little_endian: bool
    unit_bytes: int


class Layout(NamedTuple):
    """What is where in a frame of NEDA; frames of one layout may be taken as an array.

    `n_items` is the number of samples and `begin` where they begin; both are 0 in a NEDACOMP frame.
    """

    head: Head
    begin: int = 0
    n_items: int = 0

    @property
    def end_mark(self) -> int:
        """Where the mark behind the samples begins."""
        return self.begin + 2 * self.n_items


def head_at(content: bytes, at: int) -> Head | None:
    """Read the head of a frame; None if it cannot be one."""
    return _head(content[at : at + 4] + content[at + 5 : at + HEAD_BYTES])


def layout_at(content: bytes, at: int, head: Head) -> Layout | None:
    """Read the layout of a frame of NEDA or NEDACOMP behind its head; None if it is none."""
    if head.type == NEDA_COMP:
        return _compressed(head)
    return _raw(head, content[at + HEAD_BYTES : at + ITEMS_HEAD_BYTES])


def begins_inside(content: bytes, at: int, head: Head) -> tuple[int, ...]:
    """Where the first frame in a merged one may begin, the likeliest first.

    The header of a frame merged by time is 26 bytes long by its structure and 24 in MFMlib: its own field decides.
    """
    return _begins(head, content[at + HEAD_BYTES : at + HEAD_BYTES + 2])


def n_items_at(content: bytes, at: int, head: Head) -> int:
    """Read how many items a frame says that it has."""
    return int.from_bytes(content[at + 12 : at + ITEMS_HEAD_BYTES], _order(head))


def name_of(frame_type: int) -> str:
    """Name a type of frames for people."""
    known = KNOWN_TYPES.get(frame_type)
    return f"0x{frame_type:x}" if known is None else f"0x{frame_type:x} ({known})"


def _order(head: Head) -> ByteOrder:
    return "little" if head.is_little_endian else "big"


@lru_cache(maxsize=4096)
def _head(content: bytes) -> Head | None:
    if len(content) < HEAD_BYTES - 1:
        return None
    metatype = content[0]
    order: ByteOrder = "little" if metatype & _LITTLE_ENDIAN else "big"
    unit = 1 << (metatype & _UNIT)
    size, frame_type = int.from_bytes(content[1:4], order) * unit, int.from_bytes(content[4:6], order)
    if metatype & _UNUSED or not HEAD_BYTES <= size <= LARGEST_FRAME or frame_type == 0:
        return None
    return Head(frame_type, size, content[6], order == "little", unit)


@lru_cache(maxsize=4096)
def _begins(head: Head, field: bytes) -> tuple[int, ...]:
    told = int.from_bytes(field, _order(head)) * head.unit_bytes
    begins = dict.fromkeys((told, *_HEADERS_OF_MERGED))
    return tuple(begin for begin in begins if ITEMS_HEAD_BYTES <= begin <= head.bytes)


@lru_cache(maxsize=4096)
def _raw(head: Head, content: bytes) -> Layout | None:
    order = _order(head)
    begin = int.from_bytes(content[:2], order) * head.unit_bytes
    item_bytes, n_items = int.from_bytes(content[2:4], order), int.from_bytes(content[4:8], order)
    filling = head.bytes - (begin + 2 * n_items + len(NEDA_END))
    is_sound = (
        NEDA_HEADER_BYTES <= begin < NEDA_HEADER_BYTES + head.unit_bytes
        and item_bytes == 2
        and 1 <= n_items <= _LARGEST_N_ITEMS
        and 0 <= filling < max(head.unit_bytes, 2)
    )
    return Layout(head, begin, n_items) if is_sound else None


def _compressed(head: Head) -> Layout | None:
    return Layout(head) if 0 <= head.bytes - NEDA_COMP_BYTES < max(head.unit_bytes, 2) else None
