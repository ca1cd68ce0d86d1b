"""Load a trained model, whatever its kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from discrimen.errors import FormatError
from discrimen.inference.base import Predictor
from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.keras_jax import Device
from discrimen.provenance import sha256_of_file
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
        Folder of a trained model, its ``model.keras``, or a checkpoint in it.
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
    weights = path / "model.keras" if path.is_dir() else path
    predictor = KerasPredictor(path, device=device)
    return Model(path, predictor, sha256_of_file(weights))
