"""Evaluation of models that give a position: data, then page and plots."""

from discrimen.evaluation.positions.evaluate import Judged, evaluate_positions, judge_positions, judged_by_position
from discrimen.evaluation.positions.page import write_position_report
from discrimen.evaluation.positions.report import PositionReport
from discrimen.evaluation.positions.text import position_text

__all__ = [
    "Judged",
    "PositionReport",
    "evaluate_positions",
    "judge_positions",
    "judged_by_position",
    "position_text",
    "write_position_report",
]
