"""Preparation: how a raw waveform becomes the input of a network. Part of the model, stored with it.

The order is fixed: baseline and polarity of each channel, common time and window, common scale.
`discrimen.network.prepare` computes it with NumPy;
every other consumer of a model computes the same from this description.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from discrimen.errors import SettingsError
from discrimen.output.summary import Summarised

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
class Channel:
    """One channel of the input.

    Parameters
    ----------
    name : str
        Differs from those of the other channels.
    polarity : int
        +1 for pulses that rise, -1 for pulses that fall.
    baseline_start, baseline_stop : int
        The baseline is the mean of these raw samples (half open). An empty range stands for a baseline of 0: input
        that is no raw record, for example a code.
    window_start : int
        The first raw sample that the network sees; with an alignment it is counted from where the alignment puts the
        window.
    """

    name: str = "signal"
    polarity: int = 1
    baseline_start: int = 0
    baseline_stop: int = 0
    window_start: int = 0

    def __post_init__(self) -> None:
        if not self.name or "\0" in self.name:
            raise SettingsError(f"a channel needs a name, got {self.name!r}")
        if self.polarity not in (-1, 1):
            raise SettingsError(f"polarity must be +1 or -1, got {self.polarity}")
        if not 0 <= self.baseline_start <= self.baseline_stop:
            raise SettingsError(f"a baseline window must not end before it begins, got {self.baseline_range}")

    @property
    def baseline_range(self) -> str:
        """The baseline window, for people."""
        return f"{self.baseline_start}:{self.baseline_stop}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Preparation(Summarised):
    """From raw samples to network input, of shape (channel, sample).

    Parameters
    ----------
    sample_period_ns : float
        The sampling period that the model was trained at, in ns; one for all channels.
    channels : tuple of Channel
        Polarity, baseline and window of each.
    window_length : int
        How many samples of each channel the network sees.
    alignment : Alignment or None
        How the windows follow the pulse, all of them together; samples beyond the record count as baseline.
    scale : {"peak", "area", "none"}
        Divide all channels by the highest sample of the reference channel's window, by the sum over it, or by nothing
        (ADC counts).
    reference : int or None
        The channel that time and scale are taken from; None: of each pulse the channel with the highest peak.
    masked : bool
        Whether channels may be absent from a pulse; they hold zeros, and never serve as reference.
    """

    sample_period_ns: float
    channels: tuple[Channel, ...]
    window_length: int
    alignment: Alignment | None = None
    scale: Scale = "peak"
    reference: int | None = None
    masked: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sample_period_ns) and self.sample_period_ns > 0):
            raise SettingsError(f"sample_period_ns must be positive and finite, got {self.sample_period_ns}")
        if not self.channels or len({channel.name for channel in self.channels}) != len(self.channels):
            raise SettingsError(f"each channel needs a name of its own, got {self.channel_names}")
        if self.window_length < 1:
            raise SettingsError(f"the window must hold samples, got {self.window_length}")
        for channel in self.channels:
            if self.alignment is None and channel.window_start < 0:
                raise SettingsError(f"channel {channel.name!r}: the window starts before the record")
        if self.scale not in ("peak", "area", "none"):
            raise SettingsError(f"scale must be peak, area or none, got {self.scale!r}")
        if self.reference is not None and not 0 <= self.reference < len(self.channels):
            raise SettingsError(f"there is no channel {self.reference} to be the reference of {len(self.channels)}")

    @property
    def n_channels(self) -> int:
        """How many channels a pulse has."""
        return len(self.channels)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels, in their order."""
        return tuple(channel.name for channel in self.channels)

    @property
    def shape(self) -> tuple[int, int]:
        """Channels and samples of what the network sees."""
        return len(self.channels), self.window_length

    @property
    def only(self) -> Channel:
        """The only channel.

        Raises
        ------
        SettingsError
            If there are several: what asks for one knows pulses of one channel only.
        """
        if len(self.channels) != 1:
            raise SettingsError(
                f"this is for models of one channel; this one has {len(self.channels)}: {', '.join(self.channel_names)}"
            )
        return self.channels[0]

    def with_only(self, **changes: Any) -> Preparation:
        """Return the preparation with the only channel changed; see :attr:`only`."""
        return replace(self, channels=(replace(self.only, **changes),))

    @property
    def shortest_record(self) -> int:
        """The least number of samples a raw waveform must have."""
        if self.alignment is not None:
            return max(1, *(channel.baseline_stop for channel in self.channels))
        return max(max(each.baseline_stop, each.window_start + self.window_length) for each in self.channels)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {**asdict(self), "channels": [asdict(channel) for channel in self.channels]}

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
            given["channels"] = tuple(Channel(**channel) for channel in given["channels"])
            if given.get("alignment") is not None:
                given["alignment"] = Alignment(**given["alignment"])
            return cls(**given)
        except (TypeError, KeyError) as error:
            raise SettingsError(f"this is no preparation of a model: {error}") from error


def one_channel(
    *,
    sample_period_ns: float,
    polarity: int,
    baseline_start: int,
    baseline_stop: int,
    window_length: int,
    window_start: int = 0,
    alignment: Alignment | None = None,
    scale: Scale = "peak",
) -> Preparation:
    """Return the preparation of pulses of a single channel; see :class:`Channel` and :class:`Preparation`."""
    channel = Channel(
        polarity=polarity, baseline_start=baseline_start, baseline_stop=baseline_stop, window_start=window_start
    )
    return Preparation(
        sample_period_ns=sample_period_ns,
        channels=(channel,),
        window_length=window_length,
        alignment=alignment,
        scale=scale,
    )
