"""The one place that imports Keras: on its JAX backend, on the device that was asked for."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from discrimen.errors import DeviceError, SettingsError, require_module

Device = str
"""What computes: ``cpu``, ``cuda``, or ``cuda:1`` for the second GPU; ``gpu`` is another word for ``cuda``."""
_DEVICE = re.compile(r"cpu|(?:cuda|gpu)(?::(?P<number>\d{1,3}))?")
_PLATFORMS = "JAX_PLATFORMS"
"""Environment variable by which a user tells JAX what to look for."""


@dataclass(frozen=True, slots=True, eq=False)
class KerasSession:
    """Keras on JAX, with the device that computes.

    Parameters
    ----------
    keras, jax : module
        The libraries.
    device : jax.Device
        Where arrays are made and computed on inside :meth:`on_device`.
    """

    keras: ModuleType
    jax: ModuleType
    device: Any

    @property
    def backend(self) -> str:
        """What computes, for people: ``keras-jax (cpu)``."""
        return f"keras-jax ({self.device.platform})"

    @contextmanager
    def on_device(self) -> Iterator[None]:
        """Make and compute arrays on the device of this session, in full float32 (a GPU would shorten it)."""
        with self.jax.default_device(self.device), self.jax.default_matmul_precision("float32"):
            yield

    def require_on_device(self, model: Any) -> None:
        """Check that the weights of a model lie on the device of this session.

        Raises
        ------
        DeviceError
            If one lies elsewhere.
        """
        for variable in model.variables:
            elsewhere = variable.value.devices() - {self.device}
            if elsewhere:
                raise DeviceError(f"expected the weights on {self.device}, found {variable.path} on {elsewhere}")


def gpu_number(device: Device) -> int | None:
    """Return the number of the GPU that a device is, counted from 0; None for the CPU.

    Raises
    ------
    SettingsError
        If it is the name of no device.
    """
    found = _DEVICE.fullmatch(device)
    if found is None:
        raise SettingsError(f"device must be cpu, cuda, or cuda:1 for the second GPU, got {device!r}")
    return None if device == "cpu" else int(found["number"] or 0)


def load_keras(device: Device = "cpu") -> KerasSession:
    """Import Keras with the JAX backend.

    Parameters
    ----------
    device : str
        ``cpu`` computes on the CPU even where there is a GPU; ``cuda`` takes the first one, or none at all, ``cuda:1``
        the second one.

    Raises
    ------
    MissingExtraError
        If Keras or JAX is not installed.
    SettingsError
        If the device has no such name, or Keras runs with another backend or float type already.
    DeviceError
        If there is no such device.
    """
    number = gpu_number(device)
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "jax"
    # The networks are small: leave the rest of a GPU's memory to others.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    jax = require_module("jax", extra="train")
    keras = require_module("keras", extra="train")
    _check_keras(keras)
    return KerasSession(keras, jax, _find_device(jax, number))


def forbid_cudnn(model: Any) -> None:
    """Make the recurrent layers of a model compute the same way on every device.

    Left to itself, Keras takes cuDNN's LSTM wherever JAX sees a GPU, also for a computation on the CPU of such a
    machine, which then fails (Keras 3.15). For pulses of this length the plain layer is no slower on the GPU.
    A saved model does not remember the choice, so that it is made again after loading.
    """
    for layer in model.layers:
        if hasattr(layer, "use_cudnn"):
            layer.use_cudnn = False


def _check_keras(keras: ModuleType) -> None:
    backend = keras.backend.backend()
    if backend != "jax":
        raise SettingsError(
            f"Keras was imported with the backend '{backend}', expected 'jax': import discrimen's models first, "
            "or set KERAS_BACKEND=jax in the environment"
        )
    float_type = keras.config.floatx()
    if float_type != "float32":
        raise SettingsError(f"Keras computes in {float_type}, expected float32: correct floatx in ~/.keras/keras.json")


def _find_device(jax: ModuleType, number: int | None) -> Any:
    device = "cpu" if number is None else "gpu"
    try:
        found = jax.devices(device)
    except (RuntimeError, AssertionError) as error:  # an assertion where none of the platforms asked for is there
        reason = next(iter(str(error).splitlines()), "no platform that it was asked for")
        raise DeviceError(f"JAX finds no {device.upper()} ({reason}): {_mend(device)}") from error
    if number is not None and number >= len(found):
        raise DeviceError(f"JAX finds {len(found)} GPUs, counted from 0; got number {number}")
    return found[number or 0]


def _mend(device: str) -> str:
    mends = ["install 'discrimen[cuda]' and an NVIDIA driver, or use the CPU"] if device == "gpu" else []
    if asked := os.environ.get(_PLATFORMS):
        mends.append(f"unset {_PLATFORMS}={asked!r} in the environment")
    return "; ".join(mends) or "check JAX"
