"""What an output may promise, and how its last activation fulfils it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.network.networks import NETWORKS

from discrimen.errors import SettingsError
from discrimen.network.outputs import ClassThreshold, Output, class_scores

SCORES: dict[str, Any] = {
    "name": "scores",
    "kind": "classes",
    "shape": (2,),
    "unit": "1",
    "names": ("gamma", "neutron"),
    "activation": "softmax",
}
ENERGY: dict[str, Any] = {"name": "energy", "kind": "quantity", "shape": (2,), "unit": "keVee"}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({**ENERGY, "name": ""}, "an output needs a name, got ''"),
    "zero byte": ({**ENERGY, "name": "a\0b"}, "an output needs a name"),
    "unknown kind": ({**ENERGY, "kind": "image"}, "kind must be one of classes, waveform, quantity, count, code, got"),
    "no unit": ({**ENERGY, "unit": ""}, "a unit is missing; '1' for numbers without one"),
    "no axis": ({**ENERGY, "shape": ()}, "one or two axes of 1 and more"),
    "three axes": ({**ENERGY, "shape": (1, 2, 3)}, "one or two axes of 1 and more"),
    "empty axis": ({**ENERGY, "shape": (0,)}, "one or two axes of 1 and more"),
    "unknown activation": ({**ENERGY, "activation": "swoosh"}, "no activation 'swoosh'"),
    "error of a count": (
        {**ENERGY, "kind": "count", "with_error": True},
        "only a quantity has an error, this is a count",
    ),
    "softmax of a quantity": ({**ENERGY, "activation": "softmax"}, "softmax makes probabilities of classes"),
    "names too few": ({**ENERGY, "names": ("x",)}, "1 names for a quantity of 2 values"),
    "names of a code": ({**ENERGY, "kind": "code", "names": ("x", "y")}, "2 names for a code"),
    "names alike": ({**ENERGY, "names": ("x", "x")}, "each needs a name of its own"),
    "thresholds on a quantity": ({**ENERGY, "thresholds": {"t": ClassThreshold(0.5)}}, "thresholds belong to scores"),
    "flat waveform": ({**ENERGY, "kind": "waveform"}, r"the shape of a waveform is \(channel, sample\), got \(2,\)"),
    "one class": ({**SCORES, "shape": (1,), "names": ("neutron",)}, "two or more classes with a name each"),
    "classes without names": ({**SCORES, "names": ()}, "two or more classes with a name each"),
    "classes alike": ({**SCORES, "names": ("gamma", "gamma")}, "each needs a name of its own"),
    "nameless class": ({**SCORES, "names": ("gamma", "")}, "each needs a name of its own"),
    "linear classes": ({**SCORES, "activation": "linear"}, "softmax or sigmoid, got linear; .* needs to be told which"),
    "threshold on no class": ({**SCORES, "thresholds": {"t": ClassThreshold(0.5, "alpha")}}, "the class 'alpha'"),
    **{
        f"threshold of {value}": ({**SCORES, "thresholds": {"t": ClassThreshold(value)}}, "a score between 0 and 1")
        for value in (-0.1, 1.1, math.nan, math.inf)
    },
    "nameless threshold": ({**SCORES, "thresholds": {"": ClassThreshold(0.5)}}, "a threshold needs a name"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_promises_that_cannot_be_kept_are_refused(name: str) -> None:
    given, message = REFUSED[name]
    with pytest.raises(SettingsError, match=message):
        Output(**given)


def test_softmax_shares_and_sigmoid_does_not() -> None:
    logits = np.array([[1.0, 3.0], [-700.0, 700.0]])
    shared = class_scores(("gamma", "neutron")).finish(logits)
    alone = class_scores(("gamma", "neutron"), activation="sigmoid").finish(logits)
    assert shared.sum(axis=1) == pytest.approx([1, 1])
    assert shared[0, 1] == pytest.approx(1 / (1 + math.exp(-2)))
    assert alone[0] == pytest.approx([1 / (1 + math.exp(-1)), 1 / (1 + math.exp(-3))])
    assert np.isfinite(shared).all()
    assert np.isfinite(alone).all()


def test_an_error_doubles_the_values() -> None:
    energy = Output(**{**ENERGY, "with_error": True, "activation": "softplus"})
    assert energy.n_values == 4
    assert (energy.finish(np.array([[-3.0, 1.0, -2.0, 0.0]])) > 0).all()
    waveform = Output(name="w", kind="waveform", shape=(3, 5), unit="prepared")
    assert waveform.n_values == 15


@pytest.mark.parametrize("name", ["two classes", "independent classes", "everything at once", "quantities with errors"])
def test_outputs_come_back_from_plain_data(name: str) -> None:
    for output in NETWORKS[name]()[1].outputs:
        assert Output.from_dict(output.as_dict()) == output


@pytest.mark.parametrize("change", [{"odd": 1}, {"thresholds": {"t": {"odd": 1}}}, {"shape": None}, {"thresholds": []}])
def test_plain_data_of_something_else_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="this is no output of a model"):
        Output.from_dict({**Output(**ENERGY).as_dict(), **change})
    with pytest.raises(SettingsError, match="this is no output of a model"):
        Output.from_dict({"name": "x"})
