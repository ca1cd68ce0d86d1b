"""n_TOF raw files: a reader that hands out the blocks that the zero suppression kept as pulses, bunch by bunch."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

import numpy as np

from discrimen.errors import FormatError
from discrimen.formats.base import Format, ReadOptions, ReadReport, RunInfo, opened_to_read
from discrimen.formats.ntof.banks import TAGS, TRUNCATED, Bank, BankWalk, leads_on
from discrimen.formats.ntof.blocks import ACQC, PRE_SAMPLES, Block, BlockWalk
from discrimen.formats.ntof.channels import MOST_NUMBER, Channel, ChannelTable, name_of, read_channels
from discrimen.formats.settings_merge import merge_settings
from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.detector import DetectorSettings

NAME = "ntof"

_RUN = struct.Struct("<I8x4s")
_EVENT = struct.Struct("<4I")
_BLOCK_BYTES = 400
"""What a block takes in memory beside its samples, about."""
_MOST_TABLE_BYTES, _MOST_BUNCH = 2**24, 2**31 - 1

_NO_TABLE = "no channels listed (MODH): board numbers the detectors as they come"
_UNLISTED = "ACQC bank of a channel that MODH does not list"
_NO_BUNCH = "ACQC bank without the EVEH bank of its bunch"


@dataclass(slots=True)
class _Gathered:
    """Blocks of one channel and bunch each, until there are enough of them for pulses."""

    blocks: dict[tuple[int, float | None], list[tuple[Block, Channel, int]]] = field(default_factory=dict)
    n_bytes: int = 0

    def add(self, block: Block, channel: Channel, bunch: int) -> None:
        kind = (len(block.samples), channel.sample_period_ns)
        self.blocks.setdefault(kind, []).append((block, channel, bunch))
        self.n_bytes += block.samples.nbytes + _BLOCK_BYTES

    def pulses(self) -> Iterator[Pulses]:
        """Yield pulses of each length and sampling period."""
        for (_, period_ns), taken in self.blocks.items():
            blocks = [block for block, *_ in taken]
            saturated = np.array([block.saturated for block in blocks])
            columns = {}
            if period_ns is not None:
                begin = np.array([block.begin for block in blocks], np.int64)
                columns["timestamp_ps"] = np.rint(begin * (1000 * period_ns)).astype(np.int64)
            yield Pulses(
                samples=np.stack([block.samples for block in blocks]),
                sample_period_ns=period_ns,
                entry=np.array([block.entry for block in blocks], np.int64),
                board=np.array([channel.board for _, channel, _ in taken], np.int32),
                channel=np.array([channel.number for _, channel, _ in taken], np.int32),
                flags=np.where(saturated, PulseFlag.SATURATED_INPUT, 0).astype(np.uint32),
                run=np.array([bunch for *_, bunch in taken], np.int32),
                **columns,
            )


class NtofReader:
    """Reader of one n_TOF raw file; each block is a pulse.

    Column `board` numbers the detectors as MODH names them, `channel` is the detector's own number, `run` the number of
    the bunch, and `timestamp_ps` the time of the record's first sample within the bunch.

    Parameters
    ----------
    path : Path
    options : ReadOptions

    Raises
    ------
    FormatError
        If the file cannot be read or does not begin with banks.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._chunk_bytes = options.chunk_bytes
        self._unlisted: dict[str, int] = {}
        with opened_to_read(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            if not leads_on(stream, 0, size):
                known = " ".join(sorted(tag.decode() for tag in TAGS))
                raise FormatError(f"expected banks of n_TOF ({known}) that lead from one to the next", path, 0)
            self._table, run = _read_begin(stream, size, options.settings)
        settings, source = merge_settings(options.settings, _found(self._table), found_in="file")
        self.report = ReadReport()
        self.info = RunInfo(
            path=path,
            format=NAME,
            layout=f"n_TOF raw data{run}, column run: the bunch; {self._table if self._table.channels else _NO_TABLE}",
            settings=settings,
            settings_source=source,
        )

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once from its start; see :class:`~discrimen.formats.base.Reader`."""
        self.report, self._unlisted = ReadReport(), {}
        with opened_to_read(self.info.path) as stream:
            gathered = _Gathered()
            for block, channel, bunch in self._blocks(stream):
                gathered.add(block, channel, bunch)
                if gathered.n_bytes >= self._chunk_bytes:
                    yield from self._handed_out(gathered)
                    gathered = _Gathered()
            yield from self._handed_out(gathered)

    def _handed_out(self, gathered: _Gathered) -> Iterator[Pulses]:
        for pulses in gathered.pulses():
            self.report.n_read += len(pulses)
            yield pulses

    def _blocks(self, stream: BufferedReader) -> Iterator[tuple[Block, Channel, int]]:
        size, bunch = os.fstat(stream.fileno()).st_size, None
        banks, walk = BankWalk(stream, size, self.report), BlockWalk(stream, size, self._chunk_bytes, self.report)
        met: set[Channel] = set()
        in_doubt = False
        for bank in banks.banks():
            if bank.tag == b"EVEH":
                bunch, in_doubt = self._bunch(stream, bank), False
                met.clear()
            elif bank.tag == b"ACQC" and (channel := self._channel(stream, bank, size)) is not None:
                if in_doubt and channel in met:
                    bunch = None  # The head of the next bunch is among what was lost.
                met.add(channel)
                if bunch is None:
                    self.report.add_damage(_NO_BUNCH, offset=bank.begin)
                    continue
                for block in walk.through(bank):
                    yield block, channel, bunch
                if walk.broken_at is not None:
                    banks.seek_from(walk.broken_at)
                    in_doubt = True
            else:
                in_doubt |= bank.tag not in TAGS

    def _bunch(self, stream: BufferedReader, bank: Bank) -> int | None:
        stream.seek(bank.begin)
        event = stream.read(min(_EVENT.size, bank.n_bytes))
        number = int(_EVENT.unpack(event)[1]) if len(event) == _EVENT.size else _MOST_BUNCH + 1
        if number > _MOST_BUNCH:
            self.report.add_damage("EVEH bank without the number of its bunch", offset=bank.begin)
            return None
        return number

    def _channel(self, stream: BufferedReader, bank: Bank, size: int) -> Channel | None:
        stream.seek(bank.begin)
        head = stream.read(min(ACQC.size, bank.n_bytes))
        if len(head) < ACQC.size:
            kind = TRUNCATED if bank.end > size else "ACQC bank without a channel"
            self.report.add_damage(kind, offset=bank.begin)
            return None
        detector, number, _ = ACQC.unpack(head)
        channel = self._listed(name_of(detector), number)
        if channel is None:
            self.report.add_damage(_UNLISTED, offset=bank.begin)
        return channel

    def _listed(self, detector: str, number: int) -> Channel | None:
        """Return a channel of MODH; without MODH any channel, whose detector gets the next number."""
        if self._table.channels or not detector or number > MOST_NUMBER:
            return self._table.channels.get((detector, number))
        board = self._unlisted.setdefault(detector, len(self._unlisted))
        return Channel(board, number, self.info.settings.sample_period_ns)


def _read_begin(stream: BufferedReader, size: int, settings: DetectorSettings) -> tuple[ChannelTable, str]:
    """Read the channels, and say in words which run this is, from what lies before the first bunch."""
    table, run = read_channels(b"", sample_period_ns=None), ""
    for bank in BankWalk(stream, size, ReadReport()).banks():
        if bank.tag in (b"EVEH", b"ACQC"):
            break
        stream.seek(bank.begin)
        payload = stream.read(min(bank.n_bytes, _MOST_TABLE_BYTES))
        if bank.tag == b"RCTR" and len(payload) >= _RUN.size:
            number, area = _RUN.unpack_from(payload)
            run = " ".join(filter(None, (f" of run {number}", name_of(area))))
        elif bank.tag == b"MODH":
            table = read_channels(payload, sample_period_ns=settings.sample_period_ns)
    return table, run


def _found(table: ChannelTable) -> DetectorSettings:
    """Return what holds for all channels."""
    periods = table.periods_ns
    period_ns = periods.pop() if len(periods) == 1 else None
    if period_ns is None:
        return DetectorSettings()
    return DetectorSettings(sample_period_ns=period_ns, pretrigger_ns=PRE_SAMPLES * period_ns)


def recognises(path: Path, head: bytes) -> bool:
    """Whether the file begins with a known bank that leads on to another."""
    if head[:4] not in TAGS:
        return False
    try:
        with path.open("rb") as stream:
            return leads_on(stream, 0, os.fstat(stream.fileno()).st_size)
    except OSError:
        return False


FORMAT = Format(
    name=NAME,
    description="n_TOF raw data (.raw, .raw.finished)",
    suffixes=(".raw", ".raw.finished"),
    recognises=recognises,
    open_reader=NtofReader,
)
"""The row of the table of formats."""
