"""Load a trained model, whatever its kind, into what computes it: one table of the backends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from discrimen.errors import DeviceError, FormatError, SettingsError
from discrimen.inference.base import Predictor
from discrimen.inference.native import NativePredictor
from discrimen.inference.onnx_source import ONNX_SUFFIX
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.keras_jax import Device
from discrimen.network.frozen_file import SUFFIX
from discrimen.network.model_description import ModelDescription
from discrimen.output.provenance import sha256_of_file
from discrimen.output.summary import Summarised


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Model(Summarised):
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

    def summary(self) -> dict[str, str]:
        """Return where the model lies, what computes it and what it gives, for people."""
        return {"path": str(self.path), "computed by": self.predictor.backend, **self.description.summary()}

    @property
    def description(self) -> ModelDescription:
        """What the model is: preparation, classes, provenance."""
        return self.predictor.description


def _native(path: Path, device: Device, threads: int | None) -> Predictor:
    return NativePredictor(path, device=device, threads=threads)


def _reference(path: Path, device: Device, threads: int | None) -> Predictor:
    if device != "cpu" or threads not in (None, 1):
        raise DeviceError("the reference is computed on one core of the CPU; leave out device and threads")
    return ReferencePredictor(path)


def _onnxruntime(path: Path, device: Device, threads: int | None) -> Predictor:
    from discrimen.inference.onnxruntime_predictor import OnnxRuntimePredictor

    return OnnxRuntimePredictor(path, device=device, threads=threads)


def _openvino(path: Path, device: Device, threads: int | None) -> Predictor:
    from discrimen.inference.openvino_predictor import OpenVinoPredictor

    if device != "cpu":
        raise DeviceError("OpenVINO is used on the CPU only; leave out the device, or take another backend")
    return OpenVinoPredictor(path, threads=threads, hint="throughput")


def _keras(path: Path, device: Device, threads: int | None) -> Predictor:
    # Imported here: it brings the training along, which a frozen model can do without.
    from discrimen.inference.keras_predictor import KerasPredictor

    if threads is not None:
        raise SettingsError("Keras on JAX chooses its threads itself; leave out threads")
    return KerasPredictor(path, device=device)


BackendName = Literal["native", "reference", "onnxruntime", "openvino", "keras"]
_Backend = Callable[[Path, Device, int | None], Predictor]

_FROZEN: Mapping[BackendName, _Backend] = MappingProxyType(
    {"native": _native, "reference": _reference, "onnxruntime": _onnxruntime, "openvino": _openvino}
)
_ONNX: Mapping[BackendName, _Backend] = MappingProxyType({"onnxruntime": _onnxruntime, "openvino": _openvino})
_KERAS: Mapping[BackendName, _Backend] = MappingProxyType({"keras": _keras})


def load_model(
    path: Path | str, *, device: Device = "cpu", backend: BackendName | None = None, threads: int | None = None
) -> Model:
    """Load a trained model.

    Parameters
    ----------
    path : Path
        Folder of a trained model, its ``model.keras``, a checkpoint in it, a frozen ``*.discrimen``, or a ``*.onnx``
        that was made from one.
    device : str
        What computes: ``cpu``, ``cuda``, or ``cuda:1`` for the second GPU.
    backend : {"native", "reference", "onnxruntime", "openvino", "keras"}, optional
        By default the native engine for ``*.discrimen``, ONNX Runtime for ``*.onnx``, Keras for the rest.
    threads : int, optional
        By default as many as there are cores.

    Raises
    ------
    FormatError, SettingsError
        If there is no model, it contradicts its description, or the backend does not take this kind of file.
    DeviceError
        If the device is not there, or the backend cannot use it.
    MissingExtraError
        If the backend's package is not installed.
    """
    path = Path(path)
    if not path.exists():
        raise FormatError("there is no such model", path)
    backends = {SUFFIX: _FROZEN, ONNX_SUFFIX: _ONNX}.get(path.suffix, _KERAS)
    name = next(iter(backends)) if backend is None else backend
    if name not in backends:
        raise SettingsError(f"{path}: this kind of model is computed by {', '.join(backends)}; got backend {name!r}")
    weights = path / "model.keras" if path.is_dir() else path
    predictor = backends[name](path, device, threads)
    return Model(path, predictor, sha256_of_file(weights))
