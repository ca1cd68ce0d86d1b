"""Several models or data sets side by side: figures of each, differences with intervals, on one page."""

from discrimen.comparison.compare import compare_models
from discrimen.comparison.page import write_comparison
from discrimen.comparison.reports import compare_reports
from discrimen.comparison.result import Against, ComparedRange, Comparison, Figures, Group, LeakageAgainst
from discrimen.comparison.text import comparison_text

__all__ = [
    "Against",
    "ComparedRange",
    "Comparison",
    "Figures",
    "Group",
    "LeakageAgainst",
    "compare_models",
    "compare_reports",
    "comparison_text",
    "write_comparison",
]
