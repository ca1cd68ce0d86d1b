"""Pulses: the waveforms of one stretch of a run, with what the digitizer and the analysis know of each.

Every stage of the package takes and returns :class:`Pulses`. The samples keep the type the digitizer gave them;
all columns are optional, have a fixed type and are checked once, when the object is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum, IntFlag
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.output.summary import Summarised
from discrimen.output.tabular import Tabular, rows_at


class Label(IntEnum):
    """What made a pulse."""

    UNKNOWN = -1
    GAMMA = 0
    NEUTRON = 1


class PulseFlag(IntFlag):
    """What the digitizer says of one pulse, in the bits of CoMPASS (CAEN UM5960); other formats map onto them."""

    DEAD_TIME = 0x1
    TIMESTAMP_ROLLOVER = 0x2
    TIMESTAMP_RESET = 0x4
    FAKE = 0x8
    MEMORY_FULL = 0x10
    TRIGGER_LOST = 0x20
    N_TRIGGERS_LOST = 0x40
    SATURATED_GATE = 0x80
    N_TRIGGERS_COUNTED = 0x100
    SATURATED_INPUT = 0x400
    N_TRIGGERS_COUNTED_BIS = 0x800
    NOT_MATCHED = 0x1000
    FINE_TIMESTAMP = 0x4000
    PILE_UP = 0x8000
    FAKE_PLL_LOCK_LOSS = 0x80000
    FAKE_OVER_TEMPERATURE = 0x100000
    FAKE_ADC_SHUTDOWN = 0x200000


FAKE_FLAGS = (
    PulseFlag.FAKE | PulseFlag.FAKE_PLL_LOCK_LOSS | PulseFlag.FAKE_OVER_TEMPERATURE | PulseFlag.FAKE_ADC_SHUTDOWN
)
"""An event with any of these bits holds no pulse; readers drop and count it."""

COLUMNS: Mapping[str, np.dtype[Any]] = MappingProxyType(
    {
        "entry": np.dtype(np.int64),
        "timestamp_ps": np.dtype(np.int64),
        "board": np.dtype(np.int32),
        "channel": np.dtype(np.int32),
        "flags": np.dtype(np.uint32),
        "energy": np.dtype(np.float64),
        "energy_short": np.dtype(np.float64),
        "energy_kevee": np.dtype(np.float32),
        "label": np.dtype(np.int8),
        "neutron_probability": np.dtype(np.float32),
        "photon_llr": np.dtype(np.float32),
        "record_llr": np.dtype(np.float32),
        "tof_ns": np.dtype(np.float64),
        "run": np.dtype(np.int32),
        "part": np.dtype(np.int8),
        "time_offset_ns": np.dtype(np.float64),
        "neutron_score": np.dtype(np.float32),
        "energy_kev": np.dtype(np.float32),
        "segment": np.dtype(np.int16),
        "x_mm": np.dtype(np.float32),
        "y_mm": np.dtype(np.float32),
        "z_mm": np.dtype(np.float32),
        "n_interactions": np.dtype(np.int8),
        "energy_2_kev": np.dtype(np.float32),
        "x_2_mm": np.dtype(np.float32),
        "y_2_mm": np.dtype(np.float32),
        "z_2_mm": np.dtype(np.float32),
    }
)
"""Every optional column of :class:`Pulses` and its type."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Pulses(Summarised, Tabular):
    """Waveforms of equal length and sampling period, with one value a pulse in each column that is present.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        As digitised, in ADC counts: an integer type of up to 32 bits, or float32 (corrected x742 data), all finite.
    sample_period_ns : float or None
        Time between samples in ns; None where the file does not say and nobody told.
    entry : ndarray of int64, shape (pulse,), optional
        Position of the event in its file, counting every event, dropped ones too.
    timestamp_ps : ndarray of int64, optional
        Trigger time in ps since the start of the run.
    board, channel : ndarray of int32, optional
        Where the pulse was digitised.
    flags : ndarray of uint32, optional
        Bits of :class:`PulseFlag`.
    energy, energy_short : ndarray of float64, optional
        What the digitizer's own long and short gates gave, in its own units.
    energy_kevee : ndarray of float32, optional
        Light in keV electron equivalent.
    label : ndarray of int8, optional
        Values of :class:`Label`.
    neutron_probability : ndarray of float32, optional
        Soft label: how probable somebody who looked at this very pulse finds it to be a neutron.
    photon_llr : ndarray of float32, optional
        Simulation only: log p(photon times | neutron) - log p(photon times | gamma), natural logarithm.
    record_llr : ndarray of float32, optional
        Simulation only: log p(samples | neutron) - log p(samples | gamma), natural logarithm.
    tof_ns : ndarray of float64, optional
        Time of flight in ns.
    run : ndarray of int32, optional
        Number of the run.
    part : ndarray of int8, optional
        Of pulses that lay on each other in one record: which of them, by time, from 0 on; all have one `entry`.
    time_offset_ns : ndarray of float64, optional
        Of parts: how much later than part 0, in ns.
    neutron_score : ndarray of float32, optional
        Of parts: what a classifier gave it; never a label.
    energy_kev : ndarray of float32, optional
        Energy that was left in the detector, in keV.
    segment : ndarray of int16, optional
        Of a segmented detector: the segment that collects the charge, or most of it.
    x_mm, y_mm, z_mm : ndarray of float32, optional
        Where the energy was left, in mm, in the coordinates of the detector; NaN where one is not known. Of several
        interactions the one with the most energy.
    n_interactions : ndarray of int8, optional
        In how many places energy was left.
    energy_2_kev, x_2_mm, y_2_mm, z_2_mm : ndarray of float32, optional
        Energy and place of the interaction with the second most energy; NaN where there is none.

    Raises
    ------
    DataError
        If a shape, type or value does not fit.
    """

    samples: NDArray[Any]
    sample_period_ns: float | None
    entry: NDArray[np.int64] | None = None
    timestamp_ps: NDArray[np.int64] | None = None
    board: NDArray[np.int32] | None = None
    channel: NDArray[np.int32] | None = None
    flags: NDArray[np.uint32] | None = None
    energy: NDArray[np.float64] | None = None
    energy_short: NDArray[np.float64] | None = None
    energy_kevee: NDArray[np.float32] | None = None
    label: NDArray[np.int8] | None = None
    neutron_probability: NDArray[np.float32] | None = None
    photon_llr: NDArray[np.float32] | None = None
    record_llr: NDArray[np.float32] | None = None
    tof_ns: NDArray[np.float64] | None = None
    run: NDArray[np.int32] | None = None
    part: NDArray[np.int8] | None = None
    time_offset_ns: NDArray[np.float64] | None = None
    neutron_score: NDArray[np.float32] | None = None
    energy_kev: NDArray[np.float32] | None = None
    segment: NDArray[np.int16] | None = None
    x_mm: NDArray[np.float32] | None = None
    y_mm: NDArray[np.float32] | None = None
    z_mm: NDArray[np.float32] | None = None
    n_interactions: NDArray[np.int8] | None = None
    energy_2_kev: NDArray[np.float32] | None = None
    x_2_mm: NDArray[np.float32] | None = None
    y_2_mm: NDArray[np.float32] | None = None
    z_2_mm: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        _check_samples(self.samples)
        period = self.sample_period_ns
        if period is not None and not (np.isfinite(period) and period > 0):
            raise DataError(f"sample_period_ns must be positive and finite, got {period}")
        for name, dtype in COLUMNS.items():
            column = getattr(self, name)
            if column is not None:
                object.__setattr__(self, name, _checked_column(name, column, dtype, len(self.samples)))

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int | slice | NDArray[Any] | Sequence[int]) -> Pulses:
        """Select pulses by a slice, a boolean mask or an array of positions; a single position gives one pulse."""
        index = rows_at(index, len(self))
        taken = {name: column[index] for name, column in self.columns().items()}
        return Pulses(samples=self.samples[index], sample_period_ns=self.sample_period_ns, **taken)

    @property
    def n_samples(self) -> int:
        """Number of samples of each waveform."""
        return int(self.samples.shape[1])

    def summary(self) -> dict[str, str]:
        """Return shape, type and sampling, classes and columns, for people."""
        facts = {"pulses": str(len(self)), "samples": f"{self.n_samples} of {self.samples.dtype}"}
        facts["sampled"] = "unknown" if self.sample_period_ns is None else f"every {self.sample_period_ns:g} ns"
        if self.label is not None:
            found = {each: int((self.label == each).sum()) for each in Label}
            facts["labels"] = ", ".join(f"{n} {each.name.lower()}" for each, n in found.items() if n) or "none"
        return facts | {"columns": ", ".join(self.columns()) or "none"}

    def table_columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns that are present, and the samples."""
        return {**self.columns(), "samples": self.samples}

    def table_remarks(self) -> dict[str, str]:
        """Return the sampling period, where it is known."""
        return {} if self.sample_period_ns is None else {"sample_period_ns": f"{self.sample_period_ns:.17g}"}

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns that are present, by name."""
        return {name: getattr(self, name) for name in COLUMNS if getattr(self, name) is not None}

    def column(self, name: str) -> NDArray[Any]:
        """Return a column that must be present.

        Raises
        ------
        DataError
            If it is absent.
        """
        values = self.columns().get(name)
        if values is None:
            raise DataError(f"these pulses have no column '{name}'; they have: {', '.join(self.columns()) or 'none'}")
        return values

    def require_sample_period_ns(self) -> float:
        """Return the sampling period in ns.

        Raises
        ------
        SettingsError
            If it is unknown.
        """
        if self.sample_period_ns is None:
            raise SettingsError("the sampling period is not in the file: give it with --sample-period-ns")
        return self.sample_period_ns

    def replace(self, **changes: Any) -> Pulses:
        """Return a copy with some fields changed."""
        kept = {field.name: getattr(self, field.name) for field in fields(self)}
        return Pulses(**(kept | changes))

    def labelled(self) -> Pulses:
        """Return the pulses whose label is gamma or neutron.

        Raises
        ------
        DataError
            If there is no column 'label'.
        """
        return self[self.column("label") != Label.UNKNOWN]


def concatenate(parts: Iterable[Pulses]) -> Pulses:
    """Join pulses of equal length, type and sampling period; a column survives if every part has it.

    Raises
    ------
    DataError
        If there is nothing to join, or lengths, types or sampling periods differ.
    """
    chunks = list(parts)
    if not chunks:
        raise DataError("no pulses: nothing to join")
    for what in ("n_samples", "sample_period_ns"):
        values = {getattr(chunk, what) for chunk in chunks}
        if len(values) > 1:
            listed = ", ".join(str(value) for value in sorted(values, key=str))
            way_out = "choose with --record-samples" if what == "n_samples" else "read one board at a time"
            raise DataError(f"cannot join pulses of different {what}: {listed}; {way_out}")
    dtypes = {chunk.samples.dtype for chunk in chunks}
    if len(dtypes) > 1:
        raise DataError(f"cannot join pulses of different sample types: {', '.join(sorted(map(str, dtypes)))}")
    if len(chunks) == 1:
        return chunks[0]
    shared = set.intersection(*(set(chunk.columns()) for chunk in chunks))
    columns = {name: np.concatenate([chunk.column(name) for chunk in chunks]) for name in COLUMNS if name in shared}
    samples = np.concatenate([chunk.samples for chunk in chunks])
    return Pulses(samples=samples, sample_period_ns=chunks[0].sample_period_ns, **columns)


def _check_samples(samples: object) -> None:
    if not isinstance(samples, np.ndarray) or samples.ndim != 2:
        shape = getattr(samples, "shape", type(samples).__name__)
        raise DataError(f"samples must be an array of shape (pulse, sample), got {shape}")
    if samples.shape[1] == 0:
        raise DataError("waveforms of zero length hold nothing to classify")
    if samples.dtype.kind in "iu" and samples.dtype.itemsize <= 4:
        return
    if samples.dtype != np.float32:
        raise DataError(f"samples must be integers of up to 32 bits or float32, got {samples.dtype}")
    bad = np.flatnonzero(~np.isfinite(samples).all(axis=1))
    if len(bad):
        raise DataError(f"{len(bad)} waveforms hold NaN or infinite samples, the first is number {bad[0]}")


def _checked_column(name: str, column: object, dtype: np.dtype[Any], n_pulses: int) -> NDArray[Any]:
    values = np.asarray(column)
    if values.shape != (n_pulses,):
        raise DataError(f"column '{name}' must have shape ({n_pulses},), got {values.shape}")
    if values.dtype == dtype:
        return values
    if values.dtype.kind not in "iufb" or (dtype.kind in "iu" and values.dtype.kind == "f"):
        raise DataError(f"column '{name}' must be {dtype}, got {values.dtype}")
    if dtype.kind in "iu" and values.size:
        limits = np.iinfo(dtype)
        lowest, highest = int(values.min()), int(values.max())
        if lowest < limits.min or highest > limits.max:
            raise DataError(f"column '{name}' holds {lowest}..{highest}, beyond the range of {dtype}")
    return values.astype(dtype)
