"""One method in one range of energy: from scores to its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.evaluation.histograms import psd_histogram
from discrimen.evaluation.report import Calibration, MethodResult, NotComputed, OperatingPoint
from discrimen.evaluation.report_parts import PsdHistogram
from discrimen.metrics import (
    Auc,
    FigureOfMerit,
    Leakage,
    LeakageRatio,
    RunDraws,
    Share,
    Temperature,
    auc,
    calibration_error,
    figure_of_merit,
    fit_temperature,
    leakage_at_efficiency,
    paired_leakage,
    reliability_curve,
    roc_curve,
    split_scores,
    widened,
    widened_auc,
    widened_leakage,
    widened_paired,
    wilson_interval,
)
from discrimen.pulses import Label
from discrimen.pulses.detector import GatesNs

MINIMUM_PULSES = 50
"""Of each class: a range with fewer is stated, not computed."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Candidate:
    """Scores of one method.

    With gates and truncated pulses for charge comparison, what was tuned for others.
    """

    scores: NDArray[np.float64]
    gates: GatesNs | None = None
    n_truncated: int | None = None
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
    candidate: Candidate,
    labels: NDArray[Any],
    *,
    efficiencies: tuple[float, ...],
    confidence: float,
    draws: RunDraws | None,
) -> MethodResult:
    """Compute all results of one method in one range; with draws, intervals count runs."""
    parts = split_scores(candidate.scores, labels)
    return MethodResult(
        gates=candidate.gates,
        parameters=candidate.parameters,
        n_gamma_unclassified=parts.n_gamma_unclassified,
        n_neutron_unclassified=parts.n_neutron_unclassified,
        n_truncated=candidate.n_truncated,
        auc=_auc(candidate.scores, labels, confidence, draws),
        leakages=tuple(
            _leakage(candidate.scores, labels, efficiency, confidence, draws) for efficiency in efficiencies
        ),
        roc=roc_curve(candidate.scores, labels).thinned(),
        figure_of_merit=None if candidate.gates is None else _figure_of_merit(candidate.scores, confidence),
        psd_histogram=None if candidate.gates is None else _psd_histogram(candidate.scores, labels),
    )


def network_calibration(
    scores: NDArray[np.float64],
    labels: NDArray[Any],
    *,
    logits: NDArray[np.float64],
    run: NDArray[np.int64] | None,
    confidence: float,
    rng: np.random.Generator,
) -> Calibration | NotComputed:
    """Tell whether the network's scores are probabilities; with runs, the interval of the temperature counts them."""
    try:
        curve = reliability_curve(scores, labels, confidence=confidence)
        error = calibration_error(scores, labels, rng=rng, confidence=confidence)
    except DataError as problem:
        return NotComputed(str(problem))
    temperature: Temperature | NotComputed
    try:
        temperature = fit_temperature(logits, labels, run=run, confidence=confidence)
    except DataError as problem:
        temperature = NotComputed(str(problem))
    return Calibration(curve=curve, error=error, temperature=temperature)


def over_network(
    found: Mapping[str, Candidate | NotComputed],
    methods: Mapping[str, MethodResult | NotComputed],
    labels: NDArray[Any],
    *,
    confidence: float,
    draws: RunDraws | None,
    rng: np.random.Generator,
) -> dict[str, tuple[LeakageRatio, ...]]:
    """Compare the leakage of each method with the network's on the same pulses, at each efficiency that both reach."""
    network, reference = methods["network"], found["network"]
    ratios: dict[str, tuple[LeakageRatio, ...]] = {}
    if not isinstance(network, MethodResult) or isinstance(reference, NotComputed):
        return ratios
    for name, candidate in found.items():
        result = methods[name]
        if name == "network" or isinstance(candidate, NotComputed) or not isinstance(result, MethodResult):
            continue
        both = [
            own.efficiency
            for own, other in zip(result.leakages, network.leakages, strict=True)
            if isinstance(own, Leakage) and isinstance(other, Leakage)
        ]
        pair = (candidate.scores, reference.scores, labels)
        ratios[name] = tuple(
            _paired(*pair, efficiency=each, confidence=confidence, draws=draws, rng=rng) for each in both
        )
    return ratios


def operating_points(
    scores: NDArray[np.float64],
    labels: NDArray[Any],
    *,
    thresholds: Mapping[str, float],
    confidence: float,
    draws: RunDraws | None,
) -> tuple[OperatingPoint, ...]:
    """Say what thresholds on the network's score do to the pulses; one class alone is enough."""

    def share(threshold: float, label: Label) -> Share | NotComputed:
        ours, passing = labels == label, scores >= threshold
        if not ours.any():
            return NotComputed(f"no {label.name.lower()}s among these pulses")
        found = wilson_interval(
            int(np.count_nonzero(passing & ours)), int(np.count_nonzero(ours)), confidence=confidence
        )
        if draws is None:
            return found
        error, half_width = draws.share_error(passing, ours), draws.quantile(confidence)
        low, high = widened(found.value, found.low, found.high, error=error, half_width=half_width)
        return replace(found, low=low, high=high)

    return tuple(
        OperatingPoint(
            name=name,
            threshold=float(threshold),
            efficiency=share(threshold, Label.NEUTRON),
            leakage=share(threshold, Label.GAMMA),
        )
        for name, threshold in thresholds.items()
    )


def _auc(scores: NDArray[np.float64], labels: NDArray[Any], confidence: float, draws: RunDraws | None) -> Auc:
    found = auc(scores, labels, confidence=confidence)
    return found if draws is None else widened_auc(found, scores, labels, draws=draws, confidence=confidence)


def _leakage(
    scores: NDArray[np.float64], labels: NDArray[Any], efficiency: float, confidence: float, draws: RunDraws | None
) -> Leakage | NotComputed:
    try:
        found = leakage_at_efficiency(scores, labels, efficiency=efficiency, confidence=confidence)
    except DataError as error:
        return NotComputed(str(error))
    return found if draws is None else widened_leakage(found, scores, labels, draws=draws, confidence=confidence)


def _paired(
    scores: NDArray[np.float64],
    reference: NDArray[np.float64],
    labels: NDArray[Any],
    *,
    efficiency: float,
    confidence: float,
    draws: RunDraws | None,
    rng: np.random.Generator,
) -> LeakageRatio:
    found = paired_leakage(scores, reference, labels, efficiency=efficiency, rng=rng, confidence=confidence)
    if draws is not None:
        found = widened_paired(found, scores, reference, labels, draws=draws, confidence=confidence)
    return found.ratio


def _figure_of_merit(psd: NDArray[np.float64], confidence: float) -> FigureOfMerit | NotComputed:
    try:
        return figure_of_merit(psd, confidence=confidence)
    except DataError as error:
        return NotComputed(str(error))


def _psd_histogram(psd: NDArray[np.float64], labels: NDArray[Any]) -> PsdHistogram | NotComputed:
    try:
        return psd_histogram(psd, labels)
    except DataError as error:
        return NotComputed(str(error))
