"""What a model description refuses to say."""

from __future__ import annotations

import math

import pytest
from tests.training.toy_pulses import PREPARATION

from discrimen.errors import SettingsError
from discrimen.network.model_spec import ModelSpec


@pytest.mark.parametrize("classes", [("gamma", "gamma"), ("gamma", "")])
def test_each_class_needs_a_name_of_its_own(classes: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match="each class needs a name of its own"):
        ModelSpec(preparation=PREPARATION, classes=classes)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf])
def test_thresholds_lie_where_scores_are(value: float) -> None:
    with pytest.raises(SettingsError, match="between 0 and 1"):
        ModelSpec(preparation=PREPARATION, thresholds={"odd": value})
