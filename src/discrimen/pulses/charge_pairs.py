"""ChargePairs: what list mode keeps of each pulse, the charges of the long and of the short gate, and no samples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChargePairs:
    """Gated charges of one stretch of a run, as the digitizer computed them.

    Parameters
    ----------
    entry : ndarray of int64, shape (pulse,)
        Position of the event in its file, counting every event, dropped ones too.
    long_charge, short_charge : ndarray of float64, shape (pulse,)
        In units of the digitizer.
    channel : ndarray of int32, shape (pulse,)
        Where the pulse was digitised.
    timestamp_ticks : ndarray of int64, shape (pulse,)
        Trigger time in ticks of the digitizer's clock; the file does not say how long a tick is.

    Raises
    ------
    DataError
        If the columns differ in length.
    """

    entry: NDArray[np.int64]
    long_charge: NDArray[np.float64]
    short_charge: NDArray[np.float64]
    channel: NDArray[np.int32]
    timestamp_ticks: NDArray[np.int64]

    def __post_init__(self) -> None:
        shapes = {name: values.shape for name, values in self.columns().items()}
        if len(set(shapes.values())) > 1 or self.entry.ndim != 1:
            raise DataError(f"columns of charges must be of one length, got {shapes}")

    def __len__(self) -> int:
        return len(self.entry)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return every column by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def psd(self) -> NDArray[np.float64]:
        """The pulse shape parameter, (Q_long - Q_short) / Q_long; NaN where the long charge is not positive."""
        positive = self.long_charge > 0
        tail = self.long_charge - self.short_charge
        fraction: NDArray[np.float64] = np.where(positive, tail / np.where(positive, self.long_charge, 1.0), np.nan)
        return fraction

    @property
    def psd_step(self) -> NDArray[np.float64]:
        """By how much the PSD changes with one count of the short charge; 0 where charges are no whole numbers."""
        counted = all(bool((charge == np.rint(charge)).all()) for charge in (self.long_charge, self.short_charge))
        step: NDArray[np.float64] = float(counted) / np.maximum(self.long_charge, 1.0)
        return step


def concatenate_charges(parts: Iterable[ChargePairs]) -> ChargePairs:
    """Join stretches of a run.

    Raises
    ------
    DataError
        If there is nothing to join.
    """
    chunks = list(parts)
    if not chunks:
        raise DataError("no pulses: nothing to join")
    names = [field.name for field in fields(ChargePairs)]
    return ChargePairs(**{name: np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in names})
