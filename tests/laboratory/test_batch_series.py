"""Where lines of time against batch size cross, and what is left out; no assertion on time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from laboratory import batch_series
from laboratory.batch_series import SeriesPoint, crossing


def points(**times_ns: float) -> list[SeriesPoint]:
    return [
        SeriesPoint(batch_size=int(size[1:]), best_ns_per_signal=time_ns, median_ns_per_signal=time_ns)
        for size, time_ns in times_ns.items()
    ]


def test_lines_cross_where_straight_lines_of_logarithms_meet() -> None:
    cpu = points(b1=100, b100=100, b10000=100)
    gpu = points(b1=10_000, b100=1000, b10000=10)
    assert crossing(cpu, gpu) == pytest.approx(1050)
    assert crossing(gpu, cpu) is None


def test_a_line_below_everywhere_crosses_at_the_smallest_batch() -> None:
    assert crossing(points(b1=9, b10=9), points(b1=8, b10=8)) == 1


def test_less_than_five_percent_is_no_crossing() -> None:
    assert crossing(points(b1=100, b10=100), points(b1=96, b10=96)) is None
    assert crossing(points(b1=100, b10=100, b100=100), points(b1=96, b10=96, b100=50)) > 10


def test_only_the_last_crossing_counts() -> None:
    cpu = points(b1=100, b10=100, b100=100, b1000=100)
    gpu = points(b1=200, b10=50, b100=1000, b1000=10)
    assert 100 < crossing(cpu, gpu) < 1000


def test_batches_that_one_line_lacks_do_not_count() -> None:
    cpu, gpu = points(b1=100, b10=100, b100=1), points(b1=200, b10=50)
    assert 1 < crossing(cpu, gpu) < 10
    assert crossing(cpu, points(b1000=1)) is None


@pytest.fixture
def calls() -> list[int]:
    return []


def counted(calls: list[int]) -> Callable[[int], Callable[[], object]]:
    return lambda size: lambda: calls.append(size)


def test_batches_too_large_for_the_memory_end_the_line_with_a_sentence(
    calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_series, "available_memory_bytes", lambda: 4000)
    done = list(batch_series._points(counted(calls), (1, 10, 100, 1000), bytes_per_signal=10, seconds=0.001))
    assert [point.batch_size for point in done[:-1] if isinstance(point, SeriesPoint)] == [1, 10, 100]
    assert "from batch 1000 on: its signals take 0.0 GB" in str(done[-1])
    assert max(calls) == 100


def test_a_batch_that_would_take_too_long_is_not_begun(calls: list[int]) -> None:
    assert batch_series._expected_ns({}, 1) == 0
    assert batch_series._expected_ns({1: 5.0}, 10) == 5.0
    assert batch_series._expected_ns({1: 100.0, 11: 200.0}, 111) == pytest.approx(1200)
