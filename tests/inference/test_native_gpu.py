"""The engine on a GPU, played by the host, behind the Predictor protocol: all networks, and what can go wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tests.cpp import native_build
from tests.network.networks import NETWORKS
from tests.network.pulses import channels_there, raw_pulses
from tests.scoring.small_model import long_records, write_run, write_small_model
from typer.testing import CliRunner

from discrimen.cli.main import app
from discrimen.errors import DeviceError, SettingsError
from discrimen.inference import engine
from discrimen.inference.load import load_model
from discrimen.inference.native import NativePredictor
from discrimen.inference.reference_predictor import run_exactly
from discrimen.network.frozen_file import read_frozen
from discrimen.scoring.scores import read_scores

pytestmark = pytest.mark.timeout(900)  # the first one compiles the engine

TOLERANCE = 1e-5
"""As for the CPU, in units of an output's largest value."""
FAULT = "DISCRIMEN_EMULATED_FAULT"


@pytest.fixture(scope="module")
def library() -> Path:
    return native_build.build_engine() / "tests" / "libdiscrimen_cuda_emulated.so"


@pytest.fixture(autouse=True)
def emulated(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCRIMEN_CUDA_LIBRARY", str(library))


@pytest.fixture
def mlp(frozen_networks: Callable[[str], Path]) -> Path:
    return frozen_networks(next(iter(NETWORKS)))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_output_is_that_of_the_reference(name: str, frozen_networks: Callable[[str], Path]) -> None:
    path = frozen_networks(name)
    model, predictor = read_frozen(path), NativePredictor(path, device="cuda")
    preparation = model.description.preparation
    for n_pulses in (1, 60):
        samples = raw_pulses(preparation, n_pulses, seed=9)
        present = channels_there(preparation, n_pulses)
        exact = run_exactly(model, samples, present=present)
        found = predictor.run(samples, present=present)
        for output, one, other in zip(model.description.outputs, found, exact, strict=True):
            assert one.shape == (n_pulses, output.n_values)
            assert_allclose(one, other, atol=TOLERANCE * max(1.0, float(np.nanmax(np.abs(other)))), err_msg=output.name)


@pytest.mark.parametrize(("device", "named"), [("cuda", "cuda:0"), ("gpu", "cuda:0"), ("cuda:1", "cuda:1")])
def test_a_gpu_has_a_number_and_a_name(mlp: Path, device: str, named: str) -> None:
    assert load_model(mlp, device=device).predictor.backend.startswith(f"native ({named}, emulated on the host, ")


@pytest.mark.parametrize("device", ["tpu", "cuda:", "cuda:x", "cpu:1", ""])
def test_what_is_no_device_is_refused(mlp: Path, device: str) -> None:
    with pytest.raises(SettingsError, match="device must be cpu, cuda, or cuda:1 for the second GPU"):
        NativePredictor(mlp, device=device)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("no driver", "CUDA device 0: there is no driver of NVIDIA on this machine"),
        ("another version", "has another version than this engine"),
        ("no memory for the model", "CUDA device 0: no memory is left for the"),
        ("lacks a layer", "CUDA device 0: it lacks operation"),
    ],
)
def test_a_gpu_that_cannot_is_an_error_and_the_cpu_goes_on(
    mlp: Path, fault: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FAULT, fault)
    with pytest.raises(DeviceError, match=reason):
        NativePredictor(mlp, device="cuda")
    assert NativePredictor(mlp).backend.startswith("native (")


def test_a_device_number_too_high_is_an_error(mlp: Path) -> None:
    with pytest.raises(DeviceError, match="CUDA device 7: there are 2 devices, counted from 0"):
        NativePredictor(mlp, device="cuda:7")


def test_a_device_that_is_lost_is_an_error(mlp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = NativePredictor(mlp, device="cuda")
    samples = raw_pulses(read_frozen(mlp).description.preparation, 60, seed=1)
    on_cpu = NativePredictor(mlp).run(samples)
    assert_allclose(predictor.run(samples)[0], on_cpu[0], atol=TOLERANCE)
    monkeypatch.setenv(FAULT, "lost now")
    with pytest.raises(DeviceError, match="the CUDA device failed in the middle, and results are NaN"):
        predictor.run(samples)
    monkeypatch.delenv(FAULT)
    with pytest.raises(DeviceError, match="failed in the middle"):
        predictor.run(samples)
    assert_array_equal(NativePredictor(mlp).run(samples)[0], on_cpu[0])


def test_no_memory_for_a_workspace_is_an_error(mlp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FAULT, "no memory for a workspace")
    with pytest.raises(DeviceError, match="no memory for a workspace of"):
        NativePredictor(mlp, device="cuda")


@pytest.mark.parametrize("place", ["program", "host", "device"])
def test_batches_are_timed_wherever_samples_lie(mlp: Path, place: str) -> None:
    model = engine.Model.load(str(mlp), "", "cuda")
    samples = np.ascontiguousarray(raw_pulses(read_frozen(mlp).description.preparation, 60, seed=1), np.int16)
    times_ns = engine.batch_ns(model, samples, place, 3)
    assert len(times_ns) == 3
    assert all(each > 0 for each in times_ns)
    assert engine.device_copy_bytes_hz(model, True, 4096) > 0


def test_bench_times_a_gpu_beside_the_cpu(mlp: Path) -> None:
    done = CliRunner().invoke(
        app, ["bench", str(mlp), "--device", "cuda", "--batch", "1,50", "--seconds", "0.1", "--json"]
    )
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert "emulated" in result["backends"]["native on cuda"]
    assert {row["batch_size"] for row in result["times"] if row["backend"] == "native on cuda"} == {1, 50}
    assert any(each["backend"] == "onnxruntime on cuda" for each in result["left_out"])


def test_a_run_is_classified_as_on_the_cpu(tmp_path: Path) -> None:
    model = write_small_model(tmp_path / "small.discrimen", domain=True)
    run = write_run(tmp_path / "run.BIN", long_records())
    written = {}
    for device in ("cpu", "cuda"):
        output = tmp_path / f"{device}.h5"
        done = CliRunner().invoke(app, ["classify", str(model), str(run), "-o", str(output), "--device", device])
        assert done.exit_code == 0, done.output
        written[device] = read_scores(output).rows
    assert written["cpu"].outside is not None
    assert_array_equal(written["cuda"].outside, written["cpu"].outside)
    assert_allclose(written["cuda"].score, written["cpu"].score, atol=TOLERANCE)


@pytest.mark.parametrize("command", ["classify", "evaluate", "stream", "bench", "chain"])
def test_commands_refuse_what_is_no_device(command: str, mlp: Path) -> None:
    if command in ("stream", "chain"):
        pytest.importorskip("zmq", reason="NO ZEROMQ: pip install 'discrimen[online]'")
    done = CliRunner().invoke(app, [command, str(mlp), "--device", "abacus"])
    assert done.exit_code == 2
    assert "device must be cpu, cuda" in " ".join(done.output.replace("│", " ").split())
