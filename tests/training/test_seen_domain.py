"""A training leaves in the model what pulses it has seen, distorted ones too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.training.toy_pulses import PREPARATION, labelled_examples, toy_pulses

from discrimen.network.domain import Domain, outside
from discrimen.network.model_description import read_description
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.hits import as_hits
from discrimen.training import TrainingConfig, train
from discrimen.training.epoch_feed import plain_feed, training_feed
from discrimen.training.examples import part_examples
from discrimen.training.seen_domain import seen_domain


def domain_with(augment: dict[str, float]) -> Domain:
    pulses = toy_pulses(1000)
    config = TrainingConfig(augment=augment)
    parts = part_examples(labelled_examples(pulses), np.arange(len(pulses)) % 10 == 0, config.task.classes)
    feed = training_feed(
        pulses, parts[0], config, targets=parts[0].targets, preparation=PREPARATION, settings=DetectorSettings()
    )
    domain = seen_domain(as_hits(pulses), parts, PREPARATION, feed=feed, adc_bits=14)
    assert domain is not None
    return domain


def test_pulses_that_the_network_sees_only_distorted_are_like_them() -> None:
    later = np.roll(toy_pulses(200, seed=9).samples, 2, axis=1)
    plain, distorted = domain_with({}), domain_with({"time": 40.0})
    assert (outside(later, PREPARATION, plain) != 0).mean() > 0.99
    assert (outside(later, PREPARATION, distorted) != 0).mean() < 0.02


def test_only_pulses_that_teach_or_judge_are_seen() -> None:
    pulses = toy_pulses(1000)
    labels = np.where(np.arange(2000) % 2 == 0, pulses.column("label"), -1).astype(np.int8)
    half = pulses.replace(label=labels)
    config = TrainingConfig()
    parts = part_examples(labelled_examples(half), np.arange(2000) % 10 == 0, config.task.classes)
    domain = seen_domain(as_hits(half), parts, PREPARATION, feed=plain_feed(parts[0], config), adc_bits=None)
    assert domain is not None
    assert domain.n_pulses == 1000


def test_a_trained_model_knows_its_domain(tmp_path: Path) -> None:
    pulses = toy_pulses(100)
    result = train(pulses, PREPARATION, TrainingConfig(architecture="mlp", epochs=1), folder=tmp_path)
    assert result.description.domain is not None
    assert read_description(tmp_path / "model.json").domain == result.description.domain
    assert (outside(pulses.samples, PREPARATION, result.description.domain) != 0).mean() < 0.02
