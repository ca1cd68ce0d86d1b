"""The losses of the training, carried along in the provenance of a frozen file for whoever judges it later."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from discrimen.errors import FormatError
from discrimen.network.model_description import ModelDescription
from discrimen.training.model_folder import ModelFolder

MOST_EPOCHS = 2000
"""A longer history stays in the model's folder: the frozen file is to be small."""

_DIGITS = 6


def with_history(description: ModelDescription, model: Path) -> ModelDescription:
    """Return the description with the losses of each epoch in its provenance, where the folder has them.

    Parameters
    ----------
    description : ModelDescription
        Of the model.
    model : Path
        Folder of a trained model, its ``model.keras``, or a checkpoint in it.

    Raises
    ------
    FormatError
        If there is a history that cannot be read.
    """
    folder = ModelFolder(next(each for each in (model, *model.parents) if each.is_dir()))
    if not folder.history.is_file():
        return description
    try:
        with folder.history.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        columns = {name: [float(f"{float(row[name]):.{_DIGITS}g}") for row in rows] for name in ("loss", "val_loss")}
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(
            f"expected the columns loss and val_loss with numbers, got {error}", folder.history
        ) from error
    if not rows or len(rows) > MOST_EPOCHS:
        return description
    return replace(description, provenance={**description.provenance, "history": columns})
