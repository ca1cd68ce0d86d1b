"""Counts of a stage: each pulse once, in the first reason that it has, and the same words wherever they are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.formats.base import ReadReport
from discrimen.reconstruction.stage_run import Counts, StageRun, counts_table, require_some, summed

REASONS = ("n_unprepared", "n_saturated", "n_outside")


def counts(*found: int) -> Counts:
    """Return counts of 6 pulses of which some, by position, are saturated and all those from the third on outside."""
    made = Counts(done=("n_denoised",), rest="n_not_denoised", reasons=REASONS)
    saturated = np.isin(np.arange(6), found)
    made.sort_out({"n_unprepared": None, "n_saturated": saturated, "n_outside": np.arange(6) > 2}, 6)
    return made


def run(*found: int, name: str = "a.lh5") -> StageRun:
    return StageRun(path=Path(name), report=ReadReport(n_read=6), counts=counts(*found), outside=None)


def test_a_pulse_counts_in_its_first_reason_alone() -> None:
    assert counts(1, 4).as_dict() == {
        "n_denoised": 2,
        "n_not_denoised": 4,
        "n_unprepared": 0,
        "n_saturated": 2,
        "n_outside": 2,
    }
    with pytest.raises(KeyError):
        counts()["n_too_large"]


def test_what_was_done_and_what_was_not_is_one_sentence() -> None:
    told = run(1).told()
    assert told == "a.lh5: 2 of 6 pulses denoised; left out: 1 saturated, 3 unlike those of the training"
    nothing = StageRun(path=Path("a.lh5"), report=ReadReport(n_read=0), counts=Counts(
        done=("n_denoised",), rest="n_not_denoised", reasons=REASONS), outside=None)  # fmt: skip
    assert nothing.told() == "a.lh5: 0 of 0 pulses denoised"


def test_the_table_has_the_reasons_that_are_met() -> None:
    rows = counts_table([run(1), run(name="b.lh5")]).rows
    assert rows.heading == ("run", "read", "denoised", "not denoised", "saturated", "unlike those of the training")
    assert [line.name for line in rows.lines] == ["a.lh5", "b.lh5"]
    assert [[cell.value for cell in line.cells] for line in rows.lines] == [
        ["6", "2", "4", "1", "3"],
        ["6", "3", "3", "0", "3"],
    ]


def test_runs_that_nothing_could_be_done_with_are_refused() -> None:
    require_some([run(0, 1, 2), run()])
    with pytest.raises(DataError, match=r"a.lh5, b.lh5: none of 12 pulses could be denoised: 6 saturated, 6 unlike"):
        require_some([run(0, 1, 2), run(0, 1, 2, name="b.lh5")])
    assert summed([run(1), run()]).as_dict()["n_denoised"] == 5
