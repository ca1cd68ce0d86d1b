"""What to generate, as it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from discrimen.errors import SettingsError

Prior = Literal["posterior", "normal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationOptions:
    """What to generate.

    Parameters
    ----------
    n_pulses : int
        How many.
    class_name : str or None
        Only pulses of this class.
    neutron_share : float or None
        Share of neutrons; by default that of the training pulses.
    energy_min_kevee, energy_max_kevee : float or None
        Part of the light of the training pulses, whose spectrum it follows; by default all of it.
    energy_kevee : float or None
        The same light for all.
    height_min_adc, height_max_adc, height_adc : float or None
        The same for the height, of a generator that was trained by it (highest sample above the baseline).
    rate_hz : float
        Of the time stamps.
    prior : {"posterior", "normal"}
        Where codes are drawn from: around those of training pulses of the class and nearly the light, as wide as the
        encoder says, or from independent standard normal numbers.
    seed : int
        The same seed gives the same pulses.
    """

    n_pulses: int = 100_000
    class_name: str | None = None
    neutron_share: float | None = None
    energy_min_kevee: float | None = None
    energy_max_kevee: float | None = None
    energy_kevee: float | None = None
    height_min_adc: float | None = None
    height_max_adc: float | None = None
    height_adc: float | None = None
    rate_hz: float = 1000.0
    prior: Prior = "posterior"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_pulses < 1:
            raise SettingsError(f"n_pulses must be at least 1, got {self.n_pulses}")
        if not (np.isfinite(self.rate_hz) and self.rate_hz > 0):
            raise SettingsError(f"rate_hz must be positive and finite, got {self.rate_hz}")
        if self.prior not in get_args(Prior):
            raise SettingsError(f"prior must be one of {', '.join(get_args(Prior))}, got {self.prior!r}")
        if self.seed < 0:
            raise SettingsError(f"seed must not be negative, got {self.seed}")

    @property
    def wanted(self) -> dict[str, Any]:
        """Fields of :class:`~discrimen.reconstruction.generated_sizes.Wanted`."""
        others = ("n_pulses", "rate_hz", "prior", "seed")
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name not in others}
