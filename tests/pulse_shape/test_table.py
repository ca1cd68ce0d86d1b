"""The table of classic methods."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.pulse_shape.two_templates import noisy_pulses

from discrimen.evaluation import METHODS
from discrimen.evaluation.plots.style import METHOD_COLOURS, METHOD_LINES, METHOD_MARKERS
from discrimen.evaluation.text import OTHER_METHODS
from discrimen.metrics import auc
from discrimen.pulse_shape import CLASSIC_METHODS, ClassicMethod, Tuning


@pytest.mark.parametrize("method", CLASSIC_METHODS, ids=lambda method: method.name)
def test_every_method_parts_the_classes_after_its_tuning(method: ClassicMethod) -> None:
    waveforms, is_neutron = noisy_pulses(1200, seed=1, white=3.0, photons=True)

    def merit(scores: NDArray[np.float64]) -> float:
        return auc(scores, is_neutron.astype(np.int8)).value

    tuned = method.tune(Tuning(waveforms=waveforms, is_neutron=is_neutron, sample_period_ns=2.0, merit=merit, seed=0))
    others, truth = noisy_pulses(600, seed=2, white=3.0, photons=True)
    assert auc(tuned.score(others), truth.astype(np.int8)).value > 0.8
    assert tuned.parameters


def test_reports_follow_from_the_table() -> None:
    names = [method.name for method in CLASSIC_METHODS]
    assert len(set(names)) == len(names)
    assert [name for name in METHODS if name in names] == names
    assert {method.name: method.title for method in CLASSIC_METHODS}.items() <= METHODS.items()
    assert [name for table in OTHER_METHODS for name in table if name != "network"] == [*names, "record_bound"]
    for looks in (METHOD_COLOURS, METHOD_LINES, METHOD_MARKERS):
        assert looks.keys() == METHODS.keys()
