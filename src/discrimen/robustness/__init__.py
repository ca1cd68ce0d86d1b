"""Robustness: how gamma leakage and neutron efficiency move when the pulses are not those of the training any more."""

from discrimen.robustness.measure import robustness
from discrimen.robustness.picture import write_robustness
from discrimen.robustness.report import Robustness, RobustnessCurve, RobustnessPoint
from discrimen.robustness.sizes import default_sizes
from discrimen.robustness.text import robustness_text

__all__ = [
    "Robustness",
    "RobustnessCurve",
    "RobustnessPoint",
    "default_sizes",
    "robustness",
    "robustness_text",
    "write_robustness",
]
