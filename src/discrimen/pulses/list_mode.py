"""ListModeEvents: what list mode keeps of each pulse (charges, pulse shape parameter, times), and no samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.output.summary import Summarised
from discrimen.output.tabular import Tabular, rows_at
from discrimen.pulses.waveforms import COLUMNS, PulseFlag

LIST_COLUMNS: Mapping[str, np.dtype[Any]] = MappingProxyType(
    {
        **{
            name: COLUMNS[name]
            for name in ("entry", "timestamp_ps", "board", "channel", "flags", "energy", "energy_short", "tof_ns")
        },
        "psd": np.dtype(np.float64),
        "score": np.dtype(np.float64),
    }
)
"""What a column of a list may be called, and its type: energies are the charges of the long and of the short gate, a
score is any number that is larger for neutrons."""

LIST_ONLY = tuple(name for name in LIST_COLUMNS if name not in COLUMNS)

_SATURATED = PulseFlag.SATURATED_GATE | PulseFlag.SATURATED_INPUT


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class ListModeEvents(Summarised, Tabular):
    """Events of one stretch of a run, as the digitizer or another analysis computed them; None where there is none.

    Parameters
    ----------
    entry : ndarray of int64, shape (pulse,)
        Position of the event in its file, counting every event, dropped ones too.
    long_charge, short_charge : ndarray of float64, shape (pulse,), optional
        In units of the digitizer.
    given_psd : ndarray of float64, shape (pulse,), optional
        Pulse shape parameter, larger for neutrons, where the file has it beside or instead of the short charge.
    tof_ns : ndarray of float64, shape (pulse,), optional
        Raw time of flight.
    score : ndarray of float64, shape (pulse,), optional
        Somebody's figure, larger for neutrons.
    board, channel : ndarray of int32, shape (pulse,), optional
        Where the pulse was digitised.
    flags : ndarray of uint32, shape (pulse,), optional
        :class:`~discrimen.pulses.PulseFlag`.
    timestamp_ps : ndarray of int64, shape (pulse,), optional
        Trigger time.
    timestamp_ticks : ndarray of int64, shape (pulse,), optional
        Trigger time in ticks of the digitizer's clock, where the file does not say how long a tick is.

    Raises
    ------
    DataError
        If the columns differ in length.
    """

    entry: NDArray[np.int64]
    long_charge: NDArray[np.float64] | None = None
    short_charge: NDArray[np.float64] | None = None
    given_psd: NDArray[np.float64] | None = None
    tof_ns: NDArray[np.float64] | None = None
    score: NDArray[np.float64] | None = None
    board: NDArray[np.int32] | None = None
    channel: NDArray[np.int32] | None = None
    flags: NDArray[np.uint32] | None = None
    timestamp_ps: NDArray[np.int64] | None = None
    timestamp_ticks: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        shapes = {name: values.shape for name, values in self.columns().items()}
        if len(set(shapes.values())) > 1 or self.entry.ndim != 1:
            raise DataError(f"columns of a list must be of one length, got {shapes}")

    def __len__(self) -> int:
        return len(self.entry)

    def __getitem__(self, index: int | slice | NDArray[Any] | Sequence[int]) -> ListModeEvents:
        """Select events by a slice, a boolean mask or an array of positions; a single position gives one event."""
        return select_events(self, rows_at(index, len(self)))

    def table_columns(self) -> dict[str, NDArray[Any]]:
        """Return every column that is there."""
        return self.columns()

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return every column that is there, by name."""
        return {field.name: values for field in fields(self) if (values := getattr(self, field.name)) is not None}

    @property
    def psd(self) -> NDArray[np.float64] | None:
        """The pulse shape parameter as given, else (Q_long - Q_short) / Q_long; None where neither is known.

        NaN where the long charge is not positive, or the digitizer flags saturation.
        """
        if self.given_psd is not None:
            fraction = self.given_psd.astype(np.float64)
        elif self.long_charge is not None and self.short_charge is not None:
            positive = self.long_charge > 0
            tail = self.long_charge - self.short_charge
            fraction = np.where(positive, tail / np.where(positive, self.long_charge, 1.0), np.nan)
        else:
            return None
        if self.flags is not None:
            fraction[(self.flags & np.uint32(_SATURATED)) != 0] = np.nan
        return fraction

    @property
    def psd_step(self) -> NDArray[np.float64]:
        """By how much the PSD changes with one count of the short charge; 0 where charges are no whole numbers."""
        charges = (self.long_charge, self.short_charge)
        if self.given_psd is not None or self.long_charge is None:
            return np.zeros(len(self))
        counted = all(charge is not None and bool((charge == np.rint(charge)).all()) for charge in charges)
        step: NDArray[np.float64] = float(counted) / np.maximum(self.long_charge, 1.0)
        return step


def events_of_columns(columns: Mapping[str, NDArray[Any]]) -> ListModeEvents:
    """Put columns under the names of :data:`LIST_COLUMNS` together."""
    renamed = {"energy": "long_charge", "energy_short": "short_charge", "psd": "given_psd"}
    return ListModeEvents(**{renamed.get(name, name): values for name, values in columns.items()})


def select_events(events: ListModeEvents, which: NDArray[Any]) -> ListModeEvents:
    """Return some of the events, by a mask or by positions."""
    return ListModeEvents(**{name: values[which] for name, values in events.columns().items()})


def concatenate_events(parts: Iterable[ListModeEvents]) -> ListModeEvents:
    """Join stretches of a run.

    Raises
    ------
    DataError
        If there is nothing to join.
    """
    chunks = list(parts)
    if not chunks:
        raise DataError("no pulses: nothing to join")
    names = chunks[0].columns()
    return ListModeEvents(**{name: np.concatenate([chunk.columns()[name] for chunk in chunks]) for name in names})
