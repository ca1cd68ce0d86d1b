"""The scores of every method in one range of energy, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.evaluation.classic_methods import ClassicMethods, tuned_methods
from discrimen.evaluation.figures import MethodScores
from discrimen.evaluation.report import BOUNDS, METHODS, NotComputed
from discrimen.evaluation.tuning import TuningSelection, merit_on, tuned_gates, tuning_pulses
from discrimen.metrics import EnergyBin
from discrimen.network.height_curve import Cut
from discrimen.network.preparation import Preparation
from discrimen.pulse_shape import CLASSIC_METHODS, Method
from discrimen.pulse_shape.charge import Charges
from discrimen.pulse_shape.upright import aligned_preparation, charges_of
from discrimen.pulses import Pulses
from discrimen.pulses.detector import GatesNs

_NO_TUNING = NotComputed("no tuning pulses are given")
_WHOLE_SHARE = 0.9
"""Classic methods see a window that so many of the records fill."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Selection:
    """The pulses under evaluation with all that is known of each before ranges are cut."""

    pulses: Pulses
    labels: NDArray[np.int8]
    energy_kevee: NDArray[np.float64] | None
    network: NDArray[np.float64]
    height_adc: NDArray[np.float32] | None
    logits: NDArray[np.float64]
    nominal: Charges | None
    run: NDArray[np.int64]
    run_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ClassicTuning:
    """What all ranges of energy share: how pulses are aligned, and the methods that are tuned once."""

    preparation: Preparation
    methods: Mapping[str, Method | NotComputed]
    seed: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Task:
    """What was asked for."""

    preparation: Preparation
    thresholds: Mapping[str, Cut]
    gates: GatesNs | None
    tuning: TuningSelection | None
    classic: ClassicTuning | NotComputed | None
    efficiencies: tuple[float, ...]
    confidence: float
    rng: np.random.Generator


def classic_tuning(
    selection: TuningSelection, preparation: Preparation, *, rng: np.random.Generator, seed: int
) -> ClassicTuning | NotComputed:
    """Align the tuning pulses, and tune on them what is tuned for all energies at once.

    Parameters
    ----------
    selection : TuningSelection
        Kept apart from the evaluation.
    preparation : Preparation
        Of the model.
    rng : Generator
        Chooses among the pulses where there are more than needed.
    seed : int
        Of whatever a method draws.
    """
    try:
        aligned = aligned_preparation(selection.pulses.samples, preparation, whole_share=_WHOLE_SHARE)
        pulses = tuning_pulses(selection, energy=None, rng=rng)
    except DataError as error:
        return NotComputed(str(error))
    found = tuned_methods(pulses, preparation=aligned, merit=merit_on(pulses), seed=seed, by_energy=False)
    return ClassicTuning(preparation=aligned, methods=found, seed=seed)


def method_scores(
    selection: Selection, task: Task, inside: NDArray[np.bool_], energy: EnergyBin | None, *, skip: NotComputed | None
) -> dict[str, MethodScores | NotComputed]:
    """Score the pulses of a range with every method.

    Parameters
    ----------
    selection, task
        The pulses and what is wanted.
    inside : ndarray of bool, shape (pulse,)
        Which pulses the range holds.
    energy : EnergyBin or None
        The range; None for all pulses.
    skip : NotComputed or None
        Why the range cannot be judged, if so.

    Returns
    -------
    dict of str to MethodScores or NotComputed
        One for each of :data:`~discrimen.evaluation.report.METHODS`, in their order.
    """
    if skip is not None:
        return dict.fromkeys(METHODS, skip)
    found: dict[str, MethodScores | NotComputed] = {
        "network": MethodScores(scores=selection.network[inside]),
        "charge_nominal": NotComputed("no gates are given, and the model's settings have none"),
        "charge_best": _best_gates(selection, task, inside, energy),
        **_classic(selection, task, inside, energy),
        **{name: _simulated(selection, column, inside) for name, column in BOUNDS.items()},
    }
    if selection.nominal is not None and task.gates is not None:
        found["charge_nominal"] = _charge_scores(task.gates, selection.nominal, inside)
    return {name: found[name] for name in METHODS}


def _simulated(selection: Selection, column: str, inside: NDArray[np.bool_]) -> MethodScores | NotComputed:
    """Take the likelihood ratio that the simulation has written beside the pulses."""
    values = selection.pulses.columns().get(column)
    if values is None:
        return NotComputed(f"the pulses have no column {column}")
    return MethodScores(scores=values[inside].astype(np.float64))


def _charge_scores(gates: GatesNs, charges: Charges, inside: NDArray[np.bool_] | slice) -> MethodScores:
    n_truncated = int(np.count_nonzero(charges.truncated[inside]))
    return MethodScores(scores=charges.psd[inside].astype(np.float64), gates=gates, n_truncated=n_truncated)


def _best_gates(
    selection: Selection, task: Task, inside: NDArray[np.bool_], energy: EnergyBin | None
) -> MethodScores | NotComputed:
    if task.tuning is None:
        return _NO_TUNING
    try:
        gates = tuned_gates(task.tuning, energy=energy, preparation=task.preparation, rng=task.rng)
    except DataError as error:
        return NotComputed(str(error))
    return _charge_scores(gates, charges_of(selection.pulses[inside], task.preparation, gates), slice(None))


def _classic(
    selection: Selection, task: Task, inside: NDArray[np.bool_], energy: EnergyBin | None
) -> Mapping[str, MethodScores | NotComputed]:
    """Tune what is tuned for each range, and score with it and with what is tuned once."""
    names = [method.name for method in CLASSIC_METHODS]
    if task.tuning is None or task.classic is None:
        return dict.fromkeys(names, _NO_TUNING)
    if isinstance(task.classic, NotComputed):
        return dict.fromkeys(names, task.classic)
    aligned, seed = task.classic.preparation, task.classic.seed
    tuned: dict[str, Method | NotComputed]
    try:
        pulses = tuning_pulses(task.tuning, energy=energy, rng=task.rng)
        tuned = tuned_methods(pulses, preparation=aligned, merit=merit_on(pulses), seed=seed, by_energy=True)
    except DataError as error:
        tuned = {method.name: NotComputed(str(error)) for method in CLASSIC_METHODS if method.by_energy}
    methods = ClassicMethods(methods={**tuned, **task.classic.methods}, preparation=aligned)
    scores = methods.scores(selection.pulses.samples[inside])
    return {
        name: method
        if isinstance(method, NotComputed)
        else MethodScores(scores=scores[name], parameters=method.parameters)
        for name, method in methods.methods.items()
    }
