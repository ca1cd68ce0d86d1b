"""Compile and run programs around headers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

STRICT = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-Wpedantic", "-Wconversion", "-Wshadow"]
SANITIZED = ["-O0", "-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"]
HERE = Path(__file__).parent


def find_compiler() -> str:
    """The C++ compiler of this machine; skips loudly where there is none."""
    compiler = os.environ.get("CXX") or shutil.which("g++")
    if not compiler:
        pytest.skip("NO C++ COMPILER: install g++ or set CXX to test headers that embed a model")
    return compiler


def start_compiling(sources: Sequence[Path], program: Path, *options: str) -> subprocess.Popen[str]:
    command = [find_compiler(), *STRICT, *options, f"-I{HERE}", *map(str, sources), "-o", str(program)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish_compiling(compiling: subprocess.Popen[str]) -> None:
    said, _ = compiling.communicate()
    assert compiling.returncode == 0, said


def run(program: Path, *arguments: str | Path) -> str:
    ended = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def write_main(path: Path, headers: Sequence[str], statements: Sequence[str]) -> Path:
    includes = "".join(f'#include "{header}"\n' for header in ["harness.hpp", *headers])
    body = "".join(f"    {statement};\n" for statement in statements)
    path.write_text(
        f"{includes}int main(int, char** arguments) {{\n    const std::string folder = arguments[1];\n{body}}}\n"
    )
    return path


def write_pulses(path: Path, samples: NDArray[np.generic]) -> None:
    path.write_bytes(np.array(samples.shape, np.int64).tobytes() + np.ascontiguousarray(samples).tobytes())


def read_scores(path: Path, n_classes: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    rows = np.fromfile(path.with_name(path.name + ".scores"), np.float32).reshape(-1, n_classes + 1)
    return rows[:, :-1], rows[:, -1] == 1


def said_of_itself(output: str) -> Mapping[str, bool]:
    return {name: said == "1" for name, said in (line.split() for line in output.splitlines())}
