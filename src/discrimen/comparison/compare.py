"""Several models on one or more data sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.comparison.result import Against, ComparedRange, Comparison, Figures, Group, LeakageAgainst
from discrimen.comparison.unpaired import unpaired_ranges
from discrimen.errors import DataError, SettingsError
from discrimen.evaluation import NotComputed
from discrimen.evaluation.judged_selection import judged_selection
from discrimen.evaluation.method_scores import Selection
from discrimen.evaluation.ranges import too_few
from discrimen.evaluation.report import if_computed
from discrimen.inference.load import Model
from discrimen.metrics import DEFAULT_ENERGY_EDGES_KEVEE, EnergyBin, Intervals, energy_bins, intervals_for
from discrimen.output.provenance import software_versions, utc_now
from discrimen.pulses import Label
from discrimen.runs.dataset import Dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    bins: tuple[EnergyBin, ...]
    efficiencies: tuple[float, ...]
    confidence: float
    rng: np.random.Generator


def compare_models(
    models: Mapping[str, Model],
    sets: Mapping[str, Dataset],
    *,
    energy_edges_kevee: Sequence[float] = DEFAULT_ENERGY_EDGES_KEVEE,
    efficiencies: Sequence[float] = (0.90, 0.95, 0.99),
    confidence: float = 0.95,
    seed: int = 0,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """Compare models on the same pulses of each data set, and each model on several data sets.

    Parameters
    ----------
    models : mapping of str to Model
        By name; the first is the reference.
    sets : mapping of str to Dataset
        Labelled, by name; the first is the reference.
    energy_edges_kevee : sequence of float
        Edges of the energy bins. Where energies come from a calibration, it is that of the first model.
    efficiencies : sequence of float
        Neutron efficiencies at which the gamma leakage is wanted.
    confidence : float
        Of every interval.
    seed : int
        Draws for intervals.
    on_progress : callable
        Called with 1 for each model and data set that is done.

    Raises
    ------
    DataError
        If pulses have no labels, or a data set lacks a class.
    SettingsError
        If there is nothing to compare, or a share does not lie between 0 and 1.
    """
    if len(models) * len(sets) < 2:
        raise SettingsError("nothing to compare: give several models or several data sets")
    for share in (*efficiencies, confidence):
        if not 0 < share < 1:
            raise SettingsError(f"efficiencies and confidence must lie between 0 and 1, got {share:g}")
    task = _Task(
        bins=energy_bins(energy_edges_kevee),
        efficiencies=tuple(efficiencies),
        confidence=confidence,
        rng=np.random.default_rng(seed),
    )
    on_sets = tuple(_models_on(name, models, dataset, task, on_progress) for name, dataset in sets.items())
    groups = on_sets if len(models) > 1 else ()
    if len(sets) > 1:
        groups += tuple(_sets_of(model, on_sets, tuple(sets)) for model in models)
    origin = {name: {"path": str(model.path), "sha256": model.sha256} for name, model in models.items()}
    return Comparison(
        groups=groups,
        efficiencies=task.efficiencies,
        confidence=confidence,
        origin={**origin, **{name: {"files": list(dataset.files)} for name, dataset in sets.items()}},
        created_utc=utc_now(),
        software=software_versions("numpy", "scipy"),
    )


def _models_on(
    name: str, models: Mapping[str, Model], dataset: Dataset, task: _Task, on_progress: Callable[[int], None]
) -> Group:
    selections: dict[str, Selection] = {}
    notes: list[str] = []
    for model_name, model in models.items():
        own: list[str] = []
        selections[model_name], _ = judged_selection(model.predictor, dataset.pulses, None, own, dataset.files)
        if not selections[model_name].labels.any() or selections[model_name].labels.all():
            raise DataError(f"{name}: both classes are needed; files of one data set are joined by commas")
        notes += [note for note in own if note not in notes]
        on_progress(1)
    first = next(iter(selections.values()))
    energies = (None, *task.bins) if first.energy_kevee is not None else (None,)
    ranges = tuple(_range(selections, first, energy, task) for energy in energies)
    counted = _counted(first, ranges, task)
    return Group(title=f"Models on {name}", entries=tuple(models), paired=True, ranges=ranges, notes=(*notes, counted))


def _counted(first: Selection, ranges: Sequence[ComparedRange], task: _Task) -> str:
    n_runs = intervals_for(first.run, first.labels, confidence=task.confidence, rng=task.rng).n_runs
    if n_runs is not None and ranges:
        return f"intervals count {n_runs} runs, resampled as a whole, and are never narrower than those of the pulses"
    return "intervals count pulses: differences between runs are not in them"


def _range(
    selections: Mapping[str, Selection], first: Selection, energy: EnergyBin | None, task: _Task
) -> ComparedRange:
    inside = np.ones(len(first.labels), dtype=np.bool_)
    if energy is not None and first.energy_kevee is not None:
        inside = energy.contains(first.energy_kevee)
    labels = first.labels[inside]
    reason = too_few(labels)
    figures: dict[str, Figures | NotComputed] = dict.fromkeys(selections, reason) if reason else {}
    against: dict[str, Against] = {}
    if reason is None:
        intervals = intervals_for(first.run[inside], labels, confidence=task.confidence, rng=task.rng)
        scores = {name: selection.network[inside] for name, selection in selections.items()}
        figures = {name: _figures(values, labels, task, intervals) for name, values in scores.items()}
        reference, *others = scores
        against = {name: _against(scores[name], scores[reference], labels, task, intervals) for name in others}
    n_gamma, n_neutron = (int(np.count_nonzero(labels == label)) for label in (Label.GAMMA, Label.NEUTRON))
    return ComparedRange(
        energy=energy,
        n_gamma=dict.fromkeys(selections, n_gamma),
        n_neutron=dict.fromkeys(selections, n_neutron),
        figures=figures,
        against=against,
    )


def _figures(scores: NDArray[np.float64], labels: NDArray[np.int8], task: _Task, intervals: Intervals) -> Figures:
    return Figures(
        auc=intervals.auc(scores, labels),
        leakages=tuple(if_computed(intervals.leakage, scores, labels, efficiency=each) for each in task.efficiencies),
    )


def _against(
    scores: NDArray[np.float64],
    reference: NDArray[np.float64],
    labels: NDArray[np.int8],
    task: _Task,
    intervals: Intervals,
) -> Against:
    leakages = []
    for efficiency in task.efficiencies:
        found = if_computed(intervals.paired_leakage, scores, reference, labels, efficiency=efficiency)
        if not isinstance(found, NotComputed):
            leakages.append(LeakageAgainst(efficiency=efficiency, difference=found.difference, ratio=found.ratio))
    return Against(auc=intervals.auc_difference(scores, reference, labels), leakages=tuple(leakages))


def _sets_of(model: str, on_sets: Sequence[Group], names: tuple[str, ...]) -> Group:
    """Put one model's figures on each data set side by side."""
    by_set = dict(zip(names, on_sets, strict=True))
    found = {name: {part.energy: part.figures[model] for part in group.ranges} for name, group in by_set.items()}
    counts = {
        name: {part.energy: (part.n_gamma[model], part.n_neutron[model]) for part in group.ranges}
        for name, group in by_set.items()
    }
    return Group(title=f"{model} on each data set", entries=names, paired=False, ranges=unpaired_ranges(found, counts))
