"""Search of the best gates: how many pulses it sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from discrimen.evaluation import tuning
from discrimen.evaluation.tuning import TuningSelection, tuned_gates
from discrimen.pulse_shape.charge import GateSearch
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import GatesNs


@pytest.fixture
def n_searched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many waveforms each search was given; the search itself is left out."""
    seen: list[int] = []

    def note(waveforms: np.ndarray, **_: Any) -> GateSearch:
        seen.append(len(waveforms))
        gates = GatesNs(gate_start_ns=-10.0, short_gate_end_ns=20.0, long_gate_end_ns=80.0)
        return GateSearch(gates=gates, merit=0.0, n_tried=1)

    monkeypatch.setattr(tuning, "best_gates", note)
    return seen


def search(pulses: Pulses, make_predictor: Callable[..., Any]) -> None:
    sample = TuningSelection(pulses=pulses, energy_kevee=None)
    tuned_gates(sample, energy=None, preparation=make_predictor().description.preparation, rng=np.random.default_rng(0))


def test_the_search_uses_all_pulses_of_a_usual_run(
    n_searched: list[int], make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    search(make_pulses(20_000, seed=1), make_predictor)
    assert n_searched == [20_000]


def test_long_records_and_long_runs_are_thinned(
    n_searched: list[int],
    make_pulses: Callable[..., Pulses],
    make_predictor: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pulses = make_pulses(3000, seed=1)
    fewest = min(int((pulses.column("label") == label).sum()) for label in (Label.GAMMA, Label.NEUTRON))
    monkeypatch.setattr(tuning, "MAXIMUM_TUNING_PULSES", 1000)
    search(pulses, make_predictor)
    monkeypatch.setattr(tuning, "MAXIMUM_TUNING_PULSES", 10**6)
    monkeypatch.setattr(tuning, "FEWEST_LONG_RECORDS", 500)
    monkeypatch.setattr(tuning, "_LARGEST_WAVEFORMS", 2 * 600 * pulses.n_samples)
    search(pulses, make_predictor)
    assert fewest > 1000
    assert n_searched == [2000, 1200]
