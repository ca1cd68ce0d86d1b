from __future__ import annotations

import json
from typing import Any

import pytest

from discrimen.errors import SettingsError
from discrimen.training import TrainingConfig


def test_the_defaults_are_the_reference_with_adam_and_early_stopping() -> None:
    config = TrainingConfig()
    assert (config.architecture, config.optimizer, config.epochs, config.batch_size) == ("patches", "adam", 200, 100)
    assert (config.validation_share, config.patience, config.shuffle) == (0.1, 20, True)


def test_options_are_completed_and_ready_for_json() -> None:
    config = TrainingConfig(architecture="mlp", options={"hidden": (20,)})
    assert json.loads(json.dumps(config.as_dict()))["options"] == {"hidden": [20], "activation": "relu"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "forest"}, "architecture"),
        ({"options": {"depth": 3}}, "depth"),
        ({"optimizer": "rmsprop"}, "adam or sgd"),
        ({"device": "tpu"}, "cpu, cuda, or cuda:1"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"learning_rate_decay": "linear"}, "learning_rate_decay must be none or cosine, got 'linear'"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size"),
        ({"patience": 0}, "patience"),
        ({"validation_share": 0.0}, "validation_share"),
        ({"validation_share": 1.0}, "validation_share"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
    ],
)
def test_values_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        TrainingConfig(**change)
