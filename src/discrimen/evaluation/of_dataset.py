"""A model judged by a data set: what its files say of labels and of the training stands in the report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from discrimen.evaluation.evaluate import evaluate
from discrimen.evaluation.label_trust import read_label_trust, require_labels_of_pulses, with_trust
from discrimen.evaluation.report import NotComputed, Report
from discrimen.evaluation.report_parts import LossCurve
from discrimen.inference.base import Predictor
from discrimen.runs.dataset import Dataset
from discrimen.training.seen_pulses import Seen


def evaluate_dataset(
    predictor: Predictor,
    dataset: Dataset,
    *,
    seen: Seen,
    tuning: Dataset | None = None,
    loss: LossCurve | NotComputed | None = None,
    **options: Any,
) -> Report:
    """Judge a model by a labelled data set, headed by how far its labels can be trusted.

    Parameters
    ----------
    predictor : Predictor
        The model.
    dataset : Dataset
        Labelled pulses of the detector that the model is for.
    seen : Seen
        What the model has seen of them.
    tuning : Dataset, optional
        To search the best charge gates on.
    loss : LossCurve or NotComputed, optional
        Of the training.
    **options
        Further arguments of :func:`discrimen.evaluation.evaluate`.

    Raises
    ------
    DataError
        If labels are by source, which say nothing of a single pulse, or as :func:`discrimen.evaluation.evaluate`.
    FormatError
        If the record of the labels beside a file cannot be read, or belongs to another data set.
    SettingsError
        As :func:`discrimen.evaluation.evaluate`.
    """
    require_labels_of_pulses(dataset)
    trust = read_label_trust(dataset.labels_from)
    report = evaluate(
        predictor,
        dataset.pulses,
        gates=dataset.settings.gates,
        tuning=None if tuning is None else tuning.pulses,
        files=dataset.files,
        loss=loss,
        **options,
    )
    return with_trust(replace(report, notes=(*seen.warnings(), *report.notes)), trust)
