"""Bulletins come out as they went in, and what is none is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from tests.online.monitor.made import Source, frames

from discrimen.errors import DataError
from discrimen.online.monitor.bulletin import read_bulletin


def test_a_bulletin_comes_out_as_it_went_in() -> None:
    made = Source().bulletin(30)
    read = read_bulletin(frames(made))
    assert read.told == made.told
    assert read.model == made.model
    for name in ("columns", "scores", "numbers", "outside", "samples"):
        np.testing.assert_array_equal(getattr(read.examples, name), getattr(made.examples, name), err_msg=name)


def test_a_bulletin_may_hold_no_pulses() -> None:
    assert len(read_bulletin(frames(Source().bulletin(0))).examples) == 0


def damaged(**changed: Any) -> list[bytes]:
    parts = frames(Source().bulletin(30))
    return [parts[0], json.dumps({**json.loads(parts[1]), **changed}).encode(), *parts[2:]]


@pytest.mark.parametrize(
    "changed",
    [
        {"number": -1},
        {"number": "many"},
        {"seconds": None},
        {"seconds": float("inf")},
        {"n_pulses": 10**400},
        {"channels": [[0, 0, 10**20, 1, 0, 0, 0, 0]]},
        {"unknown": 1},
        {"channels": [[0, 0, 1]]},
        {"channels": [[0, 0, 1, 1, 0, 0, 0, -1]]},
        {"channels": 7},
        {"latency_ms": [1, 2]},
        {"refused": {"reason": "many"}},
        {"sample_type": 9},
        {"n_samples": 74},
        {"n_samples": 1.5},
    ],
)
def test_figures_that_contradict_themselves_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        read_bulletin(damaged(**changed))


@pytest.mark.parametrize("part", [0, 1, 3, 4, 5, 6, 7])
def test_a_part_that_is_cut_or_garbage_is_refused(part: int) -> None:
    parts = frames(Source().bulletin(30))
    for content in (parts[part][:-1], b"\xff" * 7, b"[" * 100_000):
        with pytest.raises(DataError):
            read_bulletin([*parts[:part], content, *parts[part + 1 :]])
    with pytest.raises(DataError):
        read_bulletin(parts[:part])
