"""How well two classes part: ROC, gamma leakage, figure of merit, calibration, thresholds, intervals."""

from discrimen.metrics.calibration import (
    CalibrationError,
    ReliabilityBin,
    Temperature,
    calibration_error,
    fit_temperature,
    neutron_logits,
    reliability_curve,
)
from discrimen.metrics.energy_bins import DEFAULT_ENERGY_EDGES_KEVEE, EnergyBin, energy_bins
from discrimen.metrics.figure_of_merit import (
    FIGURE_OF_MERIT_DEFINITION,
    Band,
    FigureOfMerit,
    figure_of_merit,
    psd_edges,
)
from discrimen.metrics.intervals import Share, wilson_interval
from discrimen.metrics.leakage import Leakage, LeakageRatio, leakage_at_efficiency, leakage_ratio, leaked_share
from discrimen.metrics.roc import Auc, RocCurve, auc, roc_curve
from discrimen.metrics.scores import ClassScores, split_scores
from discrimen.metrics.thresholds import Threshold, threshold_for_efficiency, threshold_for_leakage

__all__ = [
    "DEFAULT_ENERGY_EDGES_KEVEE",
    "FIGURE_OF_MERIT_DEFINITION",
    "Auc",
    "Band",
    "CalibrationError",
    "ClassScores",
    "EnergyBin",
    "FigureOfMerit",
    "Leakage",
    "LeakageRatio",
    "ReliabilityBin",
    "RocCurve",
    "Share",
    "Temperature",
    "Threshold",
    "auc",
    "calibration_error",
    "energy_bins",
    "figure_of_merit",
    "fit_temperature",
    "leakage_at_efficiency",
    "leakage_ratio",
    "leaked_share",
    "neutron_logits",
    "psd_edges",
    "reliability_curve",
    "roc_curve",
    "split_scores",
    "threshold_for_efficiency",
    "threshold_for_leakage",
    "wilson_interval",
]
