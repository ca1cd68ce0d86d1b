from __future__ import annotations

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.grid_search.measured_hits import measured_hits
from discrimen.pulses.hits import Hits


def hits(heights: list[list[float]], *, present: np.ndarray | None = None) -> Hits:
    steps = np.concatenate([np.zeros(10), np.ones(20)])
    samples = (100 - np.array(heights)[:, :, None] * steps).astype(np.int16)
    return Hits(samples=samples, sample_period_ns=10.0, present=present)


def test_the_segment_with_the_most_charge_is_the_hit_one() -> None:
    found = measured_hits(hits([[0, 400, 0, 400], [300, 100, 0, 400]]), kev_per_adc=-0.5, n_baseline=8)
    assert found.segment.tolist() == [1, 0]
    assert found.n_segments.tolist() == [1, 2]
    assert found.energy_kev.tolist() == [200, 200]


def test_a_hit_without_its_core_has_no_segment() -> None:
    absent = np.array([[True, True, True, False]])
    found = measured_hits(hits([[0, 400, 0, 400]], present=absent), kev_per_adc=-0.5, n_baseline=8)
    assert (found.segment[0], found.n_segments[0], found.energy_kev[0]) == (-1, 0, 0)


def test_traces_too_short_are_refused() -> None:
    with pytest.raises(DataError, match="25 samples of baseline and 8 at the end, the traces have 30"):
        measured_hits(hits([[0, 400, 0, 400]]), kev_per_adc=-0.5, n_baseline=25)
