"""What the decoder of a generator is told of a pulse beside the code: its class, where classes are known, and its size.

The size is the light, or, where there is no calibration, the height in ADC counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError

SizeName = Literal["energy_kevee", "height_adc"]


@dataclass(frozen=True, slots=True)
class Size:
    """What says how large a pulse is.

    Parameters
    ----------
    name : str
        With its unit, as columns are named.
    word, unit : str
        For people.
    """

    name: SizeName
    word: str
    unit: str

    @property
    def range_name(self) -> str:
        """Name of a range of it, with the unit."""
        return f"{self.word}_{self.name.rsplit('_', 1)[1]}"


LIGHT = Size("energy_kevee", "light", "keVee")
HEIGHT = Size("height_adc", "height", "ADC counts")
SIZES: Mapping[str, Size] = MappingProxyType({each.name: each for each in (LIGHT, HEIGHT)})
ANY_PULSE = ("pulse",)
"""Instead of the classes where they are not known."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a decoder is told beside the code: the class, one number each, and the logarithm of the size.

    Parameters
    ----------
    classes : tuple of str
        In the order of the numbers in the column `label`; none where the training pulses had no classes.
    log_mean, log_spread : float
        Of the natural logarithm of the size.
    size : Size
        Light, or height above the baseline.
    """

    classes: tuple[str, ...]
    log_mean: float
    log_spread: float
    size: Size = LIGHT

    @property
    def n_values(self) -> int:
        """How many numbers it has."""
        return len(self.classes) + 1

    @property
    def groups(self) -> tuple[str, ...]:
        """The classes, or the only kind of pulse where there are none."""
        return self.classes or ANY_PULSE

    def rows(self, label: NDArray[Any], size: NDArray[Any]) -> NDArray[np.float32]:
        """Return the condition of pulses, shape (pulse, n_values); without classes the label says nothing."""
        rows = np.zeros((len(size), self.n_values), np.float32)
        if self.classes:
            rows[np.arange(len(size)), label] = 1
        rows[:, -1] = (np.log(size) - self.log_mean) / self.log_spread
        return rows

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        word = self.size.word
        told = {"classes": list(self.classes), f"log_{word}_mean": self.log_mean, f"log_{word}_spread": self.log_spread}
        return told if self.size == LIGHT else told | {"size": self.size.name}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Condition:
        """Build from what :meth:`as_dict` returned; without a size it is the light.

        Raises
        ------
        SettingsError
            If the size is none of :data:`SIZES`.
        """
        size = size_of(str(values.get("size", LIGHT.name)))
        mean, spread = (float(values[f"log_{size.word}_{each}"]) for each in ("mean", "spread"))
        return cls(tuple(map(str, values["classes"])), mean, spread, size)


def size_of(name: str) -> Size:
    """Return the size of this name.

    Raises
    ------
    SettingsError
        If there is none.
    """
    if name not in SIZES:
        raise SettingsError(f"the size of a pulse is one of {', '.join(SIZES)}, got {name!r}")
    return SIZES[name]
