"""A run that is played again and again, as one long run: its time and its numbers go on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from discrimen.errors import DataError
from discrimen.formats.base import ListModeReader, Reader, ReadReport, RunInfo
from discrimen.pulses import Pulses


class LoopedReader:
    """A reader that reads the file several times; a :class:`~discrimen.formats.base.Reader`.

    A round begins one mean step of time behind the latest pulse of the round before, so that no time stamp goes back
    that did not do so in the file.

    Parameters
    ----------
    reader : Reader
        The open file.
    n_rounds : int
        How often it is read.

    Raises
    ------
    DataError
        If the file holds no waveforms.
    """

    def __init__(self, reader: Reader, n_rounds: int) -> None:
        if isinstance(reader, ListModeReader):
            raise DataError(f"{reader.info.path}: holds no waveforms, and only these are played")
        self._reader, self._n_rounds = reader, n_rounds

    @property
    def info(self) -> RunInfo:
        """What is known before reading; the number of entries is that of one round."""
        return self._reader.info

    @property
    def report(self) -> ReadReport:
        """What the latest round met."""
        return self._reader.report

    def chunks(self) -> Iterator[Pulses]:
        """Read the file so many times."""
        later_ps, entries = 0, 0
        for _ in range(self._n_rounds):
            first_ps, last_ps, n_pulses, last_entry = None, 0, 0, -1
            for pulses in self._reader.chunks():
                times_ps, entry = pulses.timestamp_ps, pulses.column("entry")
                last_entry, n_pulses = max(last_entry, int(entry.max())), n_pulses + len(pulses)
                changes: dict[str, np.ndarray] = {"entry": entry + entries}
                if times_ps is not None:
                    earliest = int(times_ps.min())
                    first_ps = earliest if first_ps is None else min(first_ps, earliest)
                    last_ps = max(last_ps, int(times_ps.max()))
                    changes["timestamp_ps"] = times_ps + later_ps
                yield pulses.replace(**changes)
            entries += last_entry + 1
            if first_ps is not None:
                span_ps = last_ps - first_ps
                later_ps += span_ps + max(1, span_ps // max(1, n_pulses - 1))
