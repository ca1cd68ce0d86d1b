"""Results as plain data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.output.plain import json_text, plain
from discrimen.pulses.detector import GatesNs


@dataclass(frozen=True, slots=True)
class Holder:
    what: Any


def test_everything_a_result_holds_becomes_plain() -> None:
    gates = GatesNs(gate_start_ns=-20, short_gate_end_ns=20, long_gate_end_ns=200)
    held = {1: Holder(np.arange(3)), "gates": gates, "pair": (Path("a"), None, True)}
    assert plain(held) == {"1": {"what": [0, 1, 2]}, "gates": gates.model_dump(), "pair": ["a", None, True]}


def test_numbers_that_are_not_finite_become_null() -> None:
    assert plain([float("nan"), np.float64("inf"), np.array([1.0, np.nan])]) == [None, None, [1.0, None]]


def test_json_keeps_rows_of_numbers_on_one_line() -> None:
    text = json_text({"edges": list(range(50)), "names": ["a [1,\n 2]", "b"]})
    assert json.loads(text) == {"edges": list(range(50)), "names": ["a [1,\n 2]", "b"]}
    assert len(text.splitlines()) == 7
