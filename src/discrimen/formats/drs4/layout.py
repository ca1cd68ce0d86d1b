"""How a binary file of DRSOsc is laid out: the widths of the cells at its head, then events of one size.

Little-endian. The head is ``DRS2`` and ``TIME``, then for each board ``B#`` and its serial number, and for each channel
of it ``C001`` and the widths of its 1024 cells in ns. Each event is ``EHDR``, its number, its date and the centre of
the range in mV; then for each board ``B#`` with the serial number and ``T#`` with the trigger cell, and for each
channel ``C001``, the rate of its scaler in Hz and 1024 samples of 16 bits. (Layout: DRS4 Evaluation Board User's
Manual, PSI.)
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError

N_CELLS = 1024
"""Cells of a channel of the chip, and samples of a record."""

MAGIC = b"DRS2TIME"
EVENT_MARK = b"EHDR"

_MOST_BOARDS = 16
_WIDEST_NS = 100.0


def _number(mark: bytes) -> int:
    return int.from_bytes(mark, "little")


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """One board of a file.

    Parameters
    ----------
    serial : int
        Its serial number.
    channels : tuple of int
        As the file names them, from 1 on.
    widths_ns : ndarray of float64, shape (channel, cell)
        Of each cell of the chip; the widths of cell 0 first, wherever a record begins.
    """

    serial: int
    channels: tuple[int, ...]
    widths_ns: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FileLayout:
    """What the head of a file says.

    Parameters
    ----------
    boards : tuple of Board
        In the order of the file.
    first_event : int
        Where the events begin, in bytes.
    """

    boards: tuple[Board, ...]
    first_event: int

    @property
    def n_channels(self) -> int:
        """Channels of all boards: the pulses of an event."""
        return sum(len(board.channels) for board in self.boards)

    @property
    def in_words(self) -> str:
        """Marks of an event."""
        boards = (
            f"B# {board.serial}, T#, {', '.join(f'C{channel:03d}' for channel in board.channels)}"
            for board in self.boards
        )
        return f"EHDR, {', '.join(boards)}"

    @property
    def event(self) -> np.dtype[Any]:
        """One event."""
        fields: list[Any] = [("mark", "<u4"), ("number", "<u4"), ("date", "<u2", (7,)), ("centre_mv", "<i2")]
        channel = [("mark", "<u4"), ("scaler", "<u4"), ("samples", "<u2", (N_CELLS,))]
        for number, board in enumerate(self.boards):
            head = [("mark", "<u2"), ("serial", "<u2"), ("cell_mark", "<u2"), ("trigger_cell", "<u2")]
            fields.append((f"board{number}", [*head, ("channels", channel, (len(board.channels),))]))
        return np.dtype(fields)

    def marked(self, events: NDArray[np.void]) -> NDArray[np.bool_]:
        """Say which events have all marks and board numbers in their places."""
        whole = events["mark"] == _number(EVENT_MARK)
        for number, board in enumerate(self.boards):
            part = events[f"board{number}"]
            whole &= (part["mark"] == _number(b"B#")) & (part["serial"] == board.serial)
            whole &= part["cell_mark"] == _number(b"T#")
            marks = [_number(b"C%03d" % channel) for channel in board.channels]
            whole &= (part["channels"]["mark"] == np.array(marks)).all(axis=1)
        return np.asarray(whole)


def read_layout(stream: BufferedReader, path: Path) -> FileLayout:
    """Read the head of a file.

    Raises
    ------
    FormatError
        If it is not of a file of this version, is cut off, or its widths are none.
    """
    magic = stream.read(len(MAGIC))
    if magic != MAGIC:
        raise FormatError(f"expected 'DRS2' and 'TIME' of a DRS4 evaluation board, found {magic!r}", path, 0)
    boards: list[Board] = []
    while len(mark := stream.read(4)) == 4 and mark != EVENT_MARK:
        at = stream.tell() - 4
        if mark.startswith(b"B#") and len(boards) < _MOST_BOARDS:
            boards.append(Board(int.from_bytes(mark[2:], "little"), (), np.empty((0, N_CELLS))))
        elif mark[:1] == b"C" and mark[1:].isdigit() and int(mark[1:]) and boards:
            boards[-1] = _with_channel(boards[-1], int(mark[1:]), stream, path)
        else:
            raise FormatError(f"expected a board (B#), a channel (C001) or an event (EHDR), found {mark!r}", path, at)
    if not boards or not all(board.channels for board in boards):
        raise FormatError("expected boards with the widths of their cells, the head names none", path, len(MAGIC))
    return FileLayout(tuple(boards), stream.tell() - len(mark))


def _with_channel(board: Board, channel: int, stream: BufferedReader, path: Path) -> Board:
    at = stream.tell()
    content = stream.read(4 * N_CELLS)
    if len(content) < 4 * N_CELLS:
        raise FormatError(f"the widths of the cells of channel {channel} are cut off: {len(content)} bytes", path, at)
    widths = np.frombuffer(content, "<f4")
    if not ((widths > 0) & (widths < _WIDEST_NS)).all():
        raise FormatError(
            f"the cells of board {board.serial}, channel {channel} must be more than 0 and less than {_WIDEST_NS:g} ns "
            f"wide, got {widths.min():g} to {widths.max():g}: calibrate the timing of the board",
            path,
            at,
        )
    if channel in board.channels:
        raise FormatError(f"board {board.serial} names channel {channel} twice", path, at - 4)
    return Board(board.serial, (*board.channels, channel), np.vstack([board.widths_ns, widths.astype(np.float64)]))
