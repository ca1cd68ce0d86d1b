"""A network: trained from a data set, and gone on with after an interrupt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from discrimen.api.model import load
from discrimen.errors import SettingsError
from discrimen.inference.load import Model
from discrimen.keras_jax import load_keras
from discrimen.output.provenance import sha256_of_file
from discrimen.runs.dataset import Dataset

if TYPE_CHECKING:
    from discrimen.api.options import TrainingOptions
    from discrimen.network.preparation import Preparation
    from discrimen.runs.components import Components
    from discrimen.training import TrainingConfig
    from discrimen.training.split import Split
    from discrimen.training.tasks import Task


def train(
    dataset: Dataset,
    folder: Path | str,
    *,
    clean: Dataset | None = None,
    components: Sequence[Path | str | Components] = (),
    preparation: Preparation | None = None,
    overwrite: bool = False,
    accept: bool = False,
    **config: Unpack[TrainingOptions],
) -> Model:
    """Train a network on a data set; a classification needs labels.

    Parameters
    ----------
    dataset : Dataset
        From :func:`read`.
    folder : Path or str
        For model, history, curves and TensorBoard logs.
    clean : Dataset, optional
        Clean records of the same pulses, for ``task=Reconstruction()``: what a denoiser learns to give.
    components : sequence of Path, str or Components
        Each pulse of the same records on its own, for ``task=Separation()``: a file for each file of the data set, in
        their order, as :func:`simulate` and :func:`overlay` write them, or what :mod:`discrimen.runs.components` read.
    preparation : Preparation, optional
        By default the whole record, baseline subtracted, scaled to its peak.
    overwrite : bool
        Whether a model that is there may be replaced.
    accept : bool
        Whether to train in spite of errors that the audit finds in the data.
    **config
        Fields of :class:`~discrimen.training.TrainingConfig`. Without ``contamination`` the loss is corrected for wrong
        labels as far as the data set, or the record beside its file, knows them.

    Raises
    ------
    DataError
        If the audit finds errors and they are not accepted.
    MissingExtraError, DeviceError
        If Keras or the device is missing.
    KeyboardInterrupt
        If the user interrupts before the first epoch ends. Later the training just ends, one line on standard error
        says so, the best model until then is returned, and :func:`resume` goes on.
    """
    from discrimen.api.seen_training import seen_training
    from discrimen.network.prepare import choose_preparation
    from discrimen.training import TrainingConfig
    from discrimen.training import train as train_network

    training = corrected(TrainingConfig(**config), dataset, given="contamination" in config)
    load_keras(training.device)  # what is missing is reported before anything is computed
    targets, provenance = _clean_targets(training.task.name, dataset, clean)
    if components:
        targets, provenance = _component_targets(training.task.name, dataset, components)
    split = training.split_of(dataset.pulses, files=dataset.files, targets=targets)
    audit = _audited(dataset, split, training.task, accept=accept)
    with seen_training(training.epochs, folder) as told:
        result = train_network(
            dataset.pulses,
            preparation or choose_preparation(dataset.settings, n_samples=dataset.pulses.n_samples),
            training,
            folder=folder,
            settings=dataset.settings,
            provenance={"files": list(dataset.files), "audit": audit, **provenance},
            targets=targets,
            overwrite=overwrite,
            split=split,
            progress=told,
        )
    told.end(result)
    return load(result.folder, device=training.device)


def resume(
    dataset: Dataset,
    folder: Path | str,
    *,
    clean: Dataset | None = None,
    components: Sequence[Path | str | Components] = (),
) -> Model:
    """Go on with a training that was interrupted or broken off, after the last epoch that ended.

    Parameters
    ----------
    dataset, clean, components
        The same as when :func:`train` began.
    folder : Path or str
        Of the unfinished training; everything else is as it began.

    Raises
    ------
    FormatError
        If there is no unfinished training.
    MissingExtraError, DeviceError
        If Keras or the device is missing.
    DataError
        If the pulses are not those that the training began with.
    """
    from discrimen.api.seen_training import seen_training
    from discrimen.training import resume as resume_training
    from discrimen.training.resumed import read_unfinished

    load_keras()  # what is missing is reported before anything is read
    unfinished = read_unfinished(Path(folder))
    config = unfinished.config
    targets, _ = _clean_targets(config.task.name, dataset, clean)
    if components:
        targets, _ = _component_targets(config.task.name, dataset, components)
    split = config.split_of(dataset.pulses, files=dataset.files, targets=targets)
    with seen_training(config.epochs - len(unfinished.records), folder) as told:
        result = resume_training(dataset.pulses, folder, targets=targets, progress=told, split=split)
    told.end(result)
    return load(result.folder, device=config.device)


def corrected(config: TrainingConfig, dataset: Dataset, *, given: bool) -> TrainingConfig:
    """Let the loss be corrected for wrong labels that are known, as `discrimen train` does, unless they are given."""
    if given or config.task.name != "classification":
        return config
    from discrimen.labelling.known_contamination import known_contamination

    return replace(config, contamination=known_contamination(dataset, soft=config.soft_labels))


def _clean_targets(
    task: str, dataset: Dataset, clean: Dataset | None
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return clean records as targets, and what a model keeps of where they come from."""
    from discrimen.runs.clean_records import clean_samples
    from discrimen.training.tasks.reconstruction import CLEAN

    if clean is None:
        return {}, {}
    if task != "reconstruction":
        raise SettingsError(f"clean records are for task=Reconstruction(), this one is a {task}: leave them out")
    return {CLEAN: clean_samples(dataset, clean)}, {"clean_files": list(clean.files)}


def _component_targets(
    task: str, dataset: Dataset, components: Sequence[Path | str | Components]
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the pulses of each record as targets, and what a model keeps of where they come from."""
    from discrimen.formats.table import open_reader
    from discrimen.runs.components import Components, joined_components, read_components
    from discrimen.runs.dataset import file_of_pulse
    from discrimen.training.tasks.separation import COMPONENTS, N_PULSES

    if task != "separation":
        raise SettingsError(f"components are for task=Separation(), this one is a {task}: leave them out")
    if len(components) != len(dataset.files):
        raise SettingsError(f"{len(components)} sets of components for {len(dataset.files)} files: give one for each")
    of_file = file_of_pulse(dataset.files)
    found = [
        each
        if isinstance(each, Components)
        else read_components(open_reader(each), dataset.pulses[np.flatnonzero(of_file == number)])
        for number, each in enumerate(components)
    ]
    files = [Path(each) for each in components if not isinstance(each, Components)]
    record = [{"name": path.name, "sha256": sha256_of_file(path)} for path in files]
    records, n_pulses = joined_components(found)
    return {COMPONENTS: records, N_PULSES: n_pulses}, {"component_files": record}


def _audited(dataset: Dataset, split: Split, task: Task, *, accept: bool) -> dict[str, Any]:
    """Look at the data first; errors are raised unless they are accepted."""
    from discrimen.audit import audit_dataset, require_sound
    from discrimen.audit.without_classes import audit_without_classes, record_without_classes

    if not task.classes:
        findings = audit_without_classes(dataset, validation=split.validation, accept=accept)
        return record_without_classes(findings, dataset)
    audit = audit_dataset(dataset, validation=split.validation)
    if not accept:
        require_sound(audit)
    return dict(audit.record())
