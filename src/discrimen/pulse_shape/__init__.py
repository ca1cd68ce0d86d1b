"""Classic methods that part neutrons from gammas by linear filters, gradients and features: what a network must beat.

Each is tuned on aligned waveforms with known classes and gives one number a pulse, the larger the more like a neutron.
Charge comparison, the best known of them, is :mod:`discrimen.pulse_shape.charge`.
"""

from discrimen.pulse_shape.base import Merit, Method
from discrimen.pulse_shape.boosted_tree import BoostedTree, train_boosted_tree
from discrimen.pulse_shape.features import FEATURES_ABOUT, pulse_features
from discrimen.pulse_shape.frequency_gradient import FrequencyGradient, tune_frequency_gradient
from discrimen.pulse_shape.gatti import GattiFilter, gatti_weights, tune_gatti
from discrimen.pulse_shape.pulse_gradient import PulseGradient, tune_pulse_gradient
from discrimen.pulse_shape.table import CLASSIC_METHODS, ClassicMethod, Tuning
from discrimen.pulse_shape.template_likelihood import TemplateLikelihood, tune_template_likelihood

__all__ = [
    "CLASSIC_METHODS",
    "FEATURES_ABOUT",
    "BoostedTree",
    "ClassicMethod",
    "FrequencyGradient",
    "GattiFilter",
    "Merit",
    "Method",
    "PulseGradient",
    "TemplateLikelihood",
    "Tuning",
    "gatti_weights",
    "pulse_features",
    "train_boosted_tree",
    "tune_frequency_gradient",
    "tune_gatti",
    "tune_pulse_gradient",
    "tune_template_likelihood",
]
