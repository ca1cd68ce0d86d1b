"""Preparation: how a raw waveform becomes the input of a network. Part of the model, stored with it.

The order is fixed: polarity, baseline, alignment and window, scale. `discrimen.network.prepare` computes it with NumPy;
every other consumer of a model computes the same from this description.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from discrimen.errors import SettingsError

Scale = Literal["peak", "area", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Put the constant-fraction crossing of each pulse at one place of the window.

    Parameters
    ----------
    fraction : float
        The crossing is where the leading edge first reaches this fraction of the peak, found by walking back from
        the peak sample and interpolating linearly; between 0 and 1.
    position : int
        The window starts this many samples before the sample at or just before the crossing.
    interpolate : bool
        Shift by the fraction of a sample too, by linear interpolation.
    """

    fraction: float = 0.3
    position: int
    interpolate: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.fraction < 1:
            raise SettingsError(f"alignment fraction must lie between 0 and 1, got {self.fraction}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """From raw samples to network input.

    Parameters
    ----------
    sample_period_ns : float
        The sampling period that the model was trained at, in ns.
    polarity : int
        +1 for pulses that rise, -1 for pulses that fall.
    baseline_start, baseline_stop : int
        The baseline is the mean of these raw samples (half open).
    window_start, window_length : int
        Which samples the network sees, counted in the raw record; with an alignment the start follows each pulse
        instead, and samples beyond the record count as baseline.
    alignment : Alignment or None
        How the window follows the pulse.
    scale : {"peak", "area", "none"}
        Divide by the highest sample of the window, by the sum over the window, or by nothing (ADC counts).
    """

    sample_period_ns: float
    polarity: int
    baseline_start: int
    baseline_stop: int
    window_start: int = 0
    window_length: int
    alignment: Alignment | None = None
    scale: Scale = "peak"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sample_period_ns) and self.sample_period_ns > 0):
            raise SettingsError(f"sample_period_ns must be positive and finite, got {self.sample_period_ns}")
        if self.polarity not in (-1, 1):
            raise SettingsError(f"polarity must be +1 or -1, got {self.polarity}")
        if not 0 <= self.baseline_start < self.baseline_stop:
            raise SettingsError(f"baseline window must hold samples, got {self.baseline_start}:{self.baseline_stop}")
        if self.window_start < 0 or self.window_length < 1:
            raise SettingsError(f"window must hold samples, got {self.window_start} + {self.window_length}")
        if self.scale not in ("peak", "area", "none"):
            raise SettingsError(f"scale must be peak, area or none, got {self.scale!r}")

    @property
    def shortest_record(self) -> int:
        """The least number of samples a raw waveform must have."""
        window_stop = self.window_start + self.window_length
        return max(self.baseline_stop, window_stop if self.alignment is None else 1)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preparation:
        """Build from what :meth:`as_dict` returned.

        Raises
        ------
        SettingsError
            If a name is unknown or missing, or a value does not fit.
        """
        given = dict(values)
        try:
            if given.get("alignment") is not None:
                given["alignment"] = Alignment(**given["alignment"])
            return cls(**given)
        except TypeError as error:
            raise SettingsError(f"this is no preparation of a model: {error}") from error
