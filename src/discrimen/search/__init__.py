"""Search for architecture, training and preparation, with Optuna: least leakage, or leakage against native time."""

from discrimen.search.config import SearchConfig
from discrimen.search.result import SearchResult, TrialRow
from discrimen.search.run import run_search
from discrimen.search.space import BUILT_IN_SPACE, SearchSpace, parse_space, read_space

__all__ = [
    "BUILT_IN_SPACE",
    "SearchConfig",
    "SearchResult",
    "SearchSpace",
    "TrialRow",
    "parse_space",
    "read_space",
    "run_search",
]
