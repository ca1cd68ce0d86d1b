"""Compile and run programs around headers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from discrimen.network.export.cpp.amalgamation import engine_folder

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
HERE = Path(__file__).parent


def find_compiler() -> str:
    """The C++ compiler of this machine; skips loudly where there is none."""
    compiler = os.environ.get("CXX") or shutil.which("g++")
    if not compiler:
        pytest.skip("NO C++ COMPILER: install g++ or set CXX to test headers that embed a model")
    return compiler


def compile_strictly(sources: Sequence[Path], *options: str | Path, compiler: str | None = None) -> str:
    """Compile with all warnings as errors, at once where there are several sources; returns what was printed."""
    include = [f"-I{engine_folder() / 'include'}", f"-I{HERE}"]
    command = [compiler or find_compiler(), *STRICT, *include, *map(str, options), *map(str, sources)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def run(program: Path, *arguments: str | Path) -> str:
    ended = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
