"""How well two classes part: ROC, gamma leakage at a neutron efficiency, figure of merit, intervals."""

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

__all__ = [
    "DEFAULT_ENERGY_EDGES_KEVEE",
    "FIGURE_OF_MERIT_DEFINITION",
    "Auc",
    "Band",
    "ClassScores",
    "EnergyBin",
    "FigureOfMerit",
    "Leakage",
    "LeakageRatio",
    "RocCurve",
    "Share",
    "auc",
    "energy_bins",
    "figure_of_merit",
    "leakage_at_efficiency",
    "leakage_ratio",
    "leaked_share",
    "psd_edges",
    "roc_curve",
    "split_scores",
    "wilson_interval",
]
