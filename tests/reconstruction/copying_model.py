"""A frozen network that gives the waveform that it is given, and pulses for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.network.domain import learn_domain
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import chain
from discrimen.network.layers import Dense, Flatten, Reshape
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import PREPARED, Output
from discrimen.network.preparation import Preparation
from discrimen.pulses import Pulses

FALLING = PREPARATION


def falling_pulses(n_pulses: int, *, seed: int = 4) -> Pulses:
    """Return pulses of both classes, with time stamps and flags."""
    pulses = toy_pulses((n_pulses + 1) // 2, seed=seed)[:n_pulses].replace(label=None)
    number = np.arange(n_pulses)
    return pulses.replace(entry=number, timestamp_ps=1_000_000 * (number + 1), flags=np.zeros(n_pulses, np.uint32))


def write_copying_model(path: Path, *, preparation: Preparation = FALLING, domain: bool = True) -> Path:
    """Freeze a network that copies its input."""
    copy = Dense(kernel=np.eye(75, dtype=np.float32), bias=np.zeros(75, np.float32))
    network = chain([Flatten(), copy, Reshape(steps=1, channels=75)])
    seen = learn_domain(toy_pulses(2000, seed=5).samples, preparation) if domain else None
    waveform = Output(name="reconstruction", kind="waveform", shape=(1, 75), unit=PREPARED)
    description = replace(ModelDescription(preparation=preparation, domain=seen), outputs=(waveform,))
    longer = ((0, 0), (0, 0), (0, preparation.only.window_start))
    samples = np.pad(toy_pulses(10).samples.astype(np.int32)[:, np.newaxis], longer, mode="edge")
    write_frozen(FrozenModel(description, network, golden_vectors(network, description, samples)), path)
    return path
