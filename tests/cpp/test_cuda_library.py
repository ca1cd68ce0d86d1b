"""The library for GPUs as nvcc builds it: what it depends on, what its kernel takes, what it says without a driver."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cpp import native_build
from tests.network.networks import NETWORKS, frozen

from discrimen.network.frozen_file import write_frozen

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

FOLDER = native_build.REPOSITORY / "build" / "cuda-library"
MOST_REGISTERS, MOST_SPILLED_BYTES = 128, 512
"""Two blocks of 256 threads, or four of 128, share the 65,536 registers of a processor."""


@pytest.fixture(scope="module")
def printed() -> str:
    """What nvcc says of the kernel."""
    if shutil.which("nvcc") is None:
        pytest.skip("NO NVCC on this machine: install CUDA's toolkit to compile the library for GPUs")
    shutil.rmtree(FOLDER, ignore_errors=True)
    options = ("TESTS", "EXAMPLES", "FUZZ")
    off = (f"-DDISCRIMEN_{name}=OFF" for name in options)
    source = native_build.REPOSITORY / "cpp"
    build = ("-DCMAKE_BUILD_TYPE=Release", "-DDISCRIMEN_CUDA=ON", "-DDISCRIMEN_WERROR=ON", *off)
    native_build.run(native_build.build_tool("cmake"), "-S", source, "-B", FOLDER, *build)
    command = (native_build.build_tool("cmake"), "--build", FOLDER, "--target", "discrimen_cuda")
    return native_build.run("sh", "-c", '"$0" "$@" 2>&1', *command)


@pytest.fixture(scope="module")
def library(printed: str) -> Path:
    return (FOLDER / "libdiscrimen_cuda.so").resolve(strict=True)


def test_the_kernels_fit_the_processor_they_are_for(printed: str) -> None:
    registers = [int(each) for each in re.findall(r"Used (\d+) registers", printed)]
    spilled = [int(each) for each in re.findall(r"(\d+) bytes spill stores", printed)]
    assert len(registers) == 4, printed  # two kernels for two architectures
    assert max(registers) <= MOST_REGISTERS
    assert max(spilled) <= MOST_SPILLED_BYTES


def test_the_library_carries_cudas_runtime_and_shows_one_function(library: Path) -> None:
    printed = native_build.run("readelf", "-d", library, environment={"LC_ALL": "C"})
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", printed)
    assert "libc.so.6" in needed
    assert not [name for name in needed if "cuda" in name]
    lines = native_build.run("nm", "-D", "--defined-only", library).splitlines()
    functions = [line.split()[2] for line in lines if line.split()[1] == "T"]
    assert functions == ["discrimen_cuda_table"]


def test_the_library_has_code_for_two_kinds_of_gpus_and_for_newer_ones(library: Path) -> None:
    lists = shutil.which("cuobjdump") or "/usr/local/cuda/bin/cuobjdump"
    if not Path(lists).exists():
        pytest.skip("NO CUOBJDUMP on this machine")
    found = native_build.run(lists, "--list-elf", "--list-ptx", library)
    assert all(name in found for name in ("sm_80.cubin", "sm_90.cubin", "sm_90.ptx")), found


WITHOUT_A_DRIVER = """
import sys
from discrimen.errors import DeviceError
from discrimen.inference.native import NativePredictor
try:
    NativePredictor(sys.argv[1], device="cuda")
except DeviceError as error:
    print(error)
print(NativePredictor(sys.argv[1]).backend)
"""


def test_without_a_driver_there_is_one_clear_line_and_the_cpu_goes_on(library: Path, tmp_path: Path) -> None:
    if Path("/dev/nvidiactl").exists():
        pytest.skip("this machine has a GPU")
    path = tmp_path / "model.discrimen"
    write_frozen(frozen(*next(iter(NETWORKS.values()))()), path)
    environment = {**os.environ, "DISCRIMEN_CUDA_LIBRARY": str(library)}
    command = [sys.executable, "-c", WITHOUT_A_DRIVER, str(path)]
    lines = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[0] == "CUDA device 0: there is no driver of NVIDIA on this machine"
    assert lines[1].startswith("native (")
