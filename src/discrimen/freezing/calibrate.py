"""Temperature and named thresholds of a model, from labelled pulses that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.freezing.choose_curve import CurveThreshold, curve_for_efficiency
from discrimen.freezing.logits import with_logits
from discrimen.metrics import (
    Temperature,
    Threshold,
    fit_temperature,
    neutron_logits,
    threshold_for_efficiency,
    threshold_for_leakage,
)
from discrimen.network.graph import Network
from discrimen.network.model_description import ModelDescription
from discrimen.pulses import Pulses


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CalibrationTask:
    """What to choose, and on which pulses.

    Parameters
    ----------
    pulses : Pulses
        Labelled, of the model's detector, not those of its training.
    files : sequence of mapping
        Where they come from, for the provenance.
    temperature : bool
        Whether to fit one.
    neutron_efficiencies, gamma_leakages : tuple of float
        For which a threshold is wanted, between 0 and 1.
    by_height : bool
        Whether thresholds for an efficiency follow the height of the pulse, where the neutrons are enough for that and
        the model takes one channel. A threshold for a leakage is always one number: where light parts the classes well,
        too few gammas leak to choose it there.
    confidence : float
        Of every interval.
    """

    pulses: Pulses
    files: Sequence[Mapping[str, Any]] = ()
    temperature: bool = True
    neutron_efficiencies: tuple[float, ...] = ()
    gamma_leakages: tuple[float, ...] = ()
    by_height: bool = True
    confidence: float = 0.95


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Calibration:
    """What was chosen.

    Parameters
    ----------
    temperature : Temperature or None
        None where none was wanted.
    thresholds : mapping of str to Threshold or CurveThreshold
        By name, on the neutron score behind the temperature.
    """

    temperature: Temperature | None
    thresholds: Mapping[str, Threshold | CurveThreshold] = field(default_factory=dict)


def efficiency_name(efficiency: float) -> str:
    """Return what a threshold for a neutron efficiency is called: ``neutron-efficiency-0.95``, as the option is."""
    return f"neutron-efficiency-{efficiency:g}"


def leakage_name(leakage: float) -> str:
    """Return what a threshold for a gamma leakage is called: ``gamma-leakage-0.001``, as the option is."""
    return f"gamma-leakage-{leakage:g}"


def calibrate(
    scores: NDArray[Any], task: CalibrationTask, *, neutron_class: int, height_adc: NDArray[Any] | None = None
) -> Calibration:
    """Fit the temperature, then choose the thresholds on the scores that it leads to.

    Parameters
    ----------
    scores : ndarray of float, shape (pulse, 2)
        Of the task's pulses, before any temperature.
    task : CalibrationTask
        What is wanted.
    neutron_class : int
        Which column is the neutron's.
    height_adc : ndarray of float, shape (pulse,), optional
        Of the pulses; without it no threshold follows it.

    Raises
    ------
    DataError
        If there are not two classes, or too few pulses for what is wanted.
    """
    labels, logits = task.pulses.column("label"), neutron_logits(scores, neutron_class=neutron_class)
    temperature = fit_temperature(logits, labels, confidence=task.confidence) if task.temperature else None
    scaled = np.clip(logits / (1.0 if temperature is None else temperature.value), -700, 700)
    # As a frozen network gives them: near 1 they are coarse, and a threshold between them would not part them.
    neutron = (1 / (1 + np.exp(-scaled))).astype(np.float32)
    heights = height_adc if task.by_height else None
    thresholds: dict[str, Threshold | CurveThreshold] = {
        efficiency_name(wished): for_efficiency(neutron, labels, heights, efficiency=wished, confidence=task.confidence)
        for wished in task.neutron_efficiencies
    }
    for wished in task.gamma_leakages:
        found = threshold_for_leakage(neutron, labels, leakage=wished, confidence=task.confidence)
        thresholds[leakage_name(wished)] = in_float32(found)
    return Calibration(temperature=temperature, thresholds=thresholds)


def for_efficiency(
    scores: NDArray[Any], labels: NDArray[Any], height_adc: NDArray[Any] | None, *, efficiency: float, confidence: float
) -> Threshold | CurveThreshold:
    """Choose a threshold that keeps a share of the neutrons: at every height where heights are given, else of all.

    Raises
    ------
    DataError
        See :func:`~discrimen.metrics.threshold_for_efficiency`.
    """
    one = in_float32(threshold_for_efficiency(scores, labels, efficiency=efficiency, confidence=confidence))
    if height_adc is None:
        return one
    curve = curve_for_efficiency(scores, height_adc, labels, efficiency=efficiency, confidence=confidence)
    return one if curve is None else curve


def in_float32(threshold: Threshold) -> Threshold:
    """Round up to a float32, which no score of that type passes or misses otherwise, however it is compared."""
    value = np.float32(threshold.value)
    if float(value) < threshold.value:
        value = np.nextafter(value, np.float32(np.inf))
    return replace(threshold, value=float(value))


def calibrated(
    network: Network, description: ModelDescription, calibration: Calibration, task: CalibrationTask
) -> tuple[Network, ModelDescription]:
    """Put temperature and thresholds into a model; how they were found goes into its provenance.

    Parameters
    ----------
    network, description
        The model.
    calibration, task
        What was chosen, and on what.

    Raises
    ------
    SettingsError
        If the model gives no probabilities of classes, or was calibrated before.
    """
    if "calibration" in description.provenance:
        raise SettingsError("this model is calibrated already: freeze the folder of its training again")
    found = calibration.temperature
    if found is not None:
        network = with_logits(network, description, factor=1 / found.value)
    origin = {
        "files": [dict(file) for file in task.files],
        "n_pulses": len(task.pulses),
        "confidence": task.confidence,
        "temperature": None if found is None else asdict(found),
        "thresholds": {name: asdict(threshold) for name, threshold in calibration.thresholds.items()},
    }
    chosen = {name: threshold.value for name, threshold in calibration.thresholds.items()}
    described = description.with_thresholds({**description.thresholds, **chosen})
    return network, replace(described, provenance={**description.provenance, "calibration": origin})
