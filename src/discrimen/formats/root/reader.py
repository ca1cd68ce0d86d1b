"""One pass over a ROOT tree of pulses: what the readers of CoMPASS and of other trees share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError
from discrimen.formats.base import ReadReport, RunInfo, WithoutWaveforms
from discrimen.formats.columns import convert_column
from discrimen.formats.root.file import RootTree, open_root
from discrimen.formats.root.read_ahead import ReadAhead
from discrimen.formats.root.samples import Waveforms, storable
from discrimen.pulses import FAKE_FLAGS, Pulses
from discrimen.pulses.list_mode import ListModeEvents, events_of_columns

UNREADABLE = "unreadable basket"
WRONG_LENGTH = "waveform length contradicts its room"
BAD_SAMPLES = "NaN, infinite or too large samples"
OUT_OF_RANGE = "value out of range or missing"


@dataclass(frozen=True, slots=True)
class Column:
    """Where a column of :class:`~discrimen.pulses.Pulses` comes from: a branch, times a factor."""

    branch: str
    factor: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeLayout:
    """Which branch of a tree means what.

    Parameters
    ----------
    tree : str
        Name of the tree.
    samples : str or None
        Branch of the waveforms; None where there are none.
    sample_dtype : dtype or None
        Read the samples as this type instead of the one that the file declares, bit by bit.
    columns : mapping of str to Column
        By the name of the column.
    board_periods_ns : mapping of int to float or None
        Sampling period of each board in ns, where boards differ; the settings of the run serve all others.
    """

    tree: str
    samples: str | None
    sample_dtype: np.dtype[Any] | None = None
    columns: Mapping[str, Column]
    board_periods_ns: Mapping[int, float | None] = field(default_factory=dict)

    @property
    def branches(self) -> list[str]:
        """Every branch that is read, the waveforms first."""
        first = [self.samples] if self.samples is not None else []
        return list(dict.fromkeys([*first, *(column.branch for column in self.columns.values())]))


@dataclass(frozen=True, slots=True)
class _Block:
    """Events of a range of entries, one row a pulse."""

    entry: NDArray[np.int64]
    columns: dict[str, NDArray[Any]]
    in_range: NDArray[np.bool_]
    waveforms: Waveforms | None


class RootReader:
    """Reads a tree by ranges of entries; a :class:`~discrimen.formats.base.Reader`.

    Parameters
    ----------
    info : RunInfo
        What is known of the run.
    layout : TreeLayout
        Which branch means what.
    chunk_bytes : int
        About how much to hold at a time.
    """

    def __init__(self, info: RunInfo, layout: TreeLayout, *, chunk_bytes: int) -> None:
        self.info = info
        self._layout = layout
        self._chunk_bytes = chunk_bytes
        self.report = ReadReport()
        self._first_fault = ""

    def chunks(self) -> Iterator[Pulses]:
        """Yield the pulses, one chunk for each length and sampling period of a block; see the protocol."""
        for tree, block in self.blocks():
            yield from self._pulses(tree, block)

    def seams(self) -> Sequence[int]:
        """Return the entries where blocks begin, and the number of entries; see the protocol."""
        with self._opened() as tree:
            return [0, *(stop for _, stop in tree.ranges(self._layout.branches, self._chunk_bytes))]

    def chunks_between(self, start: int, stop: int) -> Iterator[Pulses]:
        """Yield the pulses of a range of entries; see the protocol."""
        self.report = ReadReport()
        with self._opened() as tree:
            ranges = tree.ranges(self._layout.branches, self._chunk_bytes)
            chosen = [each for each in ranges if start <= each[0] < stop]
            for _, block in self._read_ahead(tree, chosen):
                yield from self._pulses(tree, block)

    @contextmanager
    def _opened(self) -> Iterator[RootTree]:
        with open_root(self.info.path) as file:
            yield RootTree(file, self._layout.tree, self.info.path)

    def blocks(self) -> Iterator[tuple[RootTree, _Block]]:
        """Begin a new pass and yield what can be read; refuse a file of which nothing can."""
        self.report = ReadReport()
        self._first_fault = ""
        with self._opened() as tree:
            yield from self._read_ahead(tree, list(tree.ranges(self._layout.branches, self._chunk_bytes)))
        self._refuse_if_all_lost(self.info.path)

    def _read_ahead(self, tree: RootTree, ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[RootTree, _Block]]:
        """Yield the blocks of ranges of entries, while threads read the next range."""
        with ReadAhead(tree) as source:
            for (start, stop), following in zip_longest(ranges, ranges[1:]):
                if following is not None:
                    self._ask(source, following)
                for block in self._blocks(source, start, stop):
                    yield tree, block
                source.forget(start, stop)

    def _ask(self, source: ReadAhead, entries: tuple[int, int]) -> None:
        """Have the threads begin with a range."""
        layout = self._layout
        for branch in layout.branches:
            source.ask(branch, *entries, layout.sample_dtype if branch == layout.samples else None)

    def _blocks(self, source: ReadAhead, start: int, stop: int) -> Iterator[_Block]:
        """Read a range; where that fails, halve it at a basket's boundary until the damaged basket is alone."""
        try:
            block = self._read(source, start, stop)
        except FormatError as error:
            middle = self._inner_boundary(source.tree, start, stop)
            if middle is None:
                offset = error.offset if error.offset is not None else self._offset(source.tree, start)
                self._first_fault = self._first_fault or str(error)
                self.report.add_damage(UNREADABLE, offset=offset, count=stop - start)
                return
            yield from self._blocks(source, start, middle)
            yield from self._blocks(source, middle, stop)
        else:
            yield block

    def _read(self, source: ReadAhead, start: int, stop: int) -> _Block:
        layout, tree = self._layout, source.tree
        entry, waveforms = np.arange(start, stop), None
        nested = layout.samples is not None and tree.branches[layout.samples].shape == "nested"
        if layout.samples is not None and nested:
            counts, waveforms = tree.read_nested(layout.samples, start, stop)
            entry = np.repeat(entry, counts)
        elif layout.samples is not None:
            waveforms = source.read_waveforms(layout.samples, start, stop, layout.sample_dtype)
        in_range = np.ones(len(entry), dtype=np.bool_)
        columns = {}
        for name, column in layout.columns.items():
            values, there = _values_of_pulses(source, column.branch, (start, stop), entry)
            columns[name], fits = convert_column(values, name, column.factor)
            in_range &= fits & there
        if nested and "channel" not in columns:
            columns["channel"] = (np.arange(len(entry)) - np.searchsorted(entry, entry)).astype(np.int32)
        return _Block(entry, columns, in_range, waveforms)

    def _kept(self, tree: RootTree, block: _Block) -> NDArray[np.bool_]:
        """Count damaged and fake events, and return which are neither."""
        kept = block.in_range.copy()
        self._count_damage(OUT_OF_RANGE, tree, block, ~kept)
        if "flags" in block.columns:
            fake = kept & ((block.columns["flags"] & np.uint32(FAKE_FLAGS)) != 0)
            self.report.n_fake += int(np.count_nonzero(fake))
            kept &= ~fake
        return kept

    def _pulses(self, tree: RootTree, block: _Block) -> Iterator[Pulses]:
        kept = self._kept(tree, block)
        waveforms = block.waveforms
        if waveforms is None:
            self.report.n_empty += int(np.count_nonzero(kept))
            return
        self._count_damage(WRONG_LENGTH, tree, block, kept & ~waveforms.intact)
        kept &= waveforms.intact
        self.report.n_empty += int(np.count_nonzero(kept & (waveforms.lengths == 0)))
        kept &= waveforms.lengths > 0
        periods_ns = self._periods_ns(block)
        for length, period_ns in sorted(
            set(zip(waveforms.lengths[kept].tolist(), periods_ns[kept].tolist(), strict=True))
        ):
            of_kind = kept & (waveforms.lengths == length) & np.equal(periods_ns, period_ns)
            yield from self._one_kind(tree, block, of_kind, period_ns if period_ns > 0 else None)

    def _one_kind(
        self, tree: RootTree, block: _Block, chosen: NDArray[np.bool_], period_ns: float | None
    ) -> Iterator[Pulses]:
        assert block.waveforms is not None
        samples, fits = storable(block.waveforms.select(chosen))
        rows = np.flatnonzero(chosen)
        if not fits.all():
            broken = np.zeros(len(chosen), dtype=np.bool_)
            broken[rows[~fits]] = True
            self._count_damage(BAD_SAMPLES, tree, block, broken)
            samples, rows = samples[fits], rows[fits]
        if not len(rows):
            return
        self.report.n_read += len(rows)
        columns = {name: values[rows] for name, values in block.columns.items()}
        yield Pulses(samples=samples, sample_period_ns=period_ns, entry=block.entry[rows], **columns)

    def _periods_ns(self, block: _Block) -> NDArray[np.float64]:
        """Return the sampling period of each entry, 0 where it is unknown."""
        common = self.info.settings.sample_period_ns
        if common is not None or "board" not in block.columns:
            return np.full(len(block.in_range), common or 0.0)
        boards, position = np.unique(block.columns["board"], return_inverse=True)
        by_board = [self._layout.board_periods_ns.get(int(board)) or 0.0 for board in boards]
        return np.asarray(by_board, dtype=np.float64)[position]

    def _count_damage(self, kind: str, tree: RootTree, block: _Block, broken: NDArray[np.bool_]) -> None:
        count = int(np.count_nonzero(broken))
        if count:
            first = int(block.entry[np.argmax(broken)])
            self.report.add_damage(kind, offset=self._offset(tree, first), count=count)

    def _offset(self, tree: RootTree, entry: int) -> int | None:
        return tree.byte_offset(self._layout.branches[0], entry)

    def _inner_boundary(self, tree: RootTree, start: int, stop: int) -> int | None:
        inner = [np.empty(0, dtype=np.int64)]
        for name in self._layout.branches:
            boundaries = tree.boundaries(name)
            inner.append(boundaries[(boundaries > start) & (boundaries < stop)])
        found = np.unique(np.concatenate(inner))
        return int(found[len(found) // 2]) if len(found) else None

    def _refuse_if_all_lost(self, path: Path) -> None:
        report = self.report
        if report.n_damaged and not report.n_read + report.n_fake + report.n_empty:
            kinds = ", ".join(f"{damage.count} x {kind}" for kind, damage in report.damaged.items())
            fault = f"; first: {self._first_fault}" if self._first_fault else ""
            raise FormatError(f"not one event of tree '{self._layout.tree}' can be read: {kinds}{fault}", path)


def _values_of_pulses(
    source: ReadAhead, branch: str, entries: tuple[int, int], entry: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return one value a pulse, that of its entry or its own of a list, and whether the list is as long as it must."""
    start, stop = entries
    tree = source.tree
    if tree.branches[branch].shape == "scalar":
        return source.read_scalar(branch, start, stop)[entry - start], np.ones(len(entry), dtype=np.bool_)
    counts, items = tree.read_lists(branch, start, stop)
    alike = counts == np.bincount(entry - start, minlength=stop - start)
    listed = np.asarray(items)
    values = np.zeros(len(entry), dtype=listed.dtype)
    values[alike[entry - start]] = listed[np.repeat(alike, counts)]
    return values, alike[entry - start]


class RootListReader(WithoutWaveforms, RootReader):
    """Reads a tree without waveforms; a :class:`~discrimen.formats.base.ListModeReader`."""

    def event_chunks(self) -> Iterator[ListModeEvents]:
        """Read the file once and yield its events; see the protocol."""
        for tree, block in self.blocks():
            rows = np.flatnonzero(self._kept(tree, block))
            if len(rows):
                self.report.n_read += len(rows)
                columns = {name: values[rows] for name, values in block.columns.items()}
                yield events_of_columns({"entry": block.entry[rows], **columns})
