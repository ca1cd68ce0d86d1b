"""Results are what the model gives; what does not fit it gets none, and is counted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.scoring.small_model import small_predictor
from tests.training.toy_pulses import toy_pulses

from discrimen.network.thresholds import ChosenThreshold
from discrimen.online.message import Message, unpack
from discrimen.online.run_log import message_of
from discrimen.online.scorer import Scorer
from discrimen.pulses import Pulses
from discrimen.scoring.quantities import NO_CLASS


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    predictor = small_predictor(tmp_path_factory.mktemp("model"))
    middle = float(np.median(predictor.predict(toy_pulses(100).samples)[:, 1]))
    return Scorer(predictor, "0" * 64, ChosenThreshold(middle))


@pytest.fixture(scope="module")
def message() -> Message:
    pulses = toy_pulses(100)[:120]
    return message_of(pulses, source=1, sequence=0, begin_ps=0)


def test_results_are_those_of_the_model(scorer: Scorer, message: Message) -> None:
    wanted = scorer.predictor.predict(message.samples)
    result = unpack([bytes(part) for part in scorer(message).frames()])
    np.testing.assert_array_equal(result.values, wanted)
    numbers = np.frombuffer(result.parts[3], np.int8)
    np.testing.assert_array_equal(numbers, wanted[:, 1] >= scorer.threshold.value)
    assert 0 < numbers.sum() < len(numbers)
    assert json.loads(bytes(result.parts[4]))["outputs"][0]["names"] == ["gamma", "neutron"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sample_period_ns": 4.0}, "sampled every 4 ns"),
        ({"sample_period_ns": float("nan")}, "sampled every nan ns"),
        ({"n_channels": 3, "n_samples": 25}, "3 channels a pulse"),
    ],
)
def test_pulses_that_do_not_fit_get_no_scores(
    scorer: Scorer, message: Message, changes: dict[str, Any], reason: str
) -> None:
    before = dict(scorer.refused)
    result = scorer(Message(replace(message.head, **changes), message.parts))
    assert np.isnan(result.values).all()
    assert set(np.frombuffer(result.parts[3], np.int8)) == {NO_CLASS}
    (new,) = set(scorer.refused) - set(before)
    assert new.startswith(reason)
    assert scorer.refused[new] == message.head.n_pulses


def test_short_records_get_no_scores(scorer: Scorer) -> None:
    short = Pulses(samples=np.ones((4, 20), np.int16), sample_period_ns=10.0)
    scorer(message_of(short, source=1, sequence=0, begin_ps=0))
    assert any(reason.startswith("records of 20 samples, the model needs 75") for reason in scorer.refused)


def test_samples_that_are_no_numbers_get_no_scores(scorer: Scorer, message: Message) -> None:
    samples = np.full((3, 75), np.nan, np.float32)
    pulses = Pulses(samples=np.ones((3, 75), np.float32), sample_period_ns=10.0)
    sent = message_of(pulses, source=1, sequence=0, begin_ps=0)
    scorer(Message(sent.head, (sent.parts[0], samples)))
    assert scorer.refused["samples that are no finite numbers"] == 3
