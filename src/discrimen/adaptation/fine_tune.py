"""Train a trained network on with a few labelled pulses of another channel or detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from discrimen.adaptation.adapted_file import settings_here
from discrimen.errors import DataError, OutputError, SettingsError
from discrimen.inference.compatible import require_compatible
from discrimen.keras_jax import Device, load_keras
from discrimen.network.model_description import ModelDescription
from discrimen.output.provenance import sha256_of_file
from discrimen.runs.dataset import Dataset
from discrimen.training import EpochListener, TrainingConfig, TrainingResult, load_model_folder, train
from discrimen.training.model_folder import ModelFolder
from discrimen.training.resumed import FINE_TUNING

Layers = Literal["all", "last"]

FEWEST_EACH = 20
"""Labelled pulses of each class: a tenth and more of them judge the network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuning:
    """How to train on.

    Parameters
    ----------
    layers : {"all", "last"}
        Which layers may change; ``last`` is the last one with weights.
    learning_rate : float
        Of Adam.
    epochs, patience : int
        At most so many passes over the pulses, and how many without a lower validation loss end them.
    batch_size : int
        Pulses to one step.
    validation_share : float
        Share of the pulses that judges the network.
    seed : int
        Of the split and of the order of the pulses.
    device : str
        What computes.

    Raises
    ------
    SettingsError
        If a value does not fit.
    """

    layers: Layers = "all"
    learning_rate: float = 5e-4
    epochs: int = 200
    patience: int = 15
    batch_size: int = 32
    validation_share: float = 0.2
    seed: int = 0
    device: Device = "cpu"

    def __post_init__(self) -> None:
        if self.layers not in get_args(Layers):
            raise SettingsError(f"layers must be all or last, got {self.layers!r}")
        if not (isfinite(self.learning_rate) and self.learning_rate > 0):
            raise SettingsError(f"the learning rate must be positive and finite, got {self.learning_rate:g}")

    def training_config(self, architecture: Mapping[str, Any]) -> TrainingConfig:
        """Return the configuration of the training."""
        return TrainingConfig(
            architecture=architecture["name"],
            options=architecture["options"],
            learning_rate=self.learning_rate,
            epochs=self.epochs,
            patience=self.patience,
            batch_size=self.batch_size,
            validation_share=self.validation_share,
            seed=self.seed,
            device=self.device,
        )


def fine_tune(
    model: Path | str,
    dataset: Dataset,
    folder: Path | str,
    *,
    tuning: FineTuning | None = None,
    overwrite: bool = False,
    progress: EpochListener | None = None,
) -> TrainingResult:
    """Start from a trained network and train it on with a low learning rate.

    Parameters
    ----------
    model : Path
        Folder of a trained model, or a ``.keras`` in it; it is not modified.
    dataset : Dataset
        Labelled pulses of the new channel or detector; their polarity may be the other one.
    folder : Path
        For the new model; not that of the old one.
    tuning : FineTuning, optional
        How to train on.
    overwrite : bool
        Whether a model that is in the folder may be replaced.
    progress : EpochListener, optional
        Called after each epoch.

    Raises
    ------
    DataError
        If a class has fewer than 20 pulses, or the model does not fit the pulses.
    OutputError
        If the folder is that of the old model, holds another one, or cannot be written.
    SettingsError
        If the network cannot be built again from its description.
    """
    model, folder, tuning = Path(model), Path(folder), tuning or FineTuning()
    weights_file = ModelFolder(model).model if model.is_dir() else model
    if folder.resolve() == weights_file.parent.resolve():
        raise OutputError(f"{folder}: this is the folder of the model to be tuned; choose another output")
    session = load_keras(tuning.device)
    source, description = load_model_folder(model, session=session)
    description = _turned(description, dataset)
    names = ", ".join(file["name"] for file in dataset.files)
    require_compatible(description, dataset.pulses, dataset.settings, where=names)
    _require_enough(dataset)
    # Not get_weights(): Keras 3.15 reads them through an __array__ without NumPy 2's `copy`.
    weights = [np.asarray(variable.value) for variable in source.weights]
    origin = {
        "files": list(dataset.files),
        FINE_TUNING: {
            "from": {"name": str(model), "sha256": sha256_of_file(weights_file)},
            "layers": tuning.layers,
            "source": dict(description.provenance),
        },
    }

    def start(network: Any) -> None:
        _begin_with(network, weights, layers=tuning.layers, where=model)

    return train(
        dataset.pulses,
        description.preparation,
        tuning.training_config(description.architecture),
        folder=folder,
        settings=settings_here(description, dataset.settings),
        provenance=origin,
        overwrite=overwrite,
        progress=progress,
        start=start,
    )


def _turned(description: ModelDescription, dataset: Dataset) -> ModelDescription:
    if dataset.settings.polarity is None:
        return description
    sign = 1 if dataset.settings.polarity == "positive" else -1
    return replace(
        description,
        preparation=description.preparation.with_only(polarity=sign),
        settings=description.settings.merged(polarity=dataset.settings.polarity),
    )


def _require_enough(dataset: Dataset) -> None:
    labels = dataset.pulses.column("label")
    for name, number in (("gammas", 0), ("neutrons", 1)):
        found = int(np.count_nonzero(labels == number))
        if found < FEWEST_EACH:
            raise DataError(
                f"{found} labelled {name}, at least {FEWEST_EACH} of each class are needed to tune a network; "
                "label more, or adapt its frozen file without labels"
            )


def _begin_with(network: Any, weights: Sequence[Any], *, layers: Layers, where: Path) -> None:
    """Give a new network the weights of the trained one, and hold fast what is not to change."""
    try:
        network.set_weights(weights)
    except ValueError as error:
        raise SettingsError(
            f"{where}: the network cannot be built again from its description, its weights do not fit: {error}"
        ) from error
    with_weights = [layer for layer in network.layers if layer.weights]
    for layer in with_weights:
        # The mean and variance of a few pulses would spoil those of the training.
        normalises = "normalization" in type(layer).__name__.lower()
        layer.trainable = not normalises and (layers == "all" or layer is with_weights[-1])
