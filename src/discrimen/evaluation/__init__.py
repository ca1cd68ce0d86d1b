"""Evaluation: predictor and labelled pulses to a report, and the report to text, JSON and plots."""

from discrimen.evaluation.evaluate import evaluate
from discrimen.evaluation.of_dataset import evaluate_dataset
from discrimen.evaluation.operating_point import OperatingPoint
from discrimen.evaluation.page import write_report
from discrimen.evaluation.report import METHODS, BinReport, MethodResult, NotComputed, Report
from discrimen.evaluation.report_parts import PsdHistogram, PsdMap, ScoreHistogram
from discrimen.evaluation.text import leakage_table, report_text

__all__ = [
    "METHODS",
    "BinReport",
    "MethodResult",
    "NotComputed",
    "OperatingPoint",
    "PsdHistogram",
    "PsdMap",
    "Report",
    "ScoreHistogram",
    "evaluate",
    "evaluate_dataset",
    "leakage_table",
    "report_text",
    "write_report",
]
