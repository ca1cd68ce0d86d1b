"""A frozen network with random weights, and runs of two boards whose records differ in length."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.formats.table import open_writer
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.network.domain import learn_domain
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import chain
from discrimen.network.height_curve import Cut
from discrimen.network.layers import Dense, Flatten
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import class_scores
from discrimen.pulses import Pulses
from discrimen.pulses.detector import ChannelSettings, DetectorSettings

N_LONG, N_SHORT, SHORT = 240, 60, 20
"""Pulses of board 0 (75 samples, channels 0 to 3) and of board 1 (20 samples, channels 0 and 1)."""


def write_small_model(
    path: Path,
    *,
    domain: bool = False,
    threshold: Cut | None = None,
    channels: Sequence[int] = (),
    classes: tuple[str, ...] = ("gamma", "neutron"),
    seed: int = 2,
) -> Path:
    """Freeze a network 75-2 with random weights.

    It may know the pulses of board 0, store a threshold, and list channels of board 0.
    """
    kernel = np.random.default_rng(seed).standard_normal((75, 2)).astype(np.float32)
    network = chain([Flatten(), Dense(kernel=kernel, bias=np.zeros(2, np.float32))])
    seen = learn_domain(toy_pulses(2000, seed=5).samples, PREPARATION) if domain else None
    listed = tuple(ChannelSettings(channel=each) for each in channels) or None
    description = ModelDescription(
        preparation=PREPARATION,
        outputs=(class_scores(classes),),
        settings=DetectorSettings(channels=listed),
        domain=seen,
    )
    if threshold is not None:
        description = description.with_thresholds({"mine": threshold})
    samples = toy_pulses(10).samples.astype(np.int32)[:, np.newaxis]
    write_frozen(FrozenModel(description, network, golden_vectors(network, description, samples)), path)
    return path


def small_predictor(folder: Path) -> ReferencePredictor:
    """Return the small model, ready to use."""
    return ReferencePredictor(write_small_model(folder / "small.discrimen"))


def long_records() -> Pulses:
    """Return what board 0 recorded."""
    number = np.arange(N_LONG)
    pulses = toy_pulses(N_LONG // 2, seed=4).replace(label=None)
    return pulses.replace(
        timestamp_ps=1_000_000 * (number + 1),
        board=np.zeros(N_LONG, np.int32),
        channel=(number % 4).astype(np.int32),
        flags=np.zeros(N_LONG, np.uint32),
    )


def short_records() -> Pulses:
    """Return what board 1 recorded, too short for the model."""
    taken = long_records()[:N_SHORT]
    return taken.replace(
        samples=taken.samples[:, :SHORT], board=np.ones(N_SHORT, np.int32), channel=taken.column("channel") % 2
    )


def write_run(path: Path, *parts: Pulses) -> Path:
    """Write a CoMPASS run with its settings."""
    with open_writer(path, DetectorSettings(polarity="negative")) as writer:
        for part in parts:
            writer.write(part)
    return path
