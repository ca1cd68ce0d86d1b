"""The likelihood ratio of a record: its arithmetic against exact sums, the whole against the classes themselves."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.errors import MissingExtraError, SettingsError
from discrimen.metrics import auc
from discrimen.pulses import Label, Pulses
from discrimen.simulation import record_likelihood
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.record_likelihood import record_log_ratio
from discrimen.simulation.record_model import RecordModel
from discrimen.simulation.simulate import simulate

CONFIG = SimulationConfig(n_pulses=200, energy_min_kevee=50.0, energy_max_kevee=100.0, seed=3, record_llr=True)
pytest.importorskip("numba")


@pytest.fixture(scope="module")
def pulses() -> Pulses:
    return simulate(CONFIG)


def exact_log_density(values: NDArray[np.float64], *, rate: float, height: float, shape: float, sigma: float) -> float:
    """Log density of one sample by a sum over photoelectrons and an integral over their charge."""
    charge = np.linspace(1e-6, 12 + 2 * rate, 40_000)
    density = np.zeros_like(charge)
    for n in range(1, 80):
        log_gamma = shape * n * math.log(shape) + (shape * n - 1) * np.log(charge) - shape * charge
        density += math.exp(n * math.log(rate) - rate - math.lgamma(n + 1)) * np.exp(log_gamma - math.lgamma(shape * n))
    noise = np.exp(-((values[:, np.newaxis] - height * charge) ** 2) / 2 / sigma**2)
    dark = math.exp(-rate) * np.exp(-(values**2) / 2 / sigma**2)
    total = dark + (noise * density).sum(axis=1) * (charge[1] - charge[0])
    return np.log(total / math.sqrt(2 * math.pi) / sigma)


@pytest.mark.parametrize("rate", [0.2, 1.0, 5.0, 30.0])
def test_one_sample_has_the_density_of_shot_noise(rate: float) -> None:
    from discrimen.simulation import record_kernels as kernels

    height, shape, sigma = 3.0, 6.25, 3.0
    values = np.linspace(rate * height - 8, rate * height + 12, 9)
    found = np.empty((2, len(values)))
    for at, value in enumerate(values):
        work = (*(np.zeros(1) for _ in range(5)), np.zeros((1, 1)))
        tables = np.zeros(1, np.int64), np.full((1, 1), height), 0
        tilt = np.zeros(1)
        first = kernels._saddlepoint(np.array([value]), tilt, np.array([rate]), shape, sigma**2, 0.0, *tables, work)
        second = kernels._correction(np.array([rate]), shape, 0.0, *tables, work)
        found[:, at] = first, first + second
    exact = exact_log_density(values, rate=rate, height=height, shape=shape, sigma=sigma)
    assert found[1] == pytest.approx(exact, abs=0.03)
    assert np.abs(found[1] - exact).max() < np.abs(found[0] - exact).max() + 1e-3


@pytest.mark.slow
def test_the_ratio_is_calibrated_and_parts_the_classes(pulses: Pulses) -> None:
    ratio, is_neutron = pulses.column("record_llr"), pulses.column("label") == Label.NEUTRON
    expected = 1 / (1 + np.exp(-ratio.astype(np.float64)))
    # A probability: as many neutrons as it says, within four standard deviations.
    assert abs(expected.sum() - is_neutron.sum()) < 4 * np.sqrt((expected * (1 - expected)).sum())
    bound = auc(pulses.column("photon_llr"), pulses.column("label")).value
    assert 0.96 < auc(ratio, pulses.column("label")).value <= bound


@pytest.mark.slow
def test_a_record_at_a_rail_has_no_ratio(pulses: Pulses) -> None:
    samples = pulses.samples[:2].copy()
    samples[0, 20] = 0
    found = record_log_ratio(RecordModel.of(CONFIG), samples)
    assert np.isnan(found.log_ratio).tolist() == [True, False]
    assert found.log_ratio[1] == pytest.approx(pulses.column("record_llr")[1], abs=1e-4)


@pytest.mark.slow
def test_the_second_order_is_small(pulses: Pulses) -> None:
    model = RecordModel.of(CONFIG)
    first, both = (record_log_ratio(model, pulses.samples[:50], second_order=order) for order in (False, True))
    assert both.log_ratio - both.second_order == pytest.approx(first.log_ratio, abs=1e-6)
    assert 0 < np.abs(both.second_order).max() < 0.4


@pytest.mark.parametrize(
    "changes", [{"pileup_fraction": 0.1}, {"gain_spread": 0.1}, {"digitizer": "DT5751"}, {"spectrum": "Co-60"}]
)
def test_what_the_likelihood_does_not_know_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="likelihood of a record is not known with"):
        simulate(replace(CONFIG, **changes))  # type: ignore[arg-type]


def test_numba_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str, *, extra: str) -> None:
        raise MissingExtraError(module, extra)

    monkeypatch.setattr(record_likelihood, "require_module", missing)
    with pytest.raises(MissingExtraError, match=r"discrimen\[bound\]"):
        simulate(CONFIG)
