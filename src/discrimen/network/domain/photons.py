"""What a model has seen of photoelectrons: how much light its pulses have for their height."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.network.preparation import Preparation


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Tails:
    """Where the tail lies, and the smooth curves that tails are made of.

    Parameters
    ----------
    start : int
        First sample of the tail in the window.
    curves : ndarray of float64, shape (curve, sample)
        Orthonormal.
    """

    start: int
    curves: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Photons:
    """What a training has seen of photoelectrons.

    Parameters
    ----------
    variance_adc : tuple of float
        Least and largest variance of a sample by photoelectrons over its signal, in ADC counts, over the channels.
    tail_start : int
        First sample of the tail in the window.
    curves : tuple of tuple of float, (curve, sample)
        Smooth curves that tails are made of.
    """

    variance_adc: tuple[float, float]
    tail_start: int
    curves: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        lengths = {len(curve) for curve in self.curves}
        numbers = np.array([*self.variance_adc, *sum(self.curves, ())])
        low, high = self.variance_adc
        if len(lengths) != 1 or not np.all(np.isfinite(numbers)) or not 0 < low <= high or self.tail_start < 0:
            raise SettingsError("this is no record of photoelectrons: its limits or curves do not fit each other")

    @property
    def tails(self) -> Tails:
        """Where the tail lies, and its curves."""
        return Tails(start=self.tail_start, curves=np.array(self.curves))

    def require_fits(self, preparation: Preparation) -> None:
        """Refuse curves that reach beyond the window.

        Raises
        ------
        DataError
            If they do.
        """
        if self.tail_start + len(self.curves[0]) > preparation.window_length:
            raise DataError(f"the tails of the domain do not fit the window of {preparation.window_length} samples")

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Photons:
        """Build from what :meth:`as_dict` returned."""
        given = {**values, "variance_adc": tuple(values["variance_adc"]), "curves": tuple(map(tuple, values["curves"]))}
        return cls(**given)
