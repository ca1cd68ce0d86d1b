"""Hits put together from channels: the traces of one crystal at one time, side by side, and what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import OrderedReader, Reader
from discrimen.pulses import Pulses
from discrimen.pulses.hit_flags import HIT_FAULTS, HitFlag
from discrimen.pulses.hits import Hits
from discrimen.runs.gather_options import GatherOptions
from discrimen.runs.gather_report import GatherReport
from discrimen.runs.hit_traces import is_flat, scattered, side_by_side
from discrimen.runs.hit_units import HOLD, sort_into_units

MOST_BYTES = 2**29
"""Traces that follow each other in no order of entries are held up to so many bytes."""


def gather_hits(
    reader: Reader, *, options: GatherOptions | None = None, report: GatherReport | None = None
) -> Iterator[Hits]:
    """Put the pulses of one run together to hits, chunk by chunk.

    Parameters
    ----------
    reader : Reader
        An open run whose pulses have channels and times; the board is the crystal.
    options : GatherOptions, optional
        By default 36 segments and the core, at the very same time.
    report : GatherReport, optional
        Filled while hits come.

    Yields
    ------
    Hits
        In the order of the file, with the columns `entry`, `timestamp_ps`, `board`, `flags`
        (:class:`~discrimen.pulses.hit_flags.HitFlag` and those of the traces), and, where the file has energies,
        `energy` of the core and `segment`, that with the largest.

    Raises
    ------
    DataError
        If pulses have no channels or no times, or differ in sampling period or type.
    SettingsError
        If there is a threshold, and the file has no energies.
    """
    chunks = reader.chunks_in_order() if isinstance(reader, OrderedReader) else reader.chunks()
    first = list(_beginning(chunks))
    lengths = Counter[int]()
    for pulses in first:
        lengths[pulses.n_samples] += len(pulses)
    if not lengths:
        return
    (n_samples, _), *_ = lengths.most_common(1)
    pattern = next(pulses for pulses in first if pulses.n_samples == n_samples)
    gathering = _Gathering(
        options or GatherOptions(), GatherReport() if report is None else report, path=reader.info.path, pattern=pattern
    )
    for pulses in chain(first, chunks):
        if gathering.is_behind(pulses):
            yield from gathering.closed_hits(is_end=False)
        gathering.take(pulses)
    yield from gathering.closed_hits(is_end=True)


def _beginning(chunks: Iterator[Pulses]) -> Iterable[Pulses]:
    """Yield chunks until the most common length of a trace can be told."""
    n_pulses = 0
    for pulses in chunks:
        yield pulses
        n_pulses += len(pulses)
        if n_pulses >= HOLD:
            return


class _Gathering:
    """Traces that still wait for the rest of their hits."""

    def __init__(self, options: GatherOptions, report: GatherReport, *, path: Path, pattern: Pulses) -> None:
        self._options, self._report, self._path = options, report, path
        self._row = np.full(max(options.channels) + 1, -1, np.int64)
        self._row[list(options.channels)] = np.arange(len(options.channels))
        self._is_known_dead = np.isin(options.channels, options.dead)
        self._is_core = np.array([channel == options.core for channel in options.channels])
        self._held: dict[str, NDArray[Any]] = {}
        self._new: list[dict[str, NDArray[Any]]] = []
        self._n_samples, self._dtype = pattern.n_samples, pattern.samples.dtype
        self._period_ns, self._has_energy = pattern.sample_period_ns, pattern.energy is not None
        if options.threshold is not None and not self._has_energy:
            raise SettingsError(f"{path}: its traces have no energies that a threshold could be set on: leave it out")
        self._newest, self._n_bytes = -1, 0
        self._latest_ps: dict[int, int] = {}

    def is_behind(self, pulses: Pulses) -> bool:
        """Whether all that came before these traces in the file was taken.

        A block with traces of several lengths gives a chunk for each; what is in it is together only after the last.
        """
        return pulses.entry is None or int(pulses.entry.min()) > self._newest

    def take(self, pulses: Pulses) -> None:
        """Add traces to those that wait."""
        for name in ("channel", "timestamp_ps", "entry"):
            if getattr(pulses, name) is None:
                raise DataError(f"{self._path}: its pulses have no column '{name}': channels cannot be put together")
        now, before = (pulses.samples.dtype, pulses.sample_period_ns), (self._dtype, self._period_ns)
        if now != before:
            raise DataError(
                f"{self._path}: traces of {now[0]} every {now[1]} ns beside others of {before[0]} every {before[1]} "
                "ns: choose with --board or --channel"
            )
        self._n_bytes = (0 if self.is_behind(pulses) else self._n_bytes) + pulses.samples.nbytes
        if self._n_bytes > MOST_BYTES:
            raise DataError(
                f"{self._path}: the traces of a hit are more than {self._n_bytes >> 20} MiB apart in it, as in files "
                "that store channel after channel: give the file that was recorded"
            )
        self._new.append(self._of_table(pulses))
        self._newest = max(self._newest, int(pulses.column("entry").max()))

    def _of_table(self, pulses: Pulses) -> dict[str, NDArray[Any]]:
        """Return what is needed of the pulses whose channels are in the table; others are counted."""
        channel = pulses.column("channel").astype(np.int64)
        is_near = (channel >= 0) & (channel < len(self._row))
        row = np.where(is_near, self._row[np.where(is_near, channel, 0)], -1)
        self._report.n_traces += len(pulses)
        is_other = row < 0
        if is_other.any():
            for each, count in zip(*np.unique(channel[is_other], return_counts=True), strict=True):
                self._report.other_channels[int(each)] += int(count)
            pulses, row = pulses[~is_other], row[~is_other]
        nothing = np.zeros(len(pulses), np.int64)
        is_cut = pulses.n_samples != self._n_samples
        return {
            "row": row,
            "samples": np.zeros((len(pulses), self._n_samples), self._dtype) if is_cut else pulses.samples,
            "entry": pulses.column("entry"),
            "time_ps": pulses.column("timestamp_ps"),
            "board": nothing if pulses.board is None else pulses.board.astype(np.int64),
            "flags": nothing.astype(np.uint32) if pulses.flags is None else pulses.flags,
            "energy": np.full(len(pulses), np.nan) if pulses.energy is None else pulses.energy,
            "is_cut": np.full(len(pulses), is_cut),
        }

    def closed_hits(self, *, is_end: bool) -> Iterator[Hits]:
        """Yield the hits that get no more traces; traces of the others go on waiting."""
        if not is_end and sum(len(part["row"]) for part in self._new) < HOLD:
            return
        parts = [self._held, *self._new] if self._held else self._new
        held = (
            {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if len(parts) > 1 else parts[0]
        )
        self._held, self._new = held, []
        if not len(held["row"]):
            return
        units = sort_into_units(
            **{name: held[name] for name in ("board", "time_ps", "entry", "row")},
            window_ps=round(1000 * self._options.window_ns),
            is_required=~self._is_known_dead,
        )
        n_closed = len(units.first) if is_end else units.closed(self._newest)
        is_closed = units.of_trace < n_closed
        traces = held if is_closed.all() else {name: each[is_closed] for name, each in held.items()}
        self._held = {name: each[~is_closed] for name, each in held.items()}
        if n_closed:
            yield from self._hits(
                traces, units.of_trace[is_closed], units.is_repeated[is_closed], units.first[:n_closed]
            )

    def _hits(
        self,
        traces: dict[str, NDArray[Any]],
        unit: NDArray[np.int64],
        is_repeated: NDArray[np.bool_],
        first: NDArray[Any],
    ) -> Iterator[Hits]:
        """Lay the traces of whole hits side by side, say what is wrong with them, and yield those that are wanted."""
        shape = (len(first), len(self._options.channels))
        kept = np.flatnonzero(~is_repeated)
        unit_kept, row = unit[kept], traces["row"][kept]
        place = unit_kept * shape[1] + row
        is_dead = self._is_known_dead[row]
        if self._options.flat_is_dead:
            is_dead = is_dead | (is_flat(traces["samples"])[kept] & ~traces["is_cut"][kept])
        found = {
            "here": scattered(place, np.ones(len(kept), np.bool_), shape),
            "dead": scattered(place, is_dead, shape),
            "cut": scattered(place, traces["is_cut"][kept], shape),
        }
        found["repeated"] = np.bincount(unit[is_repeated], minlength=shape[0])[:, np.newaxis] > 0
        energy = np.full(shape, np.nan)
        energy.reshape(-1)[place] = traces["energy"][kept]
        faults = self._faults(found, energy)
        self._count(found, faults, n_repeated=int(is_repeated.sum()))
        columns = self._columns(traces, unit, first, faults=faults, energy=energy)
        self._count_same_time(columns["board"], columns["timestamp_ps"])
        wanted = np.flatnonzero((faults & np.uint32(self._options.leave_out)) == 0)
        self._report.n_left_out += shape[0] - len(wanted)
        if not len(wanted):
            return
        present = found["here"] & ~found["dead"] & ~found["cut"]
        samples = side_by_side(traces["samples"], kept, place, shape)
        samples[~present] = 0
        hits = Hits(
            samples=samples,
            sample_period_ns=self._period_ns,
            present=present,
            columns=columns,
            channels=self._options.names,
        )
        yield hits if len(wanted) == shape[0] else hits[wanted]

    def _faults(self, found: dict[str, NDArray[np.bool_]], energy: NDArray[np.float64]) -> NDArray[np.uint32]:
        """Return the flags of each hit."""
        is_missing = ~found["here"] & ~self._is_known_dead
        core = self._is_core
        lacks_core = (is_missing | found["dead"] | found["cut"])[:, core].any(axis=1) | (
            core & self._is_known_dead
        ).any()
        threshold = self._options.threshold
        faults = {
            HitFlag.NO_CORE: lacks_core,
            HitFlag.MISSING_SEGMENT: is_missing[:, ~core].any(axis=1),
            HitFlag.DEAD_CHANNEL: (found["dead"] | self._is_known_dead).any(axis=1),
            HitFlag.REPEATED_CHANNEL: found["repeated"][:, 0],
            HitFlag.UNEQUAL_LENGTH: found["cut"].any(axis=1),
        }
        if threshold is not None and core.any():
            faults[HitFlag.BELOW_THRESHOLD] = ~(energy[:, core][:, 0] >= threshold)
        flags = np.zeros(len(energy), np.uint32)
        for flag, is_set in faults.items():
            flags |= np.where(is_set, np.uint32(flag), np.uint32(0))
        return flags

    def _count(self, found: dict[str, NDArray[np.bool_]], faults: NDArray[np.uint32], *, n_repeated: int) -> None:
        report = self._report
        report.n_hits += len(faults)
        report.n_whole += int((faults == 0).sum())
        report.n_repeated += n_repeated
        for fault in HIT_FAULTS:
            report.faults[fault] += int(((faults & np.uint32(fault)) != 0).sum())
        is_missing = ~found["here"] & ~self._is_known_dead
        for counter, is_bad in ((report.missing, is_missing), (report.dead, found["dead"] | self._is_known_dead)):
            for row in np.flatnonzero(is_bad.any(axis=0)).tolist():
                counter[self._options.channels[row]] += int(is_bad[:, row].sum())

    def _count_same_time(self, board: NDArray[np.int32], time_ps: NDArray[np.int64]) -> None:
        """Count hits with the crystal and the time of the one before."""
        for each in np.unique(board).tolist():
            times_ps = time_ps[board == each]
            before_ps = self._latest_ps.get(each)
            self._report.n_same_time += int((np.diff(times_ps) == 0).sum()) + (before_ps == int(times_ps[0]))
            self._latest_ps[each] = int(times_ps[-1])

    def _columns(
        self,
        traces: dict[str, NDArray[Any]],
        unit: NDArray[np.int64],
        first: NDArray[np.int64],
        *,
        faults: NDArray[np.uint32],
        energy: NDArray[np.float64],
    ) -> dict[str, NDArray[Any]]:
        order = np.argsort(unit, kind="stable")
        begins = np.flatnonzero(np.append(True, np.diff(unit[order]) != 0))
        columns: dict[str, NDArray[Any]] = {
            "entry": first,
            "timestamp_ps": np.minimum.reduceat(traces["time_ps"][order], begins),
            "board": traces["board"][order][begins].astype(np.int32),
            "flags": np.bitwise_or.reduceat(traces["flags"][order], begins) | faults,
        }
        if not self._has_energy:
            return columns
        core = np.flatnonzero(self._is_core)
        if len(core):
            columns["energy"] = energy[:, core[0]]
        size = np.where(np.isnan(energy) | self._is_core, -np.inf, np.abs(energy))
        segment = size.argmax(axis=1)
        is_known = np.take_along_axis(size, segment[:, np.newaxis], axis=1)[:, 0] > 0
        columns["segment"] = np.where(is_known, segment, -1).astype(np.int16)
        return columns
