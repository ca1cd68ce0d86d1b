"""A network: trained, loaded, judged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.inference.compatible import require_compatible
from discrimen.inference.load import BackendName, Model, load_model
from discrimen.keras_jax import Device, load_keras
from discrimen.output.provenance import sha256_of_file

if TYPE_CHECKING:
    from discrimen.api.options import EvaluationOptions, TrainingOptions, WaveformEvaluationOptions
    from discrimen.evaluation import Report
    from discrimen.evaluation.waveforms import WaveformReport
    from discrimen.network.preparation import Preparation
    from discrimen.runs.components import Components
    from discrimen.runs.dataset import Dataset
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
        Fields of :class:`~discrimen.training.TrainingConfig`.

    Raises
    ------
    DataError
        If the audit finds errors and they are not accepted.
    MissingExtraError, DeviceError
        If Keras or the device is missing.
    KeyboardInterrupt
        If the user interrupts before the first epoch ends. Later the training just ends, one line on standard error
        says so, and the best model until then is returned.
    """
    from discrimen.api.seen_training import seen_training
    from discrimen.network.prepare import choose_preparation
    from discrimen.training import TrainingConfig
    from discrimen.training import train as train_network

    training = TrainingConfig(**config)
    load_keras(training.device)  # what is missing is told before anything is computed
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


def load(path: Path | str, *, device: Device = "cpu", backend: BackendName | None = None) -> Model:
    """Load a trained model from its folder, a ``*.discrimen`` or a ``*.onnx``."""
    return load_model(path, device=device, backend=backend)


def evaluate(
    model: Model | Path | str,
    dataset: Dataset,
    *,
    tuning: Dataset | None = None,
    folder: Path | str | None = None,
    **options: Unpack[EvaluationOptions],
) -> Report:
    """Judge a model on labelled pulses that it has not seen, charge comparison beside it.

    Parameters
    ----------
    model : Model, Path or str
        From :func:`train` or :func:`load`.
    dataset : Dataset
        Labelled.
    tuning : Dataset, optional
        To search the best charge gates on, for example that of the training.
    folder : Path or str, optional
        Where to write report.json and the plots.
    **options
        Further arguments of :func:`discrimen.evaluation.evaluate`.

    Raises
    ------
    DataError
        If the labels of a file are by source, which say nothing of a single pulse.
    """
    model = model_of(model)
    from discrimen.evaluation import evaluate_dataset, write_report
    from discrimen.evaluation.loss_curve import loss_curve
    from discrimen.training.seen_pulses import seen_of

    require_compatible(model.description, dataset.pulses, dataset.settings, where=names_of(dataset))
    report = evaluate_dataset(
        model.predictor,
        dataset,
        seen=seen_of(model.description.provenance, dataset),
        tuning=tuning,
        loss=loss_curve(model.path, model.description.provenance),
        **options,
    )
    if folder is not None:
        write_report(report, folder)
    return report


def evaluate_waveforms(
    model: Model | Path | str,
    dataset: Dataset,
    *,
    clean: Dataset | None = None,
    folder: Path | str | None = None,
    **options: Unpack[WaveformEvaluationOptions],
) -> WaveformReport:
    """Judge the waveforms of an auto-encoder or a denoiser on pulses that it has not seen.

    Parameters
    ----------
    model : Model, Path or str
        That gives a waveform.
    dataset : Dataset
        With labels or without.
    clean : Dataset, optional
        Clean records of the same pulses to compare with; by default what was recorded.
    folder : Path or str, optional
        Where to write report.html, report.json and the plots.
    **options
        Further arguments of :func:`discrimen.evaluation.waveforms.evaluate_waveforms`.
    """
    model = model_of(model)
    from discrimen.evaluation import waveforms
    from discrimen.runs.clean_records import clean_samples
    from discrimen.training.seen_pulses import seen_of

    require_compatible(model.description, dataset.pulses, dataset.settings, where=names_of(dataset))
    report = waveforms.evaluate_waveforms(
        model.predictor,
        dataset.pulses,
        clean=None if clean is None else clean_samples(dataset, clean),
        gates=dataset.settings.gates,
        files=dataset.files,
        notes=seen_of(model.description.provenance, dataset).warnings(),
        **options,
    )
    if folder is not None:
        waveforms.write_waveform_report(report, folder)
    return report


def model_of(model: Model | Path | str) -> Model:
    """Return a model that is given as such or as its file or folder."""
    return model if isinstance(model, Model) else load(model)


def path_of(model: Model | Path | str) -> Path:
    """Return the file of a model."""
    return model.path if isinstance(model, Model) else Path(model)


def names_of(dataset: Dataset) -> str:
    """Return the names of its files, for a message."""
    return ", ".join(file["name"] for file in dataset.files)


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
