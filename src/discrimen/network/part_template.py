"""The one shape of the pulses of a detector, which a separating model keeps for pulses that lie apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from discrimen.errors import SettingsError

FINE = 8
"""Values of a template to a sample."""
BEFORE = 20
"""Samples before the constant-fraction crossing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTemplate:
    """A pulse of height 1, and from which distance on it is fitted to both pulses of a record.

    Parameters
    ----------
    values : tuple of float
        Eight to a sample, from 20 samples before the constant-fraction crossing on.
    least_distance : float
        Between the crossings of two pulses, in samples; nearer ones stay as the network gives them.

    Raises
    ------
    SettingsError
        If the values are too few or no finite numbers, or the distance is not positive.
    """

    values: tuple[float, ...]
    least_distance: float

    def __post_init__(self) -> None:
        fewest = (BEFORE + 2) * FINE
        if len(self.values) < fewest or not np.isfinite(self.values).all() or max(self.values) <= 0:
            raise SettingsError(
                f"the template of a pulse needs {fewest} finite values and more that rise above 0, got "
                f"{len(self.values)}"
            )
        if not (np.isfinite(self.least_distance) and self.least_distance > 0):
            raise SettingsError(f"two pulses lie apart from a positive distance on, got {self.least_distance} samples")

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return asdict(self) | {"values": list(self.values)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PartTemplate:
        """Build from what :meth:`as_dict` returned.

        Raises
        ------
        SettingsError
            If a name is unknown or missing, or a value does not fit.
        """
        try:
            given = dict(values)
            numbers = tuple(map(float, given.pop("values")))
            return cls(values=numbers, least_distance=float(given.pop("least_distance")), **given)
        except (TypeError, ValueError, KeyError) as error:
            raise SettingsError(f"this is no template of a pulse: {error}") from error
