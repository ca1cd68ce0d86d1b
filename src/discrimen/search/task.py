"""What all trials of a search share: pulses, split and judges, made of a data set the same way wherever it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.evaluation.discriminants import light_kevee
from discrimen.network.preparation import Alignment, Preparation, Scale
from discrimen.network.prepare import choose_preparation, prepare
from discrimen.pulse_shape.upright import blocks
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.runs.dataset import Dataset
from discrimen.search.candidate import PreparationMaker, make_preparation
from discrimen.search.config import SearchConfig
from discrimen.search.objective import Judges, choose_judges
from discrimen.search.space import SearchSpace
from discrimen.training.split import Split


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SearchTask:
    """All that stays the same from trial to trial.

    Parameters
    ----------
    pulses : Pulses
        Labelled, and each of them fit for every preparation of the space.
    split : Split
        Which of them judge, in every trial the same.
    judges : Judges
        Those, in their bins of energy.
    preparation : callable
        Makes the preparation of a scale and an alignment.
    settings : DetectorSettings
        The detector, stored with each model.
    space, config
        What and how to search.
    provenance : mapping
        Where the pulses come from, stored with each model.
    """

    pulses: Pulses
    split: Split
    judges: Judges
    preparation: PreparationMaker
    settings: DetectorSettings
    space: SearchSpace
    config: SearchConfig
    provenance: Mapping[str, Any] = field(default_factory=dict)


def build_task(
    dataset: Dataset,
    *,
    space: SearchSpace,
    config: SearchConfig,
    window_start: int = 0,
    window_length: int | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> tuple[SearchTask, dict[str, Any]]:
    """Make of a data set what all trials share.

    Parameters
    ----------
    dataset, space, config, window_start, window_length, provenance
        As of :func:`~discrimen.search.run.run_search`.

    Returns
    -------
    tuple of SearchTask, dict
        And all that must be the same for trials to be comparable, as plain data: ``data``, ``space``, ``config``.

    Raises
    ------
    DataError
        If there are too few pulses.
    SettingsError
        If the energy of the pulses is not known.
    """

    def preparation(*, scale: Scale, alignment: Alignment | None) -> Preparation:
        return choose_preparation(
            dataset.settings,
            n_samples=dataset.pulses.n_samples,
            scale=scale,
            window_start=window_start,
            window_length=window_length,
            alignment=alignment,
        )

    fit = fit_for_all(dataset.pulses, _preparations(space, preparation))
    kept = dataset.pulses[fit]
    energy = _energy_kevee(kept, dataset, config, preparation(scale="peak", alignment=None))
    whole = config.training().split_of(dataset.pulses, files=dataset.files)
    split = replace(whole, validation=whole.validation[fit], training=whole.training[fit])
    task = SearchTask(
        pulses=kept,
        split=split,
        judges=choose_judges(
            kept.column("label")[split.validation],
            None if energy is None else energy[split.validation],
            edges_kevee=config.energy_edges_kevee,
            efficiency=config.efficiency,
        ),
        preparation=preparation,
        settings=dataset.settings,
        space=space,
        config=config,
        provenance={"files": list(dataset.files), **(provenance or {})},
    )
    return task, {
        "data": _describe(dataset, kept, (window_start, window_length)),
        "space": space.as_data(),
        "config": config.identity(),
    }


def fit_for_all(pulses: Pulses, preparations: Sequence[Preparation]) -> NDArray[np.bool_]:
    """Tell which labelled pulses every preparation can take, so that all trials train on and judge the same.

    Raises
    ------
    DataError
        If there is none.
    """
    fit: NDArray[np.bool_] = pulses.column("label") != Label.UNKNOWN
    for preparation in preparations:
        fit &= np.concatenate([prepare(samples, preparation).valid for samples in blocks(pulses.samples)])
    if not fit.any():
        raise DataError(f"none of {len(pulses)} pulses is labelled and fits every preparation of the search space")
    return fit


def _preparations(space: SearchSpace, make: PreparationMaker) -> list[Preparation]:
    found: list[Preparation] = []
    for chosen in space.preparations():
        preparation = make_preparation(chosen, make)
        if preparation not in found:
            found.append(preparation)
    return found


def _energy_kevee(
    pulses: Pulses, dataset: Dataset, config: SearchConfig, preparation: Preparation
) -> NDArray[np.float64] | None:
    if config.energy_edges_kevee is None:
        return None
    settings = dataset.settings
    energy, _ = light_kevee(pulses, calibration=settings.calibration, preparation=preparation, gates=settings.gates)
    if energy is None:
        raise SettingsError(
            "the light of the pulses is not known, so that there are no lowest energy bins: put a calibration into "
            "--settings ('discrimen calibrate' makes one), or search with --all-energies"
        )
    return energy


def _describe(dataset: Dataset, kept: Pulses, window: tuple[int, int | None]) -> dict[str, Any]:
    labels = kept.column("label")
    digest = hashlib.sha256(np.ascontiguousarray(kept.samples).data)
    digest.update(np.ascontiguousarray(labels).data)
    return {
        "files": [file["name"] for file in dataset.files],
        "sha256": digest.hexdigest(),
        "n_gamma": int(np.count_nonzero(labels == Label.GAMMA)),
        "n_neutron": int(np.count_nonzero(labels == Label.NEUTRON)),
        "n_left_out": len(dataset.pulses) - len(kept),
        "settings": dataset.settings.model_dump(mode="json", exclude_none=True),
        "window_start": window[0],
        "window_length": window[1],
    }
