"""Histograms that plots draw, made once so that they stand in the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.evaluation.report import NotComputed
from discrimen.evaluation.report_parts import PsdHistogram, PsdMap, ScoreHistogram
from discrimen.metrics import psd_edges
from discrimen.network.height_curve import Cut
from discrimen.pulse_shape.charge import Charges
from discrimen.pulses import Label
from discrimen.pulses.detector import GatesNs

_SCORE_LOGIT_LIMIT = 16.0
_SCORE_BINS = 64
_LIGHT_BINS = 100
_PSD_BINS = 100


def score_histogram(scores: NDArray[np.float64], labels: NDArray[Any]) -> ScoreHistogram:
    """Count neutron scores by true class in bins that are equal in the logit of the score.

    A network's scores pile up against 0 and 1, where equal bins of the score would show nothing.
    """
    edges = 1 / (1 + np.exp(-np.linspace(-_SCORE_LOGIT_LIMIT, _SCORE_LOGIT_LIMIT, _SCORE_BINS + 1)))
    counts, missing = {}, {}
    for label in (Label.GAMMA, Label.NEUTRON):
        ours = scores[labels == label]
        known = ours[~np.isnan(ours)]
        counts[label] = np.histogram(np.clip(known, edges[0], edges[-1]), bins=edges)[0].astype(np.int64)
        missing[label] = len(ours) - len(known)
    return ScoreHistogram(
        score_edges=edges,
        gamma_counts=counts[Label.GAMMA],
        neutron_counts=counts[Label.NEUTRON],
        n_gamma_unclassified=missing[Label.GAMMA],
        n_neutron_unclassified=missing[Label.NEUTRON],
    )


def psd_histogram(psd: NDArray[np.float64], labels: NDArray[Any]) -> PsdHistogram:
    """Count pulses in PSD by true class.

    Raises
    ------
    DataError
        If no bins hold the pulses.
    """
    edges = psd_edges(psd)
    gamma, neutron = (
        np.histogram(psd[labels == label], bins=edges)[0].astype(np.int64) for label in (Label.GAMMA, Label.NEUTRON)
    )
    return PsdHistogram(psd_edges=edges, gamma_counts=gamma, neutron_counts=neutron)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Decision:
    """What the network calls a neutron: shape (pulse,), and by which threshold."""

    is_neutron: NDArray[np.bool_]
    threshold: Cut
    name: str


def psd_map(
    charges: Charges,
    labels: NDArray[Any],
    *,
    energy_kevee: NDArray[np.float64] | None,
    method: str,
    gates: GatesNs,
    decision: Decision,
) -> PsdMap | NotComputed:
    """Count pulses in PSD against light by true class, and those that the network takes for the other one.

    Without energies the long charge stands for the light.
    """
    light = charges.long_charge_adc_ns.astype(np.float64) if energy_kevee is None else energy_kevee
    psd = charges.psd.astype(np.float64)
    usable = np.isfinite(psd) & np.isfinite(light) & (light > 0)
    if np.count_nonzero(usable) < 2:
        return NotComputed("no pulse has both a PSD and a positive light")
    light_low, light_high = np.quantile(light[usable], [0.001, 0.9995])
    psd_low, psd_high = np.quantile(psd[usable], [0.005, 0.995])
    margin = 0.15 * (psd_high - psd_low) + 1e-6
    columns = np.geomspace(light_low, max(light_high, 1.001 * light_low), _LIGHT_BINS + 1)
    rows = np.linspace(psd_low - margin, psd_high + margin, _PSD_BINS + 1)

    def count(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.histogram2d(light[usable & chosen], psd[usable & chosen], bins=(columns, rows))[0].astype(np.int64)

    is_gamma, is_neutron = labels == Label.GAMMA, labels == Label.NEUTRON
    return PsdMap(
        method=method,
        gates=gates,
        light_unit="ADC ns" if energy_kevee is None else "keVee",
        light_edges=columns,
        psd_edges=rows,
        gamma_counts=count(is_gamma),
        neutron_counts=count(is_neutron),
        gamma_called_neutron=count(is_gamma & decision.is_neutron),
        neutron_called_gamma=count(is_neutron & ~decision.is_neutron),
        threshold=decision.threshold,
        threshold_name=decision.name,
    )
