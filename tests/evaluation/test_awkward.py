"""Data of awkward shape: what cannot be computed is said, and never costs the rest of a report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.evaluation import NotComputed, Report, evaluate, report_text, write_report
from discrimen.evaluation.report import if_computed
from discrimen.network.model_description import ModelDescription
from discrimen.output.plain import plain
from discrimen.pulses import Pulses

N = 240
_FIRST_CODE = 11_800
"""The last sample of a pulse tells which one it is."""

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class GivenScores:
    """A predictor that gives each pulse the neutron score that a test wants."""

    description: ModelDescription
    neutron: Scores
    backend: str = "given"

    def predict(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        score = self.neutron[samples[:, -1].astype(np.int64) - _FIRST_CODE]
        return np.stack([1 - score, score], axis=1).astype(np.float32)


def by_logit(gamma: tuple[float, float], neutron: tuple[float, float]) -> Callable[[Pulses], Scores]:
    """Give scores whose logits lie evenly between two values of each class."""

    def scores(pulses: Pulses) -> Scores:
        labels = pulses.column("label")
        logits = np.zeros(len(pulses))
        for label, ends in enumerate((gamma, neutron)):
            logits[labels == label] = np.linspace(*ends, int((labels == label).sum()))
        return np.asarray(1 / (1 + np.exp(-logits)))

    return scores


ORDINARY = by_logit((-4, 2), (-2, 4))


def nowhere(pulses: Pulses) -> Scores:
    return np.full(len(pulses), np.nan)


def half_missing(pulses: Pulses) -> Scores:
    return np.where(np.arange(len(pulses)) % 2, ORDINARY(pulses), np.nan)


def neutrons_missing(pulses: Pulses) -> Scores:
    return np.where(pulses.column("label") == 1, np.nan, ORDINARY(pulses))


def of_class(pulses: Pulses, label: int, most: int) -> Pulses:
    """Keep that many pulses of a class, and all of the other one."""
    labels = pulses.column("label")
    return pulses[(labels != label) | (np.cumsum(labels == label) <= most)]


def with_energy(values: Callable[[NDArray[np.float32]], Any]) -> Callable[[Pulses], Pulses]:
    def changed(pulses: Pulses) -> Pulses:
        energy = np.broadcast_to(values(pulses.column("energy_kevee")), len(pulses))
        return pulses.replace(energy_kevee=energy.astype(np.float32))

    return changed


def flat(pulses: Pulses) -> Pulses:
    return pulses.replace(samples=np.full_like(pulses.samples, 12_000))


def clipped(pulses: Pulses) -> Pulses:
    return pulses.replace(samples=np.maximum(pulses.samples, 11_900))


def alike(pulses: Pulses) -> Pulses:
    return pulses.replace(samples=np.repeat(pulses.samples[:1], len(pulses), axis=0))


def runs_of_one_class(pulses: Pulses) -> Pulses:
    return pulses.replace(
        run=pulses.column("label").astype(np.int32) + 2 * (np.arange(len(pulses)) % 4).astype(np.int32)
    )


def unchanged(pulses: Pulses) -> Pulses:
    return pulses


CASES: dict[str, tuple[Callable[[Pulses], Pulses], Callable[[Pulses], Scores]]] = {
    "classes that part completely": (unchanged, by_logit((-40, -10), (10, 40))),
    "classes that part completely the wrong way": (unchanged, by_logit((10, 40), (-40, -10))),
    "scores of exactly 0 and 1": (unchanged, lambda pulses: pulses.column("label").astype(np.float64)),
    "scores of exactly 0 and 1, wrong": (unchanged, lambda pulses: 1.0 - pulses.column("label")),
    "one score for all": (unchanged, lambda pulses: np.full(len(pulses), 0.5)),
    "every score 1": (unchanged, lambda pulses: np.ones(len(pulses))),
    "no score at all": (unchanged, nowhere),
    "every second score missing": (unchanged, half_missing),
    "no neutron with a score": (unchanged, neutrons_missing),
    "gammas alone": (lambda pulses: of_class(pulses, 1, 0), ORDINARY),
    "neutrons alone": (lambda pulses: of_class(pulses, 0, 0), ORDINARY),
    "a single gamma": (lambda pulses: of_class(pulses, 0, 1), ORDINARY),
    "a single neutron": (lambda pulses: of_class(pulses, 1, 1), ORDINARY),
    "one pulse of each": (lambda pulses: of_class(of_class(pulses, 1, 1), 0, 1), ORDINARY),
    "a pulse": (lambda pulses: pulses[:1], ORDINARY),
    "one class in a range": (
        lambda pulses: pulses[(pulses.column("label") == 1) | (pulses.column("energy_kevee") < 100)],
        ORDINARY,
    ),
    "one energy for all": (with_energy(lambda _: 75.0), ORDINARY),
    "energies of 0 and below": (with_energy(lambda energy: energy - 500), ORDINARY),
    "energies that are not known": (with_energy(lambda _: np.nan), ORDINARY),
    "energies beyond all ranges": (with_energy(lambda energy: energy * 1e6), ORDINARY),
    "records without a pulse": (flat, ORDINARY),
    "every pulse clipped": (clipped, ORDINARY),
    "every pulse alike": (alike, ORDINARY),
    "runs of one class each": (runs_of_one_class, ORDINARY),
}


def evaluated(case: str, make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]) -> Report:
    shape, scores = CASES[case]
    pulses = shape(make_pulses(N, seed=11, with_bound=False))
    samples = pulses.samples.copy()
    samples[:, -1] = _FIRST_CODE + np.arange(len(pulses))
    pulses = pulses.replace(samples=samples)
    predictor = GivenScores(make_predictor({"even": 0.5}).description, scores(pulses))
    return evaluate(predictor, pulses, energy_edges_kevee=(30.0, 100.0, 1000.0))


@pytest.mark.parametrize("case", CASES)
def test_awkward_data_are_judged_as_far_as_they_can_be(
    case: str, make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any]
) -> None:
    report = evaluated(case, make_pulses, make_predictor)
    assert "note: " in report_text(report)
    assert json.dumps(plain(report.as_dict()), allow_nan=False)
    assert not any("Error" in str(each) for each in not_computed(report.as_dict()))


def not_computed(values: Any) -> Iterator[str]:
    """Yield the reasons why figures of a report were not computed."""
    if isinstance(values, dict):
        if "not_computed" in values:
            yield values["not_computed"]
        values = list(values.values())
    if isinstance(values, (list, tuple)):
        for each in values:
            yield from not_computed(each)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_awkward_data_leave_a_report(
    case: str, make_pulses: Callable[..., Pulses], make_predictor: Callable[..., Any], tmp_path: Path
) -> None:
    written = write_report(evaluated(case, make_pulses, make_predictor), tmp_path)
    assert "</html>" in written[1].read_text()


def test_a_fault_that_nobody_foresaw_costs_one_figure() -> None:
    def broken(_: float) -> float:
        return 1 / 0

    found = if_computed(broken, 2.0)
    assert isinstance(found, NotComputed)
    assert found.not_computed == "ZeroDivisionError: division by zero"
