"""The loss curve behind a model: from its folder, or from what a frozen file carries."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from discrimen.errors import FormatError
from discrimen.evaluation.report import NotComputed
from discrimen.evaluation.report_parts import LossCurve

HISTORY_NAME = "history.csv"


def loss_curve(model: Path, provenance: Mapping[str, Any]) -> LossCurve | NotComputed:
    """Find the loss of each epoch.

    Parameters
    ----------
    model : Path
        Folder of a trained model, a ``.keras`` in it, or a frozen file.
    provenance : mapping
        Of the model; a frozen file may carry the losses in its entry ``history``.

    Raises
    ------
    FormatError
        If the history is there but cannot be read.
    """
    carried = provenance.get("history")
    if isinstance(carried, Mapping):
        return LossCurve(loss=tuple(carried["loss"]), validation_loss=tuple(carried["val_loss"]))
    path = (model if model.is_dir() else model.parent) / HISTORY_NAME
    if not (model.is_dir() or model.suffix == ".keras") or not path.is_file():
        return NotComputed("the model does not carry the history of its training")
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        return LossCurve(
            loss=tuple(float(row["loss"]) for row in rows),
            validation_loss=tuple(float(row["val_loss"]) for row in rows),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"expected the columns loss and val_loss with numbers, got {error}", path) from error
