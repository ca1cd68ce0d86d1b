"""Shift and temperature of the logit, so that the score is a probability again; both go into the last layer.

The logit z becomes (z - shift) / temperature: the sigmoid of J. Platt (Advances in Large Margin Classifiers, MIT Press
(1999) 61), which holds the change of the classes' shares, too (Saerens, Latinne and Decaestecker, Neural Comput. 14
(2002) 21: a change of the shares shifts the logit).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError, require_module
from discrimen.freezing.logits import with_logits
from discrimen.network.graph import Network
from discrimen.network.model_description import ModelDescription

_LOG_TEMPERATURE_LIMIT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescaling:
    """What the logit is shifted and divided by.

    Parameters
    ----------
    shift, temperature : float
        The logit z becomes (z - shift) / temperature.
    log_loss_before, log_loss_after : float
        Mean negative log-likelihood of a pulse, natural logarithm; without labels by the classes that were concluded.
    """

    shift: float
    temperature: float
    log_loss_before: float
    log_loss_after: float


def fit_rescaling(
    logit: NDArray[Any], *, neutron_probability: NDArray[Any], n_pulses: NDArray[Any] | None = None
) -> Rescaling:
    """Fit shift and temperature of the greatest likelihood.

    A few pulses may part completely, and then no temperature is the likeliest. After Platt each class counts one pulse
    of the other kind more than there is, which keeps the fit finite and matters little where pulses are many.

    Parameters
    ----------
    logit : ndarray of float, shape (point,)
        All finite.
    neutron_probability : ndarray of float, shape (point,)
        How likely a pulse there is a neutron; 0 and 1 where labels tell.
    n_pulses : ndarray of float, shape (point,), optional
        How many pulses there are; by default one.

    Raises
    ------
    DataError
        If a class is missing, or the logits do not rise from gammas to neutrons.
    """
    optimize = require_module("scipy.optimize", extra="analysis")
    weight = np.ones(len(logit)) if n_pulses is None else np.asarray(n_pulses, np.float64)
    total = float(weight.sum())
    n_neutron = float(weight @ neutron_probability)
    n_gamma = total - n_neutron
    if min(n_neutron, n_gamma) < 1:
        raise DataError(f"pulses of both classes are needed, got {n_gamma:.0f} gammas and {n_neutron:.0f} neutrons")
    known = np.asarray(neutron_probability, np.float64)
    promised = known * (n_neutron + 1) / (n_neutron + 2) + (1 - known) / (n_gamma + 2)

    def log_loss(slope: float, offset: float, target: NDArray[np.float64]) -> float:
        scaled = slope * logit + offset
        return float(weight @ (np.logaddexp(0, scaled) - target * scaled) / total)

    found = optimize.minimize(
        lambda chosen: log_loss(chosen[0], chosen[1], promised),
        (0.5, 0.0),
        method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-12, "maxiter": 2000},
    )
    slope, offset = (float(value) for value in found.x)
    if not exp(-_LOG_TEMPERATURE_LIMIT) < slope < exp(_LOG_TEMPERATURE_LIMIT):
        raise DataError(
            f"the scores do not rise from gammas to neutrons here (slope {slope:.3g}): "
            "this model tells nothing about these pulses; train one on them"
        )
    return Rescaling(
        shift=-offset / slope,
        temperature=1 / slope,
        log_loss_before=log_loss(1.0, 0.0, known),
        log_loss_after=log_loss(slope, offset, known),
    )


def rescaled(network: Network, description: ModelDescription, rescaling: Rescaling) -> Network:
    """Put shift and temperature into the layer that gives the logits, so that they cost nothing.

    Raises
    ------
    SettingsError
        If the model has other classes than two by softmax.
    """
    if description.scores.n_values != 2 or description.scores.activation != "softmax":
        raise SettingsError(
            f"a shift needs scores of two classes by softmax, this model has {len(description.classes)} by "
            f"{description.scores.activation}; adapt it with --no-rescale"
        )
    half = np.full(2, rescaling.shift / 2)
    half[description.neutron_class] *= -1
    return with_logits(network, description, factor=1 / rescaling.temperature, offset=half / rescaling.temperature)
