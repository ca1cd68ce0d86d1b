"""How well two classes part: ROC, gamma leakage, figure of merit, calibration, thresholds, intervals."""

from discrimen.metrics.calibration import (
    ReliabilityBin,
    Temperature,
    fit_temperature,
    neutron_logits,
    reliability_curve,
)
from discrimen.metrics.calibration_error import CalibrationError, calibration_error
from discrimen.metrics.energy_bins import DEFAULT_ENERGY_EDGES_KEVEE, EnergyBin, energy_bins
from discrimen.metrics.figure_of_merit import (
    FIGURE_OF_MERIT_DEFINITION,
    POOR_FIT_REMARK,
    POOR_PROBABILITY,
    Band,
    FigureOfMerit,
    figure_of_merit,
    psd_edges,
)
from discrimen.metrics.interval_strategy import Intervals, RunIntervals, intervals_for
from discrimen.metrics.intervals import Share, wilson_interval
from discrimen.metrics.leakage import Leakage, leakage_at_efficiency, leaked_share
from discrimen.metrics.paired import (
    Difference,
    LeakageRatio,
    PairedLeakage,
    auc_difference,
    paired_leakage,
    unpaired_difference,
)
from discrimen.metrics.roc import Auc, RocCurve, auc, roc_curve
from discrimen.metrics.run_draws import RunDraws, draw_runs
from discrimen.metrics.scores import ClassScores, split_scores
from discrimen.metrics.thresholds import Threshold, threshold_for_efficiency, threshold_for_leakage

__all__ = [
    "DEFAULT_ENERGY_EDGES_KEVEE",
    "FIGURE_OF_MERIT_DEFINITION",
    "POOR_FIT_REMARK",
    "POOR_PROBABILITY",
    "Auc",
    "Band",
    "CalibrationError",
    "ClassScores",
    "Difference",
    "EnergyBin",
    "FigureOfMerit",
    "Intervals",
    "Leakage",
    "LeakageRatio",
    "PairedLeakage",
    "ReliabilityBin",
    "RocCurve",
    "RunDraws",
    "RunIntervals",
    "Share",
    "Temperature",
    "Threshold",
    "auc",
    "auc_difference",
    "calibration_error",
    "draw_runs",
    "energy_bins",
    "figure_of_merit",
    "fit_temperature",
    "intervals_for",
    "leakage_at_efficiency",
    "leaked_share",
    "neutron_logits",
    "paired_leakage",
    "psd_edges",
    "reliability_curve",
    "roc_curve",
    "split_scores",
    "threshold_for_efficiency",
    "threshold_for_leakage",
    "unpaired_difference",
    "wilson_interval",
]
