"""Pulses of several channels that belong together, as arrays: the way in for what no run file holds yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.pulses import Pulses


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChannelPulses:
    """Pulses of one or several channels.

    Parameters
    ----------
    samples : ndarray of integers or float32, shape (pulse, channel, sample)
        As digitised, in ADC counts.
    sample_period_ns : float, sequence of float, or None
        Time between samples in ns, of all channels or of each; they must agree. None where it is not known.
    present : ndarray of bool, shape (pulse, channel), optional
        Which channels are there; by default all.
    columns : mapping of str to ndarray, shape (pulse,)
        What is known of each pulse, by the names of :data:`discrimen.pulses.COLUMNS`, for example `label` or `run`.
    info : Pulses
        The columns as pulses; their samples say nothing.

    Raises
    ------
    DataError
        If a shape or a column does not fit.
    SettingsError
        If the channels differ in their sampling.
    """

    samples: NDArray[Any]
    sample_period_ns: float | Sequence[float] | None
    present: NDArray[np.bool_] | None = None
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    info: Pulses = field(init=False)

    def __post_init__(self) -> None:
        samples = np.asarray(self.samples)
        if samples.ndim != 3:
            raise DataError(f"samples must have shape (pulse, channel, sample), got {samples.shape}")
        if not (samples.dtype.kind in "iu" and samples.dtype.itemsize <= 4) and samples.dtype != np.float32:
            raise DataError(f"samples must be integers of up to 32 bits or float32, got {samples.dtype}")
        if self.present is not None and self.present.shape != samples.shape[:2]:
            raise DataError(f"expected which channels are there as {samples.shape[:2]}, got {self.present.shape}")
        period_ns = _one_period(self.sample_period_ns, samples.shape[1])
        object.__setattr__(self, "sample_period_ns", period_ns)
        nothing = np.zeros((len(samples), 1), dtype=np.int16)
        object.__setattr__(self, "info", Pulses(samples=nothing, sample_period_ns=period_ns, **self.columns))

    def __len__(self) -> int:
        return len(self.samples)


def channel_pulses(pulses: Pulses | ChannelPulses) -> ChannelPulses:
    """Return pulses of one channel as pulses of several, without a copy."""
    if isinstance(pulses, ChannelPulses):
        return pulses
    return ChannelPulses(
        samples=pulses.samples[:, np.newaxis, :], sample_period_ns=pulses.sample_period_ns, columns=pulses.columns()
    )


def _one_period(period_ns: float | Sequence[float] | None, n_channels: int) -> float | None:
    if period_ns is None or isinstance(period_ns, int | float):
        return period_ns
    each = [float(one) for one in period_ns]
    if len(each) != n_channels:
        raise SettingsError(f"expected {n_channels} sampling periods, one a channel, got {len(each)}")
    for number, one in enumerate(each):
        if not np.isclose(one, each[0], rtol=1e-6):
            raise SettingsError(
                f"channel {number} has a sample every {one:g} ns, channel 0 every {each[0]:g} ns: a network takes "
                "channels of one sampling; resample one of them, or train a network for each"
            )
    return each[0]
