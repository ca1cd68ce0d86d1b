"""Preparations for windows of 20 samples, raw pulses for them, and whole models with golden vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discrimen.network.frozen_file import FrozenModel
from discrimen.network.golden import GoldenVectors, exact_values
from discrimen.network.graph import Network
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import Alignment, Channel, Preparation, one_channel

LENGTH = 20
COUNTS = one_channel(sample_period_ns=10.0, polarity=1, baseline_start=0, baseline_stop=0, window_length=LENGTH)
"""The samples themselves over the highest of them."""

FALLING = one_channel(
    sample_period_ns=10.0,
    polarity=-1,
    baseline_start=1,
    baseline_stop=9,
    window_length=LENGTH,
    alignment=Alignment(fraction=0.4, position=4, interpolate=True),
)
TWO_CHANNELS = Preparation(
    sample_period_ns=4.0,
    channels=(
        Channel(name="anode", polarity=-1, baseline_stop=8, window_start=9),
        Channel(name="dynode", baseline_start=2, baseline_stop=7, window_start=11),
    ),
    window_length=LENGTH,
    scale="area",
    reference=0,
)
MASKED = Preparation(
    sample_period_ns=4.0,
    channels=tuple(Channel(name=name, polarity=-1, baseline_stop=8) for name in ("left", "right", "top")),
    window_length=LENGTH,
    alignment=Alignment(position=5),
    masked=True,
)
"""The channel with the highest peak is the reference of each pulse."""

TOLERANCE = 2e-5
"""Of golden values, relative to the largest."""


def raw_pulses(preparation: Preparation, n_pulses: int = 16, *, seed: int = 5) -> NDArray[np.int32]:
    """Return raw records (pulse, channel, sample) in ADC counts that the preparation can prepare.

    Where it takes the samples as they are, they are random; else they are pulses of random height and decay time.
    """
    rng = np.random.default_rng(seed)
    shape = (n_pulses, preparation.n_channels)
    if all(channel.baseline_stop == 0 for channel in preparation.channels):
        return rng.normal(0, 1000, (*shape, preparation.shortest_record)).round().astype(np.int32)
    time = np.arange(max(preparation.shortest_record, 2 * LENGTH)) - rng.uniform(10, 14, (n_pulses, 1, 1))
    decay = rng.uniform(2, 8, (*shape, 1))
    pulse = np.where(time >= 0, np.exp(-np.maximum(time, 0) / decay), 0) * rng.uniform(500, 3000, (*shape, 1))
    polarity = np.array([channel.polarity for channel in preparation.channels])[:, np.newaxis]
    return (8000 + polarity * pulse + rng.normal(0, 3, pulse.shape)).round().astype(np.int32)


def channels_there(preparation: Preparation, n_pulses: int = 16) -> NDArray[np.bool_] | None:
    """Return which channels are there, every combination in turn; None where all must be."""
    if not preparation.masked:
        return None
    combination = 1 + np.arange(n_pulses) % (2**preparation.n_channels - 1)
    there: NDArray[np.bool_] = (combination[:, np.newaxis] >> np.arange(preparation.n_channels)) % 2 == 1
    return there


def frozen(network: Network, described: ModelDescription, *, n_pulses: int = 16) -> FrozenModel:
    """Return a whole model with golden vectors."""
    preparation = described.preparation
    samples, present = raw_pulses(preparation, n_pulses), channels_there(preparation, n_pulses)
    values = exact_values(network, preparation, samples, present=present)
    tolerances = tuple(TOLERANCE * float(np.abs(value).max()) for value in values)
    golden = GoldenVectors(samples=samples, present=present, values=values, tolerances=tolerances)
    return FrozenModel(described, network, golden)
