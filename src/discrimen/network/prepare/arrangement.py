"""How prepared pulses are laid out for a network: ours take (channel, sample), networks made elsewhere other shapes."""

from __future__ import annotations

from math import prod
from typing import Any, Literal

from discrimen.errors import SettingsError
from discrimen.network.preparation import Preparation

Arrangement = Literal["channel_sample", "sample_channel", "flat"]


def arrangement_for(shape: tuple[int | None, ...], preparation: Preparation) -> Arrangement:
    """Return how prepared pulses must be laid out for a network that takes values of a shape.

    Parameters
    ----------
    shape : tuple of int or None
        Of one pulse, as the network wants it; without the batch. None stands for any length.
    preparation : Preparation
        Says how many channels and samples there are.

    Raises
    ------
    SettingsError
        If the prepared pulses cannot have that shape, or lengths that are left open leave open which way round.
    """
    channels, samples = preparation.shape
    candidates: dict[Arrangement, tuple[int, ...]] = {
        "channel_sample": (channels, samples),
        "sample_channel": (samples, channels),
        "flat": (channels * samples,),
    }
    fitting = [arrangement for arrangement, lengths in candidates.items() if _fits(shape, lengths)]
    if len(fitting) == 1 or (fitting and None not in shape):
        return fitting[0]
    raise SettingsError(
        f"the network takes values of shape {shape}, but the preparation gives {channels} "
        f"channel{'s' if channels > 1 else ''} of {samples} samples: expected {(channels, samples)}, "
        f"{(samples, channels)} or {(channels * samples,)}"
    )


def _fits(shape: tuple[int | None, ...], lengths: tuple[int, ...]) -> bool:
    return len(shape) == len(lengths) and all(
        wanted in (None, length) for wanted, length in zip(shape, lengths, strict=True)
    )


def arranged(waveforms: Any, arrangement: Arrangement) -> Any:
    """Lay out prepared pulses, an array of any library and of shape (pulse, channel, sample)."""
    if arrangement == "flat":
        return waveforms.reshape(len(waveforms), prod(waveforms.shape[1:]))
    return waveforms.swapaxes(1, 2) if arrangement == "sample_channel" else waveforms
