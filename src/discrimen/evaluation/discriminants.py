"""What evaluation compares, pulse by pulse: network scores and light."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.evaluation.report import NotComputed
from discrimen.network.preparation import Preparation
from discrimen.pulse_shape.upright import calibrated_light_kevee
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import GatesNs, LightCalibration


def neutron_scores(scores: NDArray[Any], *, n_pulses: int, neutron_class: int) -> NDArray[np.float64]:
    """Return the neutron column of a predictor's answer.

    Raises
    ------
    DataError
        If it is not one row a pulse, or holds anything but probabilities and NaN.
    """
    if scores.ndim != 2 or len(scores) != n_pulses:
        raise DataError(f"the predictor must give one row for each of {n_pulses} pulses, got shape {scores.shape}")
    neutron = scores[:, neutron_class].astype(np.float64)
    known = neutron[~np.isnan(neutron)]
    if ((known < 0) | (known > 1)).any():
        raise DataError(f"neutron scores must lie between 0 and 1, got {known.min():g} to {known.max():g}")
    return neutron


def light_kevee(
    pulses: Pulses, *, calibration: LightCalibration | None, preparation: Preparation, gates: GatesNs | None
) -> tuple[NDArray[np.float64] | None, str | NotComputed]:
    """Return the light of each pulse in keVee and where it comes from, or None and why there is none.

    Raises
    ------
    SettingsError
        If the calibration needs gates and there are none.
    DataError
        If the calibration needs a column that the pulses lack.
    """
    if pulses.energy_kevee is not None:
        return pulses.energy_kevee.astype(np.float64), "column energy_kevee"
    if calibration is None:
        return None, NotComputed(
            "the pulses have no column energy_kevee and the model's settings no calibration: no energy bins "
            "('discrimen calibrate' makes one)"
        )
    light = calibrated_light_kevee(pulses, calibration, preparation=preparation, gates=gates)
    return light, f"calibration: {calibration.in_words}"


def spectra_distance(energy_kevee: NDArray[np.float64], labels: NDArray[Any]) -> float | None:
    """Return how far the light spectra of the two classes lie apart, or None where chance explains it.

    The distance is that of Kolmogorov and Smirnov; chance stays below 2.5 / sqrt(effective number of pulses) but for
    one case in 100,000.
    """
    gamma, neutron = (np.sort(energy_kevee[labels == label]) for label in (Label.GAMMA, Label.NEUTRON))
    at = np.concatenate([gamma, neutron])
    below = [np.searchsorted(light, at, side="right") / len(light) for light in (gamma, neutron)]
    distance = float(np.abs(below[0] - below[1]).max())
    n_effective = len(gamma) * len(neutron) / (len(gamma) + len(neutron))
    return distance if distance * np.sqrt(n_effective) > 2.5 else None
