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
    description = importlib.util.spec_from_file_location("interval_coverage", _BENCHMARK)
    assert description is not None
    assert description.loader is not None
    module = importlib.util.module_from_spec(description)
    # Its data classes look for their own module.
    sys.modules[description.name] = module
    description.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_interval_covers() -> None:
    # Of 200 repetitions, 0.95 stays within 0.91 and 0.985 but for about one case in a hundred.
    coverage = {
        case.name: case.coverage(N_REPETITIONS)[0] for case in load_benchmark().cases(n_pool=0, model=None, only="")
    }
    outside = {name: found for name, found in coverage.items() if not 0.905 <= found <= 0.99}
    assert not outside
    assert 0.93 < sum(coverage.values()) / len(coverage) < 0.97
