"""The engine, installed as a user would, and the examples built against it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "build" / "installed-engine"
PREFIX = FOLDER / "prefix"
EXAMPLES = FOLDER / "examples"


def run(*command: str | Path, folder: Path = REPOSITORY, environment: dict[str, str] | None = None) -> str:
    """Run a command and return what it printed; a failure shows both its outputs."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command} gave {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build_tool(name: str) -> str:
    """Return cmake or ninja: of this environment, else of the machine."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert found, f"{name} is needed: pip install {name}"
    return found


@contextmanager
def only_one() -> Iterator[None]:
    """Let one process at a time build: tests may run in several."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(source: Path, folder: Path, *options: str) -> None:
    """Configure and build a CMake project."""
    cmake = build_tool("cmake")
    ninja = f"-DCMAKE_MAKE_PROGRAM={build_tool('ninja')}"
    run(cmake, "-S", source, "-B", folder, "-G", "Ninja", ninja, "-DCMAKE_BUILD_TYPE=Release", *options)
    run(cmake, "--build", folder, "-j2")


def build_engine() -> Path:
    """Build the engine with its tests and harnesses, warnings as errors; return the folder.

    One build serves its tests and the examples: the kernels, which take most of the time, are optimised as always.
    """
    folder = FOLDER / "engine"
    little = "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -D_GLIBCXX_ASSERTIONS"
    options = (
        "-DDISCRIMEN_WERROR=ON",
        "-DDISCRIMEN_TESTS=ON",
        "-DDISCRIMEN_EXAMPLES=OFF",
        "-DDISCRIMEN_CUDA=OFF",
        "-DCMAKE_INSTALL_LIBDIR=lib",
    )
    with only_one():
        build(REPOSITORY / "cpp", folder, *options, little)
    return folder


def install_engine() -> Path:
    """Build and install the engine; return the prefix."""
    folder = build_engine()
    with only_one():
        run(build_tool("cmake"), "--install", folder, "--prefix", PREFIX)
    return PREFIX


def build_examples() -> Path:
    """Build the examples against the installed engine, warnings as errors; return the folder of the programs."""
    with only_one():
        build(REPOSITORY / "cpp" / "examples", EXAMPLES, f"-DCMAKE_PREFIX_PATH={PREFIX}", "-DDISCRIMEN_WERROR=ON")
    return EXAMPLES


def compile_flags(prefix: Path) -> list[str]:
    """Return what one line of a compiler needs, from pkg-config where the machine has it."""
    if shutil.which("pkg-config"):
        path = {"PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}
        return run("pkg-config", "--cflags", "--libs", "discrimen", environment=path).split()
    return [f"-I{prefix / 'include'}", f"-L{prefix / 'lib'}", f"-Wl,-rpath,{prefix / 'lib'}", "-ldiscrimen"]
