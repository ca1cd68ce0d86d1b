"""The engine on a real GPU: its own tests, all networks of the package, and the checks of races and of memory.

Run by `make test-cuda`, which stops with one line where there is no GPU.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.cpp import native_build
from tests.network.networks import NETWORKS, frozen
from tests.network.pulses import channels_there, raw_pulses

from discrimen.inference.native import NativePredictor
from discrimen.inference.reference_predictor import run_exactly
from discrimen.network.frozen_file import read_frozen, write_frozen

pytestmark = [pytest.mark.cuda, pytest.mark.timeout(1800)]

FOLDER = native_build.REPOSITORY / "build" / "cuda-device"
PROGRAMS = (
    "layers",
    "preparation",
    "channels",
    "sample_layouts",
    "batches",
    "threads",
    "domain",
    "thresholds",
    "device",
    "c_interface",
)
SANITIZED = ("domain", "thresholds", "threads", "device")
"""Under the sanitizer a launch takes some hundred times as long: programs of few launches."""
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def built() -> Path:
    """The engine, its tests and the library for GPUs; the wheel's engine finds the same library."""
    options = ("-DDISCRIMEN_CUDA=ON", "-DDISCRIMEN_WERROR=ON", "-DDISCRIMEN_EXAMPLES=OFF", "-DDISCRIMEN_FUZZ=OFF")
    native_build.build(native_build.REPOSITORY / "cpp", FOLDER, *options)
    return FOLDER


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_of_the_engine(name: str, built: Path) -> None:
    printed = native_build.run(built / "tests" / f"test_{name}", "cuda")
    assert "checks, 0 failed" in printed, printed


@pytest.mark.parametrize("tool", ["memcheck", "racecheck", "synccheck"])
@pytest.mark.parametrize("name", SANITIZED)
def test_sanitizer_finds_nothing(tool: str, name: str, built: Path) -> None:
    sanitizer = shutil.which("compute-sanitizer")
    if sanitizer is None:
        pytest.skip("NO COMPUTE-SANITIZER on this machine: install cuda-sanitizer to look for races")
    program = built / "tests" / f"test_{name}"
    printed = native_build.run(sanitizer, f"--tool={tool}", "--error-exitcode=9", program, "cuda")
    assert "0 errors" in printed or "0 hazards" in printed, printed


@pytest.fixture(scope="module")
def path_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("networks")

    def write(name: str) -> Path:
        path = folder / f"{name.replace(' ', '_')}.discrimen"
        write_frozen(frozen(*NETWORKS[name]()), path)
        return path

    return write


@pytest.mark.parametrize("name", NETWORKS)
def test_every_output_is_that_of_the_reference(
    name: str, path_of: Callable[[str], Path], built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCRIMEN_CUDA_LIBRARY", os.fspath(built / "libdiscrimen_cuda.so"))
    path = path_of(name)
    model, predictor = read_frozen(path), NativePredictor(path, device="cuda")
    preparation = model.description.preparation
    for n_pulses in (1, 37, 5000):
        samples = raw_pulses(preparation, n_pulses, seed=9)
        present = channels_there(preparation, n_pulses)
        exact = run_exactly(model, samples, present=present)
        found = predictor.run(samples, present=present)
        for output, one, other in zip(model.description.outputs, found, exact, strict=True):
            limit = TOLERANCE * max(1.0, float(np.nanmax(np.abs(other))))
            assert_allclose(one, other, atol=limit, err_msg=output.name)
