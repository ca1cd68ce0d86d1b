"""Where gamma rays struck, as files give it: one row for each place in a crystal where energy was left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError

_TYPES: dict[str, type[np.generic]] = {
    "event": np.int64,
    "crystal": np.int32,
    "segment": np.int32,
    "x_mm": np.float32,
    "y_mm": np.float32,
    "z_mm": np.float32,
    "energy_kev": np.float32,
    "timestamp_ps": np.int64,
    "core_energy_kev": np.float32,
    "chi_square": np.float32,
    "status": np.int32,
}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class InteractionPoints:
    """Interaction points of hits; those of one hit follow each other.

    Parameters
    ----------
    event : ndarray of int64, shape (point,)
        Number of the hit: of one crystal at one time.
    crystal : ndarray of int32, shape (point,)
        Which crystal.
    segment : ndarray of int32, shape (point,)
        Which of its segments.
    x_mm, y_mm, z_mm : ndarray of float32, shape (point,)
        In the coordinates of the crystal.
    energy_kev : ndarray of float32, shape (point,)
        Left there, in the unit of the file, which is keV where it was calibrated.
    timestamp_ps : ndarray of int64, shape (point,)
        Of the hit.
    core_energy_kev, chi_square : ndarray of float32, shape (point,), optional
        Of the hit: energy of the core, and how well its traces were described.
    status : ndarray of int32, shape (point,), optional
        What the search said of the hit; 0 is good.

    Raises
    ------
    DataError
        If the columns differ in length.
    """

    event: NDArray[np.int64]
    crystal: NDArray[np.int32]
    segment: NDArray[np.int32]
    x_mm: NDArray[np.float32]
    y_mm: NDArray[np.float32]
    z_mm: NDArray[np.float32]
    energy_kev: NDArray[np.float32]
    timestamp_ps: NDArray[np.int64]
    core_energy_kev: NDArray[np.float32] | None = None
    chi_square: NDArray[np.float32] | None = None
    status: NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        for name, kind in _TYPES.items():
            values = getattr(self, name)
            if values is not None:
                object.__setattr__(self, name, np.asarray(values).astype(kind, copy=False))
        shapes = {name: values.shape for name, values in self.columns().items()}
        if len(set(shapes.values())) > 1 or self.event.ndim != 1:
            raise DataError(f"columns of interaction points must be of one length, got {shapes}")

    def __len__(self) -> int:
        return len(self.event)

    def __getitem__(self, index: slice | NDArray[Any]) -> InteractionPoints:
        """Select points by a slice, a boolean mask or an array of positions."""
        return InteractionPoints(**{name: values[index] for name, values in self.columns().items()})

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return every column that is there, by name."""
        return {field.name: values for field in fields(self) if (values := getattr(self, field.name)) is not None}

    @property
    def is_located(self) -> NDArray[np.bool_]:
        """Whether all three coordinates of each point are numbers, of shape (point,)."""
        return np.asarray(np.isfinite([self.x_mm, self.y_mm, self.z_mm]).all(axis=0))

    def begins(self) -> NDArray[np.int64]:
        """Return where the points of each hit begin, of shape (hit,)."""
        is_first = np.append(True, self.event[1:] != self.event[:-1])[: len(self)]
        return np.flatnonzero(is_first)


NOT_LOCATED = "interaction point(s) with a coordinate that is no number"
"""How readers tell of them."""


def join_points(parts: Iterable[InteractionPoints]) -> InteractionPoints:
    """Join points; a column survives if every part has it.

    Raises
    ------
    DataError
        If there is nothing to join.
    """
    each = [part.columns() for part in parts]
    if not each:
        raise DataError("no interaction points: nothing to join")
    shared = [name for name in each[0] if all(name in columns for columns in each)]
    return InteractionPoints(**{name: np.concatenate([columns[name] for columns in each]) for name in shared})
