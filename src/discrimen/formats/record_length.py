"""One length of record out of a run that mixes several."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from discrimen.errors import DataError
from discrimen.formats.base import ListModeReader, Reader, ReadReport, RunInfo
from discrimen.pulses import Pulses, concatenate


class RecordLengthReader:
    """A reader that cuts longer records and leaves shorter ones out, in the order of the file.

    Parameters
    ----------
    reader : Reader
        The open file.
    n_samples : int
        Of every record that is handed out, from its start.

    Raises
    ------
    DataError
        If the file holds no waveforms.
    """

    def __init__(self, reader: Reader, n_samples: int) -> None:
        if isinstance(reader, ListModeReader):
            raise DataError(f"{reader.info.path}: holds no waveforms, and --record-samples cuts waveforms")
        self._reader = reader
        self._n_samples = n_samples
        self._n_short = 0

    @property
    def info(self) -> RunInfo:
        """What is known before reading."""
        return self._reader.info

    @property
    def report(self) -> ReadReport:
        """What the latest pass met; shorter records count as left out."""
        met = self._reader.report
        report = replace(met, n_read=met.n_read - self._n_short, damaged=dict(met.damaged))
        if self._n_short:
            report.add_damage(f"shorter than {self._n_samples} samples", offset=None, count=self._n_short)
        return report

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once; chunks of one block of the file, one for each length, are joined again.

        Raises
        ------
        DataError
            If every record is shorter.
        """
        self._n_short = n_read = 0
        block: list[Pulses] = []
        for pulses in self._reader.chunks():
            entry = pulses.column("entry")
            if block and entry.min() > max(int(part.column("entry").max()) for part in block):
                yield from _in_order(block)
                block = []
            if pulses.n_samples < self._n_samples:
                self._n_short += len(pulses)
                continue
            n_read += len(pulses)
            block.append(pulses.replace(samples=np.ascontiguousarray(pulses.samples[:, : self._n_samples])))
        if self._n_short and not n_read:
            raise DataError(f"{self.info.path}: all {self._n_short} records are shorter than {self._n_samples} samples")
        yield from _in_order(block)


def _in_order(block: list[Pulses]) -> Iterator[Pulses]:
    """Join the chunks of one block that can be joined, in the order of their entries."""
    for period_ns in dict.fromkeys(part.sample_period_ns for part in block):
        joined = concatenate(part for part in block if part.sample_period_ns == period_ns)
        yield joined[np.argsort(joined.column("entry"), kind="stable")]
