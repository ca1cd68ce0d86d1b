"""What decides what a pulse is: a model with its threshold, or one for each channel."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from discrimen.errors import FormatError, SettingsError
from discrimen.inference.base import Predictor
from discrimen.inference.load import BackendName, Model, load_model
from discrimen.keras_jax import Device
from discrimen.network.frozen_file import SUFFIX
from discrimen.network.height_curve import HeightCurve, plain_threshold
from discrimen.network.model_description import ModelDescription
from discrimen.network.thresholds import ChosenThreshold, choose_threshold
from discrimen.pulses.array import listed
from discrimen.pulses.places import Place
from discrimen.training.model_folder import trained_models_in


class Discriminators(Protocol):
    """One model for all channels or one for each, as far as a whole run is concerned."""

    @property
    def parts(self) -> Mapping[str, Discriminator]:
        """The models by name; "" is the name of the one for all."""

    @property
    def sha256(self) -> str:
        """Of what the scores depend on."""

    @property
    def thresholds(self) -> Any:
        """The thresholds as plain data, ready for JSON."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Discriminator:
    """A model with its threshold, for all channels of a run.

    Parameters
    ----------
    predictor : Predictor
        The model.
    sha256 : str
        Of the file that holds its weights.
    threshold : ChosenThreshold
        A pulse with this neutron score or more counts as neutron.
    """

    predictor: Predictor
    sha256: str
    threshold: ChosenThreshold

    @property
    def description(self) -> ModelDescription:
        """What the model is."""
        return self.predictor.description

    @property
    def parts(self) -> Mapping[str, Discriminator]:
        """Itself, without a name."""
        return {"": self}

    @property
    def thresholds(self) -> Any:
        """The threshold as plain data, ready for JSON."""
        return plain_threshold(self.threshold.value)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChannelDiscriminators:
    """A model for each channel of an array: a pulse is scored by the one that lists its channel.

    Parameters
    ----------
    path : Path
        The folder of the models.
    parts : mapping of str to Discriminator
        By the name of the file.

    Raises
    ------
    SettingsError
        If a model lists no channel, two list the same one, or they differ in their classes or in whether they know
        their domain.
    """

    path: Path
    parts: Mapping[str, Discriminator]

    def __post_init__(self) -> None:
        owner: dict[Place, str] = {}
        for name, each in self.parts.items():
            if not listed(each.description.settings):
                raise SettingsError(
                    f"{self.path / name}: the model does not say which channel it is for; in a folder of models each "
                    "must, as those of 'discrimen train --each-channel' do"
                )
            for place in listed(each.description.settings):
                if place in owner:
                    raise SettingsError(f"{self.path}: {owner[place]} and {name} are both for {place}: remove one")
                owner[place] = name
        self._require_alike("classes", {n: ", ".join(each.description.classes) for n, each in self.parts.items()})
        knows = {n: "known" if each.description.domain else "unknown" for n, each in self.parts.items()}
        self._require_alike("domain", knows)

    @property
    def sha256(self) -> str:
        """Of the hashes of all models with their channels."""
        lines = [f"{each.sha256} {places_of(each.description)}\n" for each in self.parts.values()]
        return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()

    @property
    def thresholds(self) -> Any:
        """The threshold of each model as plain data, ready for JSON."""
        return {name: each.thresholds for name, each in self.parts.items()}

    def _require_alike(self, what: str, values: Mapping[str, str]) -> None:
        (first, expected), *others = values.items()
        for name, value in others:
            if value != expected:
                raise SettingsError(
                    f"{self.path}: the models of one folder must be alike in {what}: {first} has {expected}, {name} "
                    f"has {value}; train and freeze one of them again"
                )


def places_of(description: ModelDescription) -> str:
    """Name the channels that a model lists."""
    return ", ".join(map(str, listed(description.settings)))


def follows_height(discriminators: Discriminators) -> bool:
    """Tell whether any threshold follows the height of the pulse."""
    return any(isinstance(each.threshold.value, HeightCurve) for each in discriminators.parts.values())


def attributes_of(discriminators: Discriminators) -> dict[str, str]:
    """Return what a file of scores tells of the models."""
    parts = discriminators.parts
    prepared = {name: each.description.preparation.as_dict() for name, each in parts.items()}
    one = prepared.get("")
    told = {
        "preparation": json.dumps(prepared if one is None else one),
        # How many threads took part changes no score.
        "backend": re.sub(r", \d+ threads?", "", next(iter(parts.values())).predictor.backend),
    }
    if one is None:
        told["models"] = json.dumps(
            {name: {"channels": places_of(each.description), "sha256": each.sha256} for name, each in parts.items()}
        )
    return told


def load_models(
    path: Path, *, device: Device = "cpu", backend: BackendName | None = None, threads: int | None = None
) -> dict[str, Model]:
    """Load a model, or all of a folder.

    Parameters
    ----------
    path : Path
        As of :func:`~discrimen.inference.load.load_model`, or a folder of ``*.discrimen`` or of trained
        models.
    device, backend, threads
        As of :func:`~discrimen.inference.load.load_model`.

    Returns
    -------
    dict of str to Model
        By the name of the file or folder; "" is the name of the one model that `path` is.

    Raises
    ------
    FormatError, SettingsError, DeviceError, MissingExtraError
        As :func:`~discrimen.inference.load.load_model`.
    """
    frozen = {each.name: each for each in sorted(path.glob(f"*{SUFFIX}"))} if path.is_dir() else {}
    trained = {each.name: each for each in trained_models_in(path)}
    if frozen and (path / "model.keras").exists():
        raise FormatError("the folder holds a trained model and frozen ones: give one of the files", path)
    return {
        name: load_model(each, device=device, backend=backend, threads=threads)
        for name, each in (frozen or trained or {"": path}).items()
    }


def choose_thresholds(models: Mapping[str, Model], wish: str | float | None = None) -> dict[str, ChosenThreshold]:
    """Choose the threshold of each model; see :func:`~discrimen.network.thresholds.choose_threshold`.

    Raises
    ------
    SettingsError
        If one of them has no such threshold.
    """
    chosen = {}
    for name, model in models.items():
        try:
            chosen[name] = choose_threshold(model.description.thresholds, wish)
        except SettingsError as error:
            raise SettingsError(f"{name}: {error}" if name else str(error)) from error
    return chosen


def discriminators_of(
    path: Path, models: Mapping[str, Model], thresholds: Mapping[str, ChosenThreshold]
) -> Discriminator | ChannelDiscriminators:
    """Put models and their thresholds together.

    Raises
    ------
    SettingsError
        If the models of a folder do not go together.
    """
    parts = {
        name: Discriminator(predictor=model.predictor, sha256=model.sha256, threshold=thresholds[name])
        for name, model in models.items()
    }
    return parts[""] if "" in parts else ChannelDiscriminators(path=path, parts=parts)


def for_one_or_each(by_model: Mapping[str, Any]) -> Any:
    """Return what belongs to the one model for all channels, or to each by name; None where there is nothing."""
    return by_model.get("", by_model or None)
