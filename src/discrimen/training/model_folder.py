"""The folder of a trained model: what lies where, who may write there, and how to load it again.

::

    model.keras            the best model
    model.json             its description: preparation, outputs, provenance, with the hash of model.keras
    validation_pulses.npz  some raw validation pulses, from which freezing takes golden vectors
    history.csv            figures of every epoch
    training.png           the same as a picture
    generator.bin          of a generator: what its decoder needs beside its weights
    latents.json           of an auto-encoder: spread and correlations of the numbers of its code
    reconstruction.png, latents.png, correlation.png
                           of an auto-encoder: pulses in and out, their codes, the correlations between latents
    balance.png            where the training pulses lie, before and after balancing (if they are balanced)
    checkpoints/           epoch-012-val_loss-0.12345.keras, the best few, with a description of their own; and,
                           until the training ends by itself, state.npz, from which it can go on
    tensorboard/           event files: tensorboard --logdir FOLDER
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError, OutputError, SettingsError
from discrimen.keras_jax import KerasSession, forbid_cudnn, load_keras
from discrimen.models.neighbours_layer import neighbours_layer
from discrimen.network.model_description import ModelDescription, read_description
from discrimen.output.provenance import sha256_of_file
from discrimen.training.described import require_described
from discrimen.training.kept_pulses import read_kept


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """Names inside the folder of a trained model."""

    path: Path

    @property
    def model(self) -> Path:
        """The best model."""
        return self.path / "model.keras"

    @property
    def description(self) -> Path:
        """Its description."""
        return self.path / "model.json"

    @property
    def generator(self) -> Path:
        """What the decoder of a generator needs beside its weights."""
        return self.path / "generator.bin"

    @property
    def history(self) -> Path:
        """Figures of every epoch."""
        return self.path / "history.csv"

    @property
    def curve(self) -> Path:
        """Picture of the training."""
        return self.path / "training.png"

    @property
    def balance(self) -> Path:
        """Picture of the training pulses before and after balancing."""
        return self.path / "balance.png"

    @property
    def latents(self) -> Path:
        """Spread and correlations of the numbers of the code."""
        return self.path / "latents.json"

    @property
    def code_pictures(self) -> tuple[Path, ...]:
        """Pictures of an auto-encoder."""
        return tuple(self.path / f"{name}.png" for name in ("reconstruction", "latents", "correlation"))

    @property
    def validation_pulses(self) -> Path:
        """Raw validation pulses."""
        return self.path / "validation_pulses.npz"

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def checkpoint_description(self) -> Path:
        """Description of every checkpoint, there from the start of the training."""
        return self.checkpoints / "model.json"

    @property
    def state(self) -> Path:
        """What a training that was broken off goes on from."""
        return self.checkpoints / "state.npz"

    @property
    def tensorboard(self) -> Path:
        """Folder of the event files."""
        return self.path / "tensorboard"

    def saved_checkpoints(self) -> Iterator[Path]:
        """Find the checkpoints that a training left here."""
        return self.checkpoints.glob("epoch-*.keras")

    def event_files(self) -> Iterator[Path]:
        """Find the event files that a training left here."""
        return self.tensorboard.glob("events.out.tfevents.*")


def trained_models_in(path: Path) -> list[Path]:
    """Return the folders of trained models in a folder, by name; none if it is one itself, or a file."""
    if not path.is_dir() or ModelFolder(path).model.exists():
        return []
    return sorted(each for each in path.iterdir() if each.is_dir() and ModelFolder(each).model.exists())


def require_free(path: Path | str) -> None:
    """Refuse a folder that holds a model or an unfinished training; nothing is touched.

    Raises
    ------
    OutputError
        If it does.
    """
    folder = ModelFolder(Path(path))
    if folder.state.exists() and folder.description.exists():
        raise OutputError(
            f"{path}: holds a model and a training that was broken off; go on with it (--resume), choose another "
            "folder, or --overwrite"
        )
    for found in (folder.description, folder.model):
        if found.exists():
            raise OutputError(f"{path}: holds a trained model ({found.name}); choose another folder, or --overwrite")
    unfinished = [folder.state] if folder.state.exists() else list(folder.saved_checkpoints())
    if unfinished:
        go_on = "go on with it (--resume), " if folder.state.exists() else ""
        raise OutputError(
            f"{path}: holds an unfinished training ({unfinished[0].relative_to(path)}); {go_on}choose another folder, "
            "or --overwrite"
        )


def claim_folder(path: Path, *, overwrite: bool, resumed: bool = False) -> ModelFolder:
    """Make the folder for a new training.

    With `overwrite`, checkpoints and event files of an earlier training are removed now, while its finished model
    stays until the new one takes its place. A training that is resumed keeps all it has.

    Raises
    ------
    OutputError
        If a model or an unfinished training is there and must not be overwritten, or the folder cannot be made.
    """
    folder = ModelFolder(path)
    if not overwrite:
        require_free(path)
    try:
        for inner in (folder.checkpoints, folder.tensorboard):
            inner.mkdir(parents=True, exist_ok=True)
        if not resumed:
            for left_behind in [*folder.saved_checkpoints(), *folder.event_files()]:
                left_behind.unlink()
            for old in (folder.balance, folder.state, folder.generator, folder.latents, *folder.code_pictures):
                old.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot make a model folder here: {error.strerror or error}") from error
    return folder


def load_model_folder(path: Path | str, *, session: KerasSession | None = None) -> tuple[Any, ModelDescription]:
    """Load a trained model with its description.

    Parameters
    ----------
    path : Path
        The folder, its ``model.keras``, or a checkpoint in it.
    session : KerasSession, optional
        Where to load it; the CPU by default.

    Returns
    -------
    model : keras.Model
        Ready to predict, not compiled.
    description : ModelDescription
        Its description.

    Raises
    ------
    FormatError
        If there is no model, it cannot be read, or it is not the one that was described.
    SettingsError
        If the description is missing or does not fit the model.
    """
    model_path, description_path = _find_model(Path(path))
    description = read_description(description_path)
    _check_hash(model_path, description)
    loaded_by = load_keras("cpu") if session is None else session
    model = _read_model(loaded_by, model_path)
    try:
        require_described(model, description)
    except SettingsError as error:
        raise SettingsError(f"{model_path}: {description_path.name} describes another network: {error}") from error
    return model, description


def validation_pulses(path: Path | str) -> tuple[NDArray[Any], NDArray[np.bool_] | None] | None:
    """Read the raw validation pulses that stayed with a model.

    Parameters
    ----------
    path : Path
        As in :func:`load_model_folder`.

    Returns
    -------
    samples : ndarray, shape (pulse, channel, sample)
        As digitised.
    present : ndarray of bool, shape (pulse, channel), or None
        Which channels are there; None: all.

    None is returned for a model without them, and for a checkpoint of a training that is not over.

    Raises
    ------
    FormatError
        If the file does not hold that.
    """
    folder = Path(path) if Path(path).is_dir() else Path(path).parent
    places = (folder, folder.parent) if folder.name == "checkpoints" else (folder,)
    for place in map(ModelFolder, places):
        if place.validation_pulses.is_file():
            return read_kept(place.validation_pulses)
    return None


def read_model_description(path: Path | str) -> ModelDescription:
    """Read the description of a trained model, without the model.

    Parameters
    ----------
    path : Path
        As in :func:`load_model_folder`.

    Raises
    ------
    FormatError, SettingsError
        If there is no model or no description.
    """
    return read_description(_find_model(Path(path))[1])


def _find_model(path: Path) -> tuple[Path, Path]:
    model_path = ModelFolder(path).model if path.is_dir() else path
    description_path = model_path.with_name("model.json")
    if not model_path.is_file():
        if next(ModelFolder(path).saved_checkpoints(), None):
            raise FormatError("the training did not finish; give one of the files in its folder 'checkpoints'", path)
        raise FormatError("expected the folder of a trained model or a .keras file in it, found none", path)
    if not description_path.is_file():
        raise FormatError(
            f"expected {description_path.name} beside the model: it says how to prepare pulses", model_path
        )
    return model_path, description_path


def _check_hash(path: Path, description: ModelDescription) -> None:
    expected = description.provenance.get("model_sha256")
    if expected is not None and sha256_of_file(path) != expected:
        raise FormatError("this is not the model that model.json describes (SHA-256 differs); train again", path)


def _read_model(session: KerasSession, path: Path) -> Any:
    if not zipfile.is_zipfile(path):
        raise FormatError("this is no Keras model (a .keras file is a zip archive)", path)
    try:
        with session.on_device():
            # safe_mode refuses models that carry code.
            neighbours_layer(session.keras)  # Keras must know it before it meets one in a file
            model = session.keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        raise FormatError(f"Keras cannot load this model: {' '.join(str(error).split())[:300]}", path) from error
    forbid_cudnn(model)
    return model
