from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from discrimen import keras_jax
from discrimen.errors import DeviceError, MissingExtraError, SettingsError
from discrimen.keras_jax import forbid_cudnn, load_keras


def run_python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_keras_runs_on_jax_and_the_cpu() -> None:
    session = load_keras("cpu")
    assert session.keras.backend.backend() == "jax"
    assert session.device.platform == "cpu"
    assert session.backend == "keras-jax (cpu)"


def test_arrays_are_made_on_the_device() -> None:
    session = load_keras("cpu")
    with session.on_device():
        assert session.jax.numpy.zeros(3).devices() == {session.device}


def test_jax_wins_over_the_environment() -> None:
    code = "from discrimen.keras_jax import load_keras; print(load_keras().keras.backend.backend())"
    assert run_python(code, KERAS_BACKEND="tensorflow").strip() == "jax"


def test_another_backend_imported_before_is_an_error() -> None:
    code = (
        "import keras\nfrom discrimen.errors import SettingsError\nfrom discrimen.keras_jax import load_keras\n"
        "try: load_keras()\nexcept SettingsError as error: print(error)"
    )
    assert "'numpy', expected 'jax'" in run_python(code, KERAS_BACKEND="numpy")


def test_another_float_type_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    keras = load_keras().keras
    monkeypatch.setattr(keras.config, "floatx", lambda: "float16")
    with pytest.raises(SettingsError, match="float16"):
        load_keras()


def test_an_unknown_device_is_an_error() -> None:
    unknown: Any = "tpu"
    with pytest.raises(SettingsError, match="cpu, cuda, or cuda:1"):
        load_keras(unknown)


def test_no_gpu_is_an_error_not_a_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    jax = load_keras("cpu").jax

    def devices(platform: str) -> list[Any]:
        raise RuntimeError(f"Unknown backend: '{platform}' requested\nmore lines")

    monkeypatch.setattr(jax, "devices", devices)
    with pytest.raises(DeviceError, match=r"finds no GPU.*'gpu' requested\).*or use the CPU"):
        load_keras("gpu")


@pytest.mark.parametrize(
    ("platforms", "device"),
    [
        pytest.param("nonsense", "cpu", marks=pytest.mark.slow),
        ("cpu", "gpu"),
        pytest.param("cuda", "cpu", marks=pytest.mark.slow),
        pytest.param("cuda", "gpu", marks=pytest.mark.slow),
    ],
)
def test_a_platform_that_is_not_there_is_one_line_that_names_the_variable(platforms: str, device: str) -> None:
    code = (
        "from discrimen.errors import DeviceError\nfrom discrimen.keras_jax import load_keras\n"
        f"try: print(load_keras('{device}').device.platform)\nexcept DeviceError as error: print(error)"
    )
    line = run_python(code, JAX_PLATFORMS=platforms).rstrip("\n")
    if (platforms, device, line) == ("cuda", "gpu", "gpu"):
        pytest.skip("this machine has a GPU")
    assert line.startswith(f"JAX finds no {device.upper()} (")
    assert line.endswith(f"unset JAX_PLATFORMS='{platforms}' in the environment")
    assert "\n" not in line


def test_weights_elsewhere_are_noticed() -> None:
    session = load_keras("cpu")
    with session.on_device():
        model = session.keras.Sequential([session.keras.Input((3,)), session.keras.layers.Dense(2)])
    session.require_on_device(model)
    elsewhere = keras_jax.KerasSession(session.keras, session.jax, "another device")
    with pytest.raises(DeviceError, match="another device"):
        elsewhere.require_on_device(model)


@pytest.mark.parametrize("layer", ["LSTM", "GRU"])
def test_recurrent_layers_compute_alike_on_every_device(layer: str) -> None:
    session = load_keras("cpu")
    model = session.keras.Sequential([session.keras.Input((5, 1)), getattr(session.keras.layers, layer)(2)])
    forbid_cudnn(model)
    assert model.layers[0].use_cudnn is False


def test_a_missing_library_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(MissingExtraError, match=r"discrimen\[train\]"):
        load_keras()


def test_importing_discrimen_imports_no_keras() -> None:
    code = (
        "import sys, discrimen.training, discrimen.inference.keras_predictor\n"
        "print([name for name in ('keras', 'jax', 'matplotlib', 'tensorboardX') if name in sys.modules])"
    )
    assert run_python(code).strip() == "[]"
