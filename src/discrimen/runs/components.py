"""The clean pulses that piled-up records are the sum of: what a simulation writes, and what a network learns from.

In a native file each component is a record of its own, with the column `entry` of the record that it is part of, `part`
(0, or 1 for the second pulse) and `time_offset_ns`; a record of one pulse has part 0 alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.base import Reader
from discrimen.formats.pile_up_text.reader import parts_beside
from discrimen.output.summary import Summarised
from discrimen.pulses import Pulses, concatenate
from discrimen.simulation.simulate import SimulatedBlock

N_PARTS = 2
_LEAST_RISE = 0.04
"""Of the height of a clean waveform: from one sample to the next it rises so much only where a pulse begins."""
_LEAST_RISE_ADC = 1.5
"""Rounding to whole counts makes steps of one."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Components(Summarised):
    """The two clean components of each of some records, in their order.

    Parameters
    ----------
    records : ndarray of float32, shape (pulse, part, sample)
        In ADC counts as the records themselves: with baseline and polarity; a part that is not there is flat.
    n_pulses : ndarray of int64, shape (pulse, part)
        How many pulses each component holds: 0 where it is not there; more than 1 where a label has several.
    label : ndarray of int8, shape (pulse, part), or None
        Class of each; -1 where it is not there.
    energy_kevee, time_offset_ns : ndarray of float64, shape (pulse, part), or None
        Light, and delay against the first; NaN where it is not there.
    """

    records: NDArray[np.float32]
    n_pulses: NDArray[np.int64]
    label: NDArray[np.int8] | None = None
    energy_kevee: NDArray[np.float64] | None = None
    time_offset_ns: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.records)

    @property
    def singles(self) -> NDArray[np.bool_]:
        """Records with one pulse in each component, shape (pulse,)."""
        return np.asarray((self.n_pulses == 1).all(axis=1))

    def __getitem__(self, index: NDArray[Any] | slice) -> Components:
        """Select records by a slice, a boolean mask or an array of positions."""
        rest = {
            name: None if values is None else values[index]
            for name in ("label", "energy_kevee", "time_offset_ns")
            for values in (getattr(self, name),)
        }
        return Components(records=self.records[index], n_pulses=self.n_pulses[index], **rest)


def components_of(block: SimulatedBlock) -> Pulses:
    """Return the clean components of simulated records as pulses, in the order of `entry` and `part`.

    Raises
    ------
    DataError
        If a record holds more than two pulses.
    """
    pulses, second = block.pulses, block.pile_up
    if len(np.unique(second.pulse)) < len(second.pulse):
        raise DataError(
            "components are for records of two pulses at most, and a record has more: simulate with a share of "
            "second pulses (--pileup-fraction), not with those of a rate"
        )
    first = block.sign * (block.clean_adc - block.baseline_adc[:, np.newaxis])
    first[second.pulse] -= second.second_adc
    waves = np.concatenate([first, second.second_adc])
    parent = np.concatenate([np.arange(len(pulses)), second.pulse])
    part = np.repeat(np.array([0, 1], np.int8), [len(pulses), len(second.pulse)])
    order = np.lexsort((part, parent))
    delay = np.concatenate([np.zeros(len(pulses)), second.delay_ns])
    label = np.concatenate([pulses.column("label"), second.label])
    light = np.concatenate([pulses.column("energy_kevee"), second.energy_kevee])
    baseline = block.baseline_adc[parent, np.newaxis]
    kept = {
        name: pulses.columns()[name][parent[order]]
        for name in ("entry", "board", "channel", "run", "timestamp_ps")
        if name in pulses.columns()
    }
    return Pulses(
        samples=(baseline + block.sign * waves).astype(np.float32)[order],
        sample_period_ns=pulses.sample_period_ns,
        part=part[order],
        time_offset_ns=delay[order],
        label=label[order],
        energy_kevee=light[order],
        **kept,
    )


def components_beside(readers: Sequence[Reader], open_part: Callable[[Path], Reader]) -> list[Components] | None:
    """Read the clean waveforms that lie beside files of traces; None where a file has none.

    Parameters
    ----------
    readers : sequence of Reader
        Of the traces.
    open_part : callable
        Opens a file of clean waveforms.

    Raises
    ------
    FormatError, DataError
        If the files cannot be read, or do not fit each other.
    """
    found = []
    for reader in readers:
        beside = parts_beside(reader.info.path)
        if beside is None:
            return None
        found.append(
            _of_labels(
                concatenate(reader.chunks()),
                [concatenate(open_part(path).chunks()) for path in beside],
                where=reader.info.path,
            )
        )
    return found


def _of_labels(traces: Pulses, labels: Sequence[Pulses], *, where: Path) -> Components:
    """Pair the rows of traces and labels by their number in the file."""
    for each in labels:
        if each.n_samples != traces.n_samples:
            raise DataError(
                f"{where}: traces of {traces.n_samples} samples, but clean waveforms of {each.n_samples}: they must "
                "be as long"
            )
        missing = np.setdiff1d(traces.column("entry"), each.column("entry"))
        if len(missing):
            raise DataError(
                f"{where}: {len(missing)} traces have no clean waveform, the first is in row {missing[0] + 1}: give "
                "as many rows in all three files"
            )
    rows = [each.samples[np.searchsorted(each.column("entry"), traces.column("entry"))] for each in labels]
    records = np.stack(rows, axis=1).astype(np.float32)
    return Components(records=records, n_pulses=np.stack([n_rises(each) for each in rows], axis=1))


def n_rises(waves_adc: NDArray[Any]) -> NDArray[np.int64]:
    """Count the pulses of noiseless waveforms by where these rise, shape (pulse,); two that rise at once are one.

    Parameters
    ----------
    waves_adc : ndarray, shape (pulse, sample)
        Upwards, above a baseline of 0.
    """
    waves = waves_adc.astype(np.float64)
    height = waves.max(axis=1)
    rising = np.diff(waves, axis=1, prepend=0) > np.maximum(_LEAST_RISE * height, _LEAST_RISE_ADC)[:, np.newaxis]
    begins = rising & ~np.concatenate([np.zeros((len(rising), 1), np.bool_), rising[:, :-1]], axis=1)
    return np.where(height > 0, np.maximum(begins.sum(axis=1), 1), 0)


def read_components(reader: Reader, pulses: Pulses) -> Components:
    """Read the components of the records of a run from a native file.

    Parameters
    ----------
    reader : Reader
        Of the file of components.
    pulses : Pulses
        The records, with the column `entry`.

    Raises
    ------
    DataError
        If the file holds no components, or those of other records.
    """
    where = reader.info.path
    parts = concatenate(reader.chunks())
    for name in ("part", "entry"):
        if name not in parts.columns():
            raise DataError(
                f"{where}: no components of piled-up records (no column '{name}'): give what "
                "'simulate --components' or 'overlay --components' wrote"
            )
    if parts.n_samples != pulses.n_samples:
        raise DataError(f"{where}: components of {parts.n_samples} samples, records of {pulses.n_samples}")
    part, entry = parts.column("part"), parts.column("entry")
    first, second = (np.flatnonzero(part == number) for number in range(N_PARTS))
    first = first[np.argsort(entry[first], kind="stable")]
    at = np.searchsorted(entry[first], pulses.column("entry"))
    if not len(first) or (at == len(first)).any() or (entry[first[at]] != pulses.column("entry")).any():
        raise DataError(
            f"{where}: not all of the {len(pulses)} records have a component: give the file that was written with them"
        )
    _require_same_times(pulses, parts, first[at], where=where)
    rows = np.full((len(pulses), N_PARTS), -1)
    rows[:, 0] = first[at]
    order = np.argsort(pulses.column("entry"), kind="stable")
    owner = np.minimum(np.searchsorted(pulses.column("entry")[order], entry[second]), len(pulses) - 1)
    owner = order[owner]
    there = pulses.column("entry")[owner] == entry[second]
    rows[owner[there], 1] = second[there]
    return _gathered(parts, rows)


def joined_components(found: Sequence[Components]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return records and numbers of pulses of the components of several files, in their order."""
    return np.concatenate([each.records for each in found]), np.concatenate([each.n_pulses for each in found])


def _require_same_times(pulses: Pulses, parts: Pulses, rows: NDArray[np.int64], *, where: Path) -> None:
    if pulses.timestamp_ps is None or parts.timestamp_ps is None:
        return
    other = np.flatnonzero(pulses.timestamp_ps != parts.timestamp_ps[rows])
    if len(other):
        raise DataError(
            f"{where}: the components are of other records: timestamp_ps of record {other[0]} differs; "
            "give the files that were written together, in one order"
        )


def _gathered(parts: Pulses, rows: NDArray[np.int64]) -> Components:
    there = rows >= 0
    records = parts.samples[rows].astype(np.float32)
    records[~there] = np.float32(0)
    label, light = parts.label, parts.energy_kevee
    return Components(
        records=records,
        n_pulses=there.astype(np.int64),
        label=None if label is None else np.where(there, label[rows], -1).astype(np.int8),
        energy_kevee=None if light is None else np.where(there, light[rows], np.nan).astype(np.float64),
        time_offset_ns=np.where(there, parts.column("time_offset_ns")[rows], np.nan),
    )
