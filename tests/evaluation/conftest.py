"""Toy scintillator pulses and a toy predictor, with the truth known; what the tests of evaluation share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.evaluation import Report, evaluate
from discrimen.network.height_curve import Cut
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import Alignment, one_channel
from discrimen.network.prepare import prepare
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import DetectorSettings, GatesNs

PERIOD_NS = 4.0
N_SAMPLES = 120
GATES = GatesNs(gate_start_ns=-12.0, short_gate_end_ns=40.0, long_gate_end_ns=300.0)
PREPARATION = one_channel(
    sample_period_ns=PERIOD_NS,
    polarity=-1,
    baseline_start=0,
    baseline_stop=20,
    window_length=80,
    alignment=Alignment(fraction=0.3, position=5),
    scale="peak",
)
SETTINGS = DetectorSettings(name="toy", gates=GATES)

_DECAYS_NS = np.array([6.0, 30.0, 200.0])
_GAMMA_SHARES = np.array([0.75, 0.15, 0.10])
_NEUTRON_SHARES = np.array([0.60, 0.18, 0.22])
_PHOTOELECTRONS_PER_KEVEE = 1.5


def _shape(shares: NDArray[Any], crossing: float) -> NDArray[np.float64]:
    """Expected share of the photoelectrons in each sample."""
    edges = (np.arange(N_SAMPLES + 1) - crossing) * PERIOD_NS
    grown = 1 - np.exp(-np.clip(edges, 0, None)[:, np.newaxis] / _DECAYS_NS)
    shape: NDArray[np.float64] = np.diff(grown @ shares)
    return shape


def toy_pulses(
    n_pulses: int, *, seed: int, low_kevee: float = 20.0, high_kevee: float = 1000.0, with_bound: bool = True
) -> Pulses:
    """Make negative pulses on a drifting baseline, equally many of both classes, flat in the logarithm of the light."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n_pulses)
    energy_kevee = np.exp(rng.uniform(np.log(low_kevee), np.log(high_kevee), n_pulses))
    gamma, neutron = (_shape(shares, 30.0) for shares in (_GAMMA_SHARES, _NEUTRON_SHARES))
    shapes = np.where(labels[:, np.newaxis] == Label.NEUTRON, neutron, gamma)
    expected = energy_kevee[:, np.newaxis] * _PHOTOELECTRONS_PER_KEVEE * shapes
    photons = rng.poisson(expected)
    ratio = np.log(np.where(gamma > 0, neutron, 1) / np.where(gamma > 0, gamma, 1))
    gain = 4.0
    analogue = 12000 + rng.uniform(-50, 50, (n_pulses, 1)) - gain * photons + rng.normal(0, 2, photons.shape)
    columns: dict[str, Any] = {"label": labels.astype(np.int8), "energy_kevee": energy_kevee.astype(np.float32)}
    if with_bound:
        columns["photon_llr"] = (photons @ ratio).astype(np.float32)
        noise = rng.normal(0, 1.5, n_pulses)
        columns["record_llr"] = columns["photon_llr"] * 0.8 + noise
    samples = np.clip(np.rint(analogue), 0, 16383).astype(np.uint16)
    return Pulses(samples=samples, sample_period_ns=PERIOD_NS, **columns)


@dataclass(frozen=True)
class ToyPredictor:
    """The expected log-likelihood ratio of the prepared waveform; NaN where the pulse cannot be prepared."""

    description: ModelDescription = field(
        default_factory=lambda: ModelDescription(preparation=PREPARATION, settings=SETTINGS)
    )
    backend: str = "toy"

    def predict(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        prepared = prepare(samples, self.description.preparation)
        waveforms = prepared.waveforms[:, 0].astype(np.float64)
        area = np.maximum(waveforms.sum(axis=1), 1e-6)
        gamma, neutron = (_shape(shares, 30.0)[30:110] for shares in (_GAMMA_SHARES, _NEUTRON_SHARES))
        weight = np.zeros(80)
        weight[5:] = np.log(neutron / gamma)[:75]
        middle = (gamma @ weight + neutron @ weight) / 2
        logit = 25 * (waveforms @ weight / area - middle)
        neutron_score = 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
        scores = np.stack([1 - neutron_score, neutron_score], axis=1).astype(np.float32)
        scores[~prepared.valid] = np.nan
        return scores


@pytest.fixture(scope="session")
def make_pulses() -> Callable[..., Pulses]:
    """Give the maker of toy pulses: ``make_pulses(n_pulses, seed=...)``."""
    return toy_pulses


@pytest.fixture(scope="session")
def make_predictor() -> Callable[..., ToyPredictor]:
    """Give the maker of toy predictors; changes go to the description."""

    def make(thresholds: Mapping[str, Cut] | None = None, **changes: Any) -> ToyPredictor:
        description = ModelDescription(**({"preparation": PREPARATION, "settings": SETTINGS} | changes))
        return ToyPredictor(description=description.with_thresholds(thresholds or {}))

    return make


@pytest.fixture(scope="session")
def report(make_predictor: Callable[..., ToyPredictor]) -> Report:
    """Give the whole evaluation of toy pulses, gates tuned on others."""
    predictor = make_predictor({"even": 0.5})
    return evaluate(predictor, toy_pulses(6000, seed=1), tuning=toy_pulses(8000, seed=2))


@pytest.fixture(scope="session")
def small_report(make_predictor: Callable[..., ToyPredictor]) -> Report:
    """Give an evaluation with a single energy bin, quick to draw."""
    edges = (200.0, 1000.0)
    return evaluate(
        make_predictor(), toy_pulses(1200, seed=3), tuning=toy_pulses(1500, seed=4), energy_edges_kevee=edges
    )
