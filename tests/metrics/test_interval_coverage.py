"""A part of the coverage benchmark: the intervals of a report hold the truth as often as they say."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

N_REPETITIONS = 200
_BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "interval_coverage.py"


def load_benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("interval_coverage", _BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its data classes look for their own module.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_interval_covers() -> None:
    # Of 200 repetitions, 0.95 stays within 0.91 and 0.985 but for about one case in a hundred.
    cases = list(load_benchmark().cases(n_pool=0, model=None, only=""))
    coverage = {case.name: case.coverage(N_REPETITIONS)[0] for case in cases}
    outside = {case.name for case in cases if not 0.905 <= coverage[case.name] <= case.highest + 0.01}
    assert not outside
    common = [coverage[case.name] for case in cases if case.highest < 1]
    assert 0.93 < sum(common) / len(common) < 0.97
