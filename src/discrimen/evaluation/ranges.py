"""One method in one range of energy: from scores to its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.detector import GatesNs
from discrimen.errors import DataError
from discrimen.evaluation.histograms import psd_histogram
from discrimen.evaluation.report import Calibration, MethodResult, NotComputed, OperatingPoint, PsdHistogram
from discrimen.metrics import (
    FigureOfMerit,
    Leakage,
    LeakageRatio,
    Temperature,
    auc,
    calibration_error,
    figure_of_merit,
    fit_temperature,
    leakage_at_efficiency,
    leakage_ratio,
    reliability_curve,
    roc_curve,
    split_scores,
    wilson_interval,
)
from discrimen.pulses import Label

MINIMUM_PULSES = 50
"""Of each class: a range with fewer is stated, not computed."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Candidate:
    """Scores of one method.

    With gates and truncated pulses for charge comparison, thresholds for the network, what was tuned for others.
    """

    scores: NDArray[np.float64]
    gates: GatesNs | None = None
    n_truncated: int | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)


def too_few(labels: NDArray[Any]) -> NotComputed | None:
    """Say why a range cannot be judged, or None where it can."""
    n_gamma, n_neutron = (int(np.count_nonzero(labels == label)) for label in (Label.GAMMA, Label.NEUTRON))
    if min(n_gamma, n_neutron) >= MINIMUM_PULSES:
        return None
    return NotComputed(
        f"too few pulses: {n_gamma} gammas and {n_neutron} neutrons, at least {MINIMUM_PULSES} of each are needed"
    )


def judge(
    candidate: Candidate, labels: NDArray[Any], *, efficiencies: tuple[float, ...], confidence: float
) -> MethodResult:
    """Compute all results of one method in one range."""
    parts = split_scores(candidate.scores, labels)
    return MethodResult(
        gates=candidate.gates,
        parameters=candidate.parameters,
        n_gamma_unclassified=parts.n_gamma_unclassified,
        n_neutron_unclassified=parts.n_neutron_unclassified,
        n_truncated=candidate.n_truncated,
        auc=auc(candidate.scores, labels, confidence=confidence),
        leakages=tuple(_leakage(candidate.scores, labels, efficiency, confidence) for efficiency in efficiencies),
        roc=roc_curve(candidate.scores, labels).thinned(),
        figure_of_merit=None if candidate.gates is None else _figure_of_merit(candidate.scores),
        psd_histogram=None if candidate.gates is None else _psd_histogram(candidate.scores, labels),
        operating_points=tuple(
            _operating_point(name, threshold, candidate.scores, labels, confidence)
            for name, threshold in candidate.thresholds.items()
        ),
    )


def network_calibration(
    scores: NDArray[np.float64],
    labels: NDArray[Any],
    *,
    logits: NDArray[np.float64],
    confidence: float,
    rng: np.random.Generator,
) -> Calibration | NotComputed:
    """Tell whether the network's scores may be read as probabilities."""
    try:
        curve = reliability_curve(scores, labels, confidence=confidence)
        error = calibration_error(scores, labels, rng=rng, confidence=confidence)
    except DataError as problem:
        return NotComputed(str(problem))
    temperature: Temperature | NotComputed
    try:
        temperature = fit_temperature(logits, labels, confidence=confidence)
    except DataError as problem:
        temperature = NotComputed(str(problem))
    return Calibration(curve=curve, error=error, temperature=temperature)


def over_network(methods: Mapping[str, MethodResult | NotComputed]) -> dict[str, tuple[LeakageRatio, ...]]:
    """Compare the leakage of each method with the network's, at each efficiency that both reach."""
    network = methods["network"]
    ratios: dict[str, tuple[LeakageRatio, ...]] = {}
    for name, result in methods.items():
        if name != "network" and isinstance(result, MethodResult) and isinstance(network, MethodResult):
            pairs = zip(result.leakages, network.leakages, strict=True)
            ratios[name] = tuple(
                leakage_ratio(own, over=reference)
                for own, reference in pairs
                if isinstance(own, Leakage) and isinstance(reference, Leakage)
            )
    return ratios


def _leakage(
    scores: NDArray[np.float64], labels: NDArray[Any], efficiency: float, confidence: float
) -> Leakage | NotComputed:
    try:
        return leakage_at_efficiency(scores, labels, efficiency=efficiency, confidence=confidence)
    except DataError as error:
        return NotComputed(str(error))


def _figure_of_merit(psd: NDArray[np.float64]) -> FigureOfMerit | NotComputed:
    try:
        return figure_of_merit(psd)
    except DataError as error:
        return NotComputed(str(error))


def _psd_histogram(psd: NDArray[np.float64], labels: NDArray[Any]) -> PsdHistogram | NotComputed:
    try:
        return psd_histogram(psd, labels)
    except DataError as error:
        return NotComputed(str(error))


def _operating_point(
    name: str, threshold: float, scores: NDArray[np.float64], labels: NDArray[Any], confidence: float
) -> OperatingPoint:
    passing = scores >= threshold

    def share(label: Label) -> Any:
        ours = labels == label
        return wilson_interval(
            int(np.count_nonzero(passing & ours)), int(np.count_nonzero(ours)), confidence=confidence
        )

    return OperatingPoint(
        name=name, threshold=float(threshold), efficiency=share(Label.NEUTRON), leakage=share(Label.GAMMA)
    )
