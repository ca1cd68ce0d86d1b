"""The path from a run file to scores in a few typed functions; the command line does the same.

``simulate`` -> ``read`` -> ``train`` -> ``evaluate`` and ``classify``. Each composes the stages of the package, which
can be used one by one for more control.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from discrimen.adaptation.adapt import Adaptation
from discrimen.adaptation.adapt import adapt as adapt_model
from discrimen.adaptation.recalibrate import Wishes
from discrimen.audit import audit_dataset, require_sound
from discrimen.evaluation import Report, write_report
from discrimen.evaluation import evaluate as evaluate_pulses
from discrimen.evaluation.loss_curve import loss_curve
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader
from discrimen.inference.compatible import require_compatible
from discrimen.inference.load import BackendName, Model, load_model
from discrimen.keras_jax import Device
from discrimen.labelling import label_all, label_by_truth
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import choose_preparation
from discrimen.network.thresholds import choose_threshold
from discrimen.pulses import Label, Pulses
from discrimen.runs.dataset import Dataset, load_dataset
from discrimen.runs.simulated import SimulatedRun, simulate_run
from discrimen.scoring.classify import Classification, classify_run
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.truth import read_truth, truth_path
from discrimen.training import TrainingConfig
from discrimen.training import train as train_network
from discrimen.training.seen_pulses import seen_of

LabelBy = Literal["file", "truth", "gamma", "neutron"]


def simulate(path: Path | str, n_pulses: int, **config: Any) -> SimulatedRun:
    """Simulate a run into a file, its truth beside it.

    Parameters
    ----------
    path : Path or str
        The run file; its suffix tells the format.
    n_pulses : int
        How many.
    **config
        Further fields of :class:`~discrimen.simulation.SimulationConfig`.
    """
    return simulate_run(SimulationConfig(n_pulses=n_pulses, **config), Path(path))


def read(path: Path | str, *, label_by: LabelBy = "file", options: ReadOptions | None = None) -> Dataset:
    """Read a run file into memory; for files larger than that, stream with :func:`discrimen.formats.table.open_reader`.

    Parameters
    ----------
    path : Path or str
        Of any readable format.
    label_by : {"file", "truth", "gamma", "neutron"}
        Take the labels that the file holds (if any), those of the truth beside a simulated run, or give every pulse
        the same.
    options : ReadOptions, optional
        What the file does not say.
    """
    reader = open_reader(path, options)
    return load_dataset([reader], transforms=[_labeller(label_by, Path(path))], labelled=label_by != "file")


def train(
    dataset: Dataset,
    folder: Path | str,
    *,
    preparation: Preparation | None = None,
    overwrite: bool = False,
    accept: bool = False,
    **config: Any,
) -> Model:
    """Train a network on a labelled data set.

    Parameters
    ----------
    dataset : Dataset
        From :func:`read`.
    folder : Path or str
        For model, history, curves and TensorBoard logs.
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
    """
    training = TrainingConfig(**config)
    split = training.split_of(dataset.pulses, files=dataset.files)
    audit = audit_dataset(dataset, validation=split.validation)
    if not accept:
        require_sound(audit)
    result = train_network(
        dataset.pulses,
        preparation or choose_preparation(dataset.settings, n_samples=dataset.pulses.n_samples),
        training,
        folder=folder,
        settings=dataset.settings,
        provenance={"files": list(dataset.files), "audit": audit.record()},
        overwrite=overwrite,
        split=split,
    )
    return load(result.folder, device=training.device)


def load(path: Path | str, *, device: Device = "cpu", backend: BackendName | None = None) -> Model:
    """Load a trained model from its folder, a ``*.discrimen`` or a ``*.onnx``."""
    return load_model(path, device=device, backend=backend)


def evaluate(
    model: Model,
    dataset: Dataset,
    *,
    tuning: Dataset | None = None,
    folder: Path | str | None = None,
    **options: Any,
) -> Report:
    """Judge a model on labelled pulses that it has not seen, charge comparison beside it.

    Parameters
    ----------
    model : Model
        From :func:`train` or :func:`load`.
    dataset : Dataset
        Labelled.
    tuning : Dataset, optional
        To search the best charge gates on, for example that of the training.
    folder : Path or str, optional
        Where to write report.json and the plots.
    **options
        Further arguments of :func:`discrimen.evaluation.evaluate`.
    """
    names = ", ".join(file["name"] for file in dataset.files)
    require_compatible(model.spec, dataset.pulses, dataset.settings, where=names)
    report = evaluate_pulses(
        model.predictor,
        dataset.pulses,
        gates=dataset.settings.gates,
        tuning=None if tuning is None else tuning.pulses,
        files=dataset.files,
        loss=loss_curve(model.path, model.spec.provenance),
        **options,
    )
    warnings = seen_of(model.spec.provenance, dataset).warnings()
    report = replace(report, notes=(*warnings, *report.notes))
    if folder is not None:
        write_report(report, folder)
    return report


def adapt(
    model: Path | str,
    paths: Sequence[Path | str],
    output: Path | str,
    *,
    labelled: bool = False,
    options: ReadOptions | None = None,
    seed: int = 0,
    **wishes: Any,
) -> Adaptation:
    """Choose thresholds and scale of a frozen model anew for another channel or detector, into another frozen file.

    Parameters
    ----------
    model : Path or str
        A ``*.discrimen``; it is never modified.
    paths : sequence of Path or str
        Run files of the new channel or detector.
    output : Path or str
        The ``*.discrimen`` to write.
    labelled : bool
        Whether to choose by the labels in the files, or by the two bands that the pulses show.
    options : ReadOptions, optional
        What the files do not say.
    seed : int
        Of the draws behind the intervals.
    **wishes
        Fields of :class:`~discrimen.adaptation.recalibrate.Wishes`.
    """
    readers = [open_reader(path, options) for path in paths]
    return adapt_model(model, readers, output, labelled=labelled, wishes=Wishes(**wishes), seed=seed)


def classify(
    model: Model,
    path: Path | str,
    output: Path | str,
    *,
    options: ReadOptions | None = None,
    threshold: str | float | None = None,
) -> Classification:
    """Score every pulse of a run file, in constant memory, into a file beside it.

    Parameters
    ----------
    model : Model
        From :func:`train` or :func:`load`.
    path : Path or str
        Run file of any readable format; it is never modified.
    output : Path or str
        ``.h5``, ``.parquet``, or ``.root`` for a friend tree.
    options : ReadOptions, optional
        What the file does not say.
    threshold : str or float, optional
        Least neutron score of a neutron, for the counts, or the name of a threshold that the model stores; by default
        the only one that it stores, or 0.5.
    """
    reader = open_reader(path, options)
    least_score = choose_threshold(model.spec.thresholds, threshold).value
    return classify_run(reader, model.predictor, Path(output), model_sha256=model.sha256, threshold=least_score)


def _labeller(label_by: LabelBy, path: Path) -> Callable[[Pulses], Pulses]:
    if label_by == "file":
        return lambda pulses: pulses
    if label_by == "truth":
        return partial(label_by_truth, truth=read_truth(truth_path(path)))
    return partial(label_all, label=Label[label_by.upper()])
