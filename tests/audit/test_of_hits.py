from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.runs.toy_hits import toy_hits

from discrimen.audit.of_hits import audit_hits
from discrimen.errors import DataError
from discrimen.pulses.hits import Hits, join_hits

HITS = toy_hits(60)
LAST = np.arange(60) >= 50


def checks(hits: Hits, judging: np.ndarray = LAST) -> dict[str, str]:
    found = audit_hits(hits, validation=judging, accept=True)
    return {finding.check: finding.how_many for finding in found}


def test_sound_hits_pass() -> None:
    assert not checks(HITS)


def test_copies_are_an_error_unless_they_are_accepted() -> None:
    twice = join_hits([HITS[:50], HITS[:10]])
    assert checks(twice)["duplicates"] == "10 copies among 60 hits"
    assert "duplicates-across-split" in checks(twice)
    with pytest.raises(DataError, match="--accept"):
        audit_hits(twice, validation=LAST)


def test_positions_that_are_taught_and_judged_are_told() -> None:
    again = replace(HITS, samples=HITS.samples + np.int16(1))
    judging = np.arange(120) >= 100
    assert checks(join_hits([HITS, again]), judging) == {"positions-across-split": "20 of the 20 hits that judge"}


def test_a_dead_segment_that_is_not_marked_is_told() -> None:
    samples = HITS.samples.copy()
    samples[:, 5] = 7
    assert checks(replace(HITS, samples=samples)) == {"silent-channels": "1 of 37 channels"}
    present = np.ones((60, 37), bool)
    present[:, 5] = False
    assert not checks(replace(HITS, samples=samples, present=present))
