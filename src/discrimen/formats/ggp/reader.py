"""Reader of GGP files: every channel of a block is a pulse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError
from discrimen.formats.base import Format, ReadOptions, ReadReport, RunInfo, opened_to_read
from discrimen.formats.ggp.blocks import (
    CHANNEL_HEAD_BYTES,
    HEAD_BYTES,
    IDLE,
    NAMES,
    PILE_UP,
    SPECTRUM,
    Blocks,
    BlockWalk,
    block_pieces,
    channel_places,
    channel_type,
    head_at,
)
from discrimen.formats.settings_merge import merge_settings
from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.detector import DetectorSettings

NAME = "ggp"
SAMPLE_PERIOD_NS, TICK_PS = 10.0, 10_000
ADC_BITS = 14
ENERGY_STEPS = 65_536
_UNITS = (2, 1)
_LOOKED_AT = 2**19

WRONG_CHANNELS = "GGP block whose channels do not fill it"

_Columns = dict[str, NDArray[Any]]


class GgpReader:
    """Reader of one file.

    `board` is the crystal, `channel` the place in the block, from 0 on. Blocks of spectra, idle ones and compressed
    channels are passed over and counted.

    Parameters
    ----------
    path : Path
    options : ReadOptions

    Raises
    ------
    FormatError
        If the file cannot be read, or does not begin with a block that another one or the end follows.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        with opened_to_read(path) as stream:
            begin = stream.read(_LOOKED_AT)
        unit = length_unit(begin)
        if unit is None:
            raise FormatError("expected a GGP block (key DA00, DA50 or DA60) and another one behind it", path, 0)
        head = head_at(begin, 0)
        assert head is not None
        told = DetectorSettings(sample_period_ns=SAMPLE_PERIOD_NS, adc_bits=ADC_BITS)
        settings, source = merge_settings(options.settings, told, found_in="GGP digitizers")
        self._unit, self._chunk_bytes = unit, options.chunk_bytes
        self.report = ReadReport()
        self.info = RunInfo(
            path=path,
            format=NAME,
            layout=f"GGP, {NAMES[int(head['key']) & 0xFFF0]} blocks, {head['n_samples']} samples a channel, lengths in "
            f"{'words' if unit > 1 else 'bytes'}",
            settings=settings,
            settings_source=source,
        )

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once from its start; see :class:`~discrimen.formats.base.Reader`.

        Raises
        ------
        FormatError
            If the operating system reports a read error.
        """
        self.report = ReadReport()
        first = 0
        for found in block_pieces(self.info.path, unit=self._unit, chunk_bytes=self._chunk_bytes, report=self.report):
            parts: list[_Columns] = []
            for blocks in found:
                more, n_entries = self._read(blocks)
                parts += [{**part, "entry": first + part["entry"]} for part in more]
                first += n_entries
            for n_samples in dict.fromkeys(part["samples"].shape[1] for part in parts):
                alike = [part for part in parts if part["samples"].shape[1] == n_samples]
                columns = {name: np.concatenate([part[name] for part in alike]) for name in alike[0]}
                if len(alike) > 1:
                    order = np.argsort(columns["entry"], kind="stable")
                    columns = {name: values[order] for name, values in columns.items()}
                self.report.n_read += len(columns["entry"])
                yield Pulses(sample_period_ns=self.info.settings.sample_period_ns, **columns)

    def _read(self, blocks: Blocks) -> tuple[list[_Columns], int]:
        """Return the pulses of blocks, their entries counted from 0, and how many entries there are."""
        if blocks.kind == SPECTRUM:
            self.report.pass_over("GGP block(s): spectrum", count=len(blocks.rows))
            return [], 0
        heads = blocks.heads
        n_channels, rest = divmod(blocks.rows.shape[1] - HEAD_BYTES, CHANNEL_HEAD_BYTES + 2 * blocks.n_samples)
        is_busy = (heads["status"] & IDLE) == 0
        if not is_busy.all():
            self.report.pass_over("GGP block(s): idle", count=int((~is_busy).sum()))
        is_plain = np.zeros(len(heads), np.bool_)
        if not rest:
            loads = np.ascontiguousarray(blocks.rows[:, HEAD_BYTES:]).view(channel_type(blocks.n_samples))
            is_plain = (loads["compression"] == 0).all(axis=1)
        others = {number: self._one_by_one(blocks, number) for number in np.flatnonzero(~is_plain & is_busy).tolist()}
        counts = np.full(len(heads), max(1, n_channels), np.int64)
        for number, (_, n_met) in others.items():
            counts[number] = n_met
        begin = np.cumsum(counts) - counts
        parts = [
            {**part, "entry": begin[number] + part["channel"]} for number, (some, _) in others.items() for part in some
        ]
        if (kept := is_plain & is_busy).any():
            part = _columns(heads[kept], loads[kept])
            parts.append({**part, "entry": np.repeat(begin[kept], n_channels) + part["channel"]})
        return parts, int(counts.sum())

    def _one_by_one(self, blocks: Blocks, number: int) -> tuple[list[_Columns], int]:
        """Return the pulses of a block's channels that are not compressed, and how many entries it has."""
        head, content = blocks.heads[number : number + 1], blocks.rows[number].tobytes()
        kind = channel_type(blocks.n_samples)
        parts: list[_Columns] = []
        packed: Counter[int] = Counter()
        places = channel_places(content, blocks.n_samples)
        for channel, at in enumerate(places[:-1]):
            compression = int.from_bytes(content[at + 12 : at + 14], "little")
            if compression:
                packed[compression] += 1
            else:
                part = _columns(head, np.frombuffer(content, kind, 1, at).reshape(1, 1))
                parts.append({**part, "channel": np.array([channel], np.int32)})
        n_entries = max(1, len(places) - 1)
        if places[-1] != len(content):
            self.report.add_damage(WRONG_CHANNELS, offset=blocks.offset + number * blocks.rows.shape[1])
            return [], n_entries
        for compression, count in packed.items():
            self.report.pass_over(f"GGP channel(s): compressed by type {compression}", count=count)
        return parts, n_entries


def _columns(heads: NDArray[np.void], loads: NDArray[np.void]) -> _Columns:
    """Return samples and columns of channels of shape (block, channel), as pulses take them."""
    n_channels = loads.shape[1]
    ticks = heads["ticks"].astype(np.int64)
    flags = np.where(heads["status"] & PILE_UP, np.uint32(PulseFlag.PILE_UP), np.uint32(0))
    samples = loads["samples"].reshape(-1, loads["samples"].shape[2])
    return {
        "samples": ((samples & 0x3FFF) ^ 0x2000).astype(np.int16),
        "timestamp_ps": np.repeat(TICK_PS * (ticks[:, 0] | ticks[:, 1] << 16 | ticks[:, 2] << 32), n_channels),
        "board": np.repeat(heads["crystal"].astype(np.int32), n_channels),
        "channel": np.tile(np.arange(n_channels, dtype=np.int32), len(heads)),
        "flags": np.repeat(flags, n_channels),
        "energy": loads["energy"].reshape(-1) / ENERGY_STEPS,
    }


def length_unit(begin: bytes) -> int | None:
    """Return how many bytes a step of the total length must have to lead from the first block to another or the end."""
    head = head_at(begin, 0)
    if head is None:
        return None
    for unit in _UNITS:
        walk = BlockWalk(unit, ReadReport())
        after = unit * int(head["length"])
        is_next = head_at(begin, after) is not None and walk.fits(begin, after)
        if walk.fits(begin, 0) and (after == len(begin) or is_next):
            return unit
    # A first block that is cut off, or damaged behind: its own length must be that of whole channels.
    return next(
        (unit for unit in _UNITS if BlockWalk(unit, ReadReport()).fits(begin, 0) and head["n_samples"] > 1), None
    )


def recognises(path: Path, head: bytes) -> bool:
    """Whether the file begins with a block that another one or the end follows."""
    if len(head) < HEAD_BYTES or head_at(head, 0) is None:
        return False
    try:
        with opened_to_read(path) as stream:
            begin = stream.read(_LOOKED_AT)
    except FormatError:
        return False
    return length_unit(begin) is not None


FORMAT = Format(
    name=NAME,
    description="GGP digitizers of GALILEO and AGATA: raw blocks",
    suffixes=(".ggp", ".bdat", ".cdat"),
    recognises=recognises,
    open_reader=GgpReader,
)
"""The row of the table of formats."""
