"""Pulses whose class is easy to tell: one decay and a tail that is larger for neutrons."""

from __future__ import annotations

import numpy as np

from discrimen.network.preparation import Preparation, one_channel
from discrimen.pulses import Pulses
from discrimen.pulses.hits import as_hits
from discrimen.training import Hits, TrainingConfig
from discrimen.training.examples import Examples

PREPARATION = one_channel(
    sample_period_ns=10.0, polarity=-1, baseline_start=0, baseline_stop=12, window_start=0, window_length=75
)


def toy_pulses(n_each: int, *, seed: int = 0) -> Pulses:
    """Negative pulses of 75 samples at 10 ns, all gammas first, then all neutrons, as files often are ordered."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1], n_each).astype(np.int8)
    time = np.arange(75) - 15.0
    tail = np.where(labels == 1, 0.3, 0.1)[:, np.newaxis] + rng.normal(0, 0.01, (2 * n_each, 1))
    shape = np.where(time >= 0, (1 - tail) * np.exp(-time / 3) + tail * np.exp(-time / 20), 0)
    height_adc = rng.uniform(500, 3000, (2 * n_each, 1))
    samples = 8000 - height_adc * shape + rng.normal(0, 3, shape.shape)
    return Pulses(samples=samples.round().astype(np.uint16), sample_period_ns=10.0, label=labels)


def labelled_examples(pulses: Pulses | Hits, preparation: Preparation = PREPARATION) -> Examples:
    """What a classification learns from."""
    config = TrainingConfig()
    return config.task.examples(as_hits(pulses), preparation, {}, config)
