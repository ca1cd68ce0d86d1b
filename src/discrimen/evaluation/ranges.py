"""One method in one range of energy: from scores to its results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.evaluation.figures import FIGURES, MethodScores
from discrimen.evaluation.histograms import psd_histogram
from discrimen.evaluation.operating_point import OperatingPoint
from discrimen.evaluation.report import MethodResult, NotComputed, Reliability, if_computed
from discrimen.metrics import (
    Intervals,
    LeakageRatio,
    Share,
    calibration_error,
    reliability_curve,
    roc_curve,
    split_scores,
)
from discrimen.pulses import Label

MINIMUM_PULSES = 50
"""Of each class: a range with fewer is stated, not computed."""


def too_few(labels: NDArray[Any]) -> NotComputed | None:
    """Say why a range cannot be judged, or None where it can."""
    n_gamma, n_neutron = (int(np.count_nonzero(labels == label)) for label in (Label.GAMMA, Label.NEUTRON))
    if min(n_gamma, n_neutron) >= MINIMUM_PULSES:
        return None
    return NotComputed(
        f"too few pulses: {n_gamma} gammas and {n_neutron} neutrons, at least {MINIMUM_PULSES} of each are needed"
    )


def judge(
    method: MethodScores, labels: NDArray[Any], *, efficiencies: tuple[float, ...], intervals: Intervals
) -> MethodResult:
    """Compute all results of one method in one range."""
    scores = method.scores
    parts = split_scores(scores, labels)
    return MethodResult(
        gates=method.gates,
        parameters=method.parameters,
        n_gamma_unclassified=parts.n_gamma_unclassified,
        n_neutron_unclassified=parts.n_neutron_unclassified,
        n_truncated=method.n_truncated,
        figures={figure.name: figure.compute(method, labels, intervals) for figure in FIGURES},
        leakages=tuple(if_computed(intervals.leakage, scores, labels, efficiency=each) for each in efficiencies),
        roc=roc_curve(scores, labels).thinned(),
        psd_histogram=None if method.gates is None else if_computed(psd_histogram, scores, labels),
    )


def network_calibration(
    scores: NDArray[np.float64], labels: NDArray[Any], *, logits: NDArray[np.float64], intervals: Intervals
) -> Reliability:
    """Tell whether the network's scores are probabilities.

    Raises
    ------
    DataError
        If no pulse has a score.
    """
    return Reliability(
        curve=reliability_curve(scores, labels, confidence=intervals.confidence),
        error=calibration_error(scores, labels, rng=intervals.rng, confidence=intervals.confidence),
        temperature=if_computed(intervals.temperature, logits, labels),
    )


def over_network(
    found: Mapping[str, MethodScores | NotComputed],
    labels: NDArray[Any],
    *,
    efficiencies: tuple[float, ...],
    intervals: Intervals,
) -> dict[str, tuple[LeakageRatio, ...]]:
    """Compare the leakage of each method with the network's on the same pulses, at each efficiency that both reach."""
    network = found["network"]
    ratios: dict[str, tuple[LeakageRatio, ...]] = {}
    for name, method in found.items():
        if name == "network" or isinstance(method, NotComputed) or isinstance(network, NotComputed):
            continue
        pairs = [
            if_computed(intervals.paired_leakage, method.scores, network.scores, labels, efficiency=each)
            for each in efficiencies
        ]
        ratios[name] = tuple(pair.ratio for pair in pairs if not isinstance(pair, NotComputed))
    return ratios


def operating_points(
    scores: NDArray[np.float64],
    labels: NDArray[Any],
    *,
    thresholds: Mapping[str, NDArray[np.float64]],
    intervals: Intervals,
) -> tuple[OperatingPoint, ...]:
    """Say what thresholds on the network's score, one a pulse, do to the pulses; one class alone is enough."""

    def share(threshold: NDArray[np.float64], label: Label) -> Share | NotComputed:
        members = labels == label
        if not members.any():
            return NotComputed(f"no {label.name.lower()}s among these pulses")
        return intervals.share(scores >= threshold, members)

    return tuple(
        OperatingPoint(
            name=name,
            threshold=float(np.nanmin(threshold, initial=1)),
            highest_threshold=float(np.nanmax(threshold, initial=0)),
            efficiency=share(threshold, Label.NEUTRON),
            leakage=share(threshold, Label.GAMMA),
        )
        for name, threshold in thresholds.items()
    )
