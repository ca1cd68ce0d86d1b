"""A network: loaded, judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from discrimen.inference.compatible import require_compatible
from discrimen.inference.load import BackendName, Model, load_model
from discrimen.keras_jax import Device

if TYPE_CHECKING:
    from discrimen.api.options import EvaluationOptions, WaveformEvaluationOptions
    from discrimen.evaluation import Report
    from discrimen.evaluation.waveforms import WaveformReport
    from discrimen.runs.dataset import Dataset


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
    """Judge a model on labelled pulses that it has not seen, together with charge comparison.

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
