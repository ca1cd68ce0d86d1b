"""Pulses of two channels whose place and height are known, for the tests of the tasks."""

from __future__ import annotations

import numpy as np

from discrimen.network.preparation import Channel, Preparation, Scale
from discrimen.training import Hits

N_SAMPLES = 24


def two_channels(*, scale: Scale = "none", masked: bool = False) -> Preparation:
    """A baseline of four samples in front of a window of sixteen, in both channels."""
    channels = tuple(
        Channel(name=name, polarity=polarity, baseline_start=0, baseline_stop=4, window_start=4)
        for name, polarity in (("left", 1), ("right", -1))
    )
    return Preparation(sample_period_ns=8.0, channels=channels, window_length=16, scale=scale, masked=masked)


def pair_pulses(n_pulses: int, *, seed: int = 0, noise_adc: float = 2.0) -> tuple[Hits, np.ndarray]:
    """Pulses whose light is shared between two channels, and the share of the left one, from 0 to 1."""
    rng = np.random.default_rng(seed)
    share = rng.uniform(0.1, 0.9, n_pulses)
    time = np.arange(N_SAMPLES) - 6.0
    shape = np.where(time >= 0, np.exp(-time / 5), 0)
    height = 1000 * np.stack([share, share - 1], axis=1)
    samples = 5000 + height[:, :, np.newaxis] * shape + rng.normal(0, noise_adc, (n_pulses, 2, N_SAMPLES))
    labels = (share > 0.5).astype(np.int8)
    pulses = Hits(samples=samples.round().astype(np.int16), sample_period_ns=8.0, columns={"label": labels})
    return pulses, share
