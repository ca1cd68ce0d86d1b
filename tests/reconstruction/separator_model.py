"""A frozen network that parts a record at a sample, and piled-up pulses for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.network.domain import learn_domain
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import Network, Node
from discrimen.network.layers import Dense, Flatten, Reshape
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import PREPARED, ClassThreshold, Output, class_scores
from discrimen.network.part_template import PartTemplate
from discrimen.network.preparation import Preparation
from discrimen.pulses import Pulses
from discrimen.runs.components import Components

LENGTH, CUT, LAST = 75, 32, 56
FIRST_AT, SECOND_AT, THIRD_AT = 15, 37, 60


def write_separator(
    path: Path,
    *,
    preparation: Preparation = PREPARATION,
    domain: bool = False,
    template: PartTemplate | None = None,
    share: float = 1.0,
) -> Path:
    """Freeze a network whose first part is what lies before sample 32, and whose second part is the rest.

    Anything behind makes a pair, anything behind sample 56 more than that. It gives a share of what it sees.
    """
    kernel = np.zeros((LENGTH, 2 * LENGTH), np.float32)
    for sample in range(LENGTH):
        kernel[sample, sample if sample < CUT else LENGTH + sample] = share
    scores = np.zeros((LENGTH, 3), np.float32)
    scores[CUT:LAST, 1] = 20
    scores[LAST:, 2] = 60
    bias = np.array([8.0, 0.0, 0.0], np.float32)
    network = Network(
        (
            Node(Flatten(), (0,)),
            Node(Dense(kernel=kernel, bias=np.zeros(2 * LENGTH, np.float32)), (1,)),
            Node(Reshape(steps=2, channels=LENGTH), (2,)),
            Node(Dense(kernel=scores, bias=bias), (1,)),
        ),
        (3, 4),
    )
    pile_up = replace(
        class_scores(("single", "pair", "more"), name="pile_up"),
        thresholds={"single": ClassThreshold(0.4, of="single")},
    )
    outputs = (Output(name="parts", kind="waveform", shape=(2, LENGTH), unit=PREPARED), pile_up)
    seen = learn_domain(toy_pulses(2000, seed=5).samples, preparation) if domain else None
    description = ModelDescription(preparation=preparation, outputs=outputs, domain=seen, part_template=template)
    samples = toy_pulses(10).samples.astype(np.int32)[:, np.newaxis]
    write_frozen(FrozenModel(description, network, golden_vectors(network, description, samples)), path)
    return path


def piled_up(n_pulses: int, *, n_in_each: int = 2, seed: int = 3) -> tuple[Pulses, Components]:
    """Return records of one, two or three short pulses, and their first two on their own."""
    rng = np.random.default_rng(seed)
    at = np.array([FIRST_AT, SECOND_AT, THIRD_AT])[:n_in_each]
    late = np.arange(LENGTH) - at[:, np.newaxis]
    height = rng.integers(500, 2000, (n_pulses, n_in_each, 1))
    waves = np.rint(height * np.where(late >= 0, np.exp(-np.maximum(late, 0) / 2.5), 0) * (late < 16))
    number = np.arange(n_pulses)
    pulses = Pulses(
        samples=(8000 - waves.sum(axis=1)).astype(np.uint16),
        sample_period_ns=10.0,
        entry=number,
        timestamp_ps=1_000_000 * (number + 1),
        energy=number.astype(float),
    )
    n_there = np.zeros((n_pulses, 2), np.int64)
    n_there[:, : min(n_in_each, 2)] = 1
    records = np.zeros((n_pulses, 2, LENGTH), np.float32)
    records[:, : min(n_in_each, 2)] = 8000 - waves[:, :2]
    label = np.where(n_there > 0, rng.integers(0, 2, (n_pulses, 2)), -1).astype(np.int8)
    return pulses, Components(records=records, n_pulses=n_there, label=label)
