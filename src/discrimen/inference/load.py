"""Load a trained model, whatever its kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from discrimen.errors import DeviceError, FormatError
from discrimen.inference.base import Predictor
from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.keras_jax import Device
from discrimen.provenance import sha256_of_file
from discrimen.spec.frozen_file import SUFFIX
from discrimen.spec.model_spec import ModelSpec


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A trained model, ready to use.

    Parameters
    ----------
    path : Path
        Its folder or file.
    predictor : Predictor
        Raw waveforms in, scores out.
    sha256 : str
        Of the file that holds its weights.
    """

    path: Path
    predictor: Predictor
    sha256: str

    @property
    def spec(self) -> ModelSpec:
        """What the model is: preparation, classes, provenance."""
        return self.predictor.spec


def load_model(path: Path | str, *, device: Device = "cpu") -> Model:
    """Load a trained model.

    Parameters
    ----------
    path : Path
        Folder of a trained model, its ``model.keras``, a checkpoint in it, or a frozen ``*.discrimen``.
    device : {"cpu", "gpu"}
        What computes.

    Raises
    ------
    FormatError, SettingsError
        If there is no model, or it contradicts its description.
    DeviceError
        If the device is not there.
    """
    path = Path(path)
    if not path.exists():
        raise FormatError("there is no such model", path)
    if path.suffix == SUFFIX:
        if device != "cpu":
            raise DeviceError(f"frozen models are computed on the CPU; leave out --device {device}")
        return Model(path, ReferencePredictor(path), sha256_of_file(path))
    weights = path / "model.keras" if path.is_dir() else path
    return Model(path, KerasPredictor(path, device=device), sha256_of_file(weights))
