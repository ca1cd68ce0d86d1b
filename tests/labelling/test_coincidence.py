"""Times of flight from two channels: starts and stops are distinguished, and each stop gets its start."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.labelling.coincidence import StartDetector, find_coincidences

MS_PS = 10**9


def test_each_stop_gets_the_time_since_its_start_in_any_order() -> None:
    rng = np.random.default_rng(0)
    starts = np.arange(1, 101) * MS_PS
    delays_ns = rng.uniform(-50, 200, 100)
    stamps = np.concatenate([starts, starts + np.rint(delays_ns * 1e3).astype(np.int64), [50 * MS_PS + 600_000]])
    channel = np.concatenate([np.zeros(100, int), np.full(100, 3), [3]])
    order = rng.permutation(len(stamps))
    start = StartDetector(channel=0, window_ns=(-100.0, 400.0))
    found = find_coincidences(stamps[order], np.zeros_like(order), channel[order], start=start)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    tof_ns = found.tof_ns[back]
    assert np.isnan(tof_ns[:100]).all()
    assert tof_ns[100:200] == pytest.approx(delays_ns, abs=1e-3)
    assert np.isnan(tof_ns[200]), "600 ns behind its start lies out of the window"
    assert found.n_starts == 100


def test_the_board_tells_channels_of_one_number_apart() -> None:
    stamps = np.array([1, 2, 3, 4]) * MS_PS
    board, channel = np.array([0, 1, 0, 1]), np.zeros(4, int)
    assert find_coincidences(stamps, board, channel, start=StartDetector(channel=0, board=1)).n_starts == 2
    with pytest.raises(DataError, match="4 of 4 pulses"):
        find_coincidences(stamps, board, channel, start=StartDetector(channel=0))


def test_too_many_starts_for_the_window_are_refused() -> None:
    stamps = np.arange(1000) * 1_000_000  # one pulse a us
    with pytest.raises(DataError, match="--start-window-ns"):
        find_coincidences(stamps, np.zeros(1000, int), np.arange(1000) % 2, start=StartDetector(channel=0))


def test_a_start_detector_that_is_not_there_is_named() -> None:
    with pytest.raises(DataError, match="channel 5, has 0 of 2 pulses; channels: 1, 2"):
        find_coincidences(np.array([1, 2]), np.zeros(2, int), np.array([1, 2]), start=StartDetector(channel=5))
