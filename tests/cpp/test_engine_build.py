"""The engine's own tests, its sanitizers and its mutations, without Python inside; and what a user gets installed."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from tests.cpp import native_build

pytestmark = pytest.mark.timeout(900)  # a fixture compiles the engine, on whatever machine this is

ENGINE = native_build.REPOSITORY / "cpp"
N_MUTATIONS = 200_000
CHECKED = {
    "CMAKE_CXX_FLAGS_RELEASE": "-O1 -g1 -D_GLIBCXX_ASSERTIONS",
    "DISCRIMEN_WERROR": "ON",
    "DISCRIMEN_EXAMPLES": "OFF",
    "DISCRIMEN_CUDA": "OFF",
}
BUILD_OPTIONS = {
    "sanitized": {"DISCRIMEN_SANITIZE": "address,undefined", "DISCRIMEN_MUTATIONS": f"{N_MUTATIONS}"},
    "thread": {"DISCRIMEN_SANITIZE": "thread"},
    "realtime": {"DISCRIMEN_SANITIZE": "realtime"},
}
CLANG_VERSIONS = (22, 21, 20)  # the first one that knows the realtime sanitizer is 20
SETS = ("baseline", "avx2", "avx512")
EMULATED = "emulated"  # the library of a GPU, played by the host
OF_KERNELS = (
    "layers",
    "preparation",
    "domain",
    "channels",
    "sample_layouts",
    "batches",
    "threads",
    "no_allocation",
    "thresholds",
)
TESTS = (
    *(f"test_{name}.{instruction_set}" for name in OF_KERNELS for instruction_set in (*SETS, EMULATED)),
    *(f"test_{name}" for name in ("c_interface", "loader", "loader_memory", "sha256")),
    *(f"test_{name}.{EMULATED}" for name in ("c_interface", "device")),
    "mutate_loader",
    "found_files",
)
TESTS_OF_BUILD = {"realtime": {"test_realtime", "test_realtime.planted"}}
LIBRARIES = {
    "libstdc++.so.6",
    "libm.so.6",
    "libgcc_s.so.1",
    "libc.so.6",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
}


def compilers(name: str) -> dict[str, str]:
    """Choose the compiler of a build: clang where the sanitizer is its own, else what CMake finds."""
    if name != "realtime":
        return {}
    for version in CLANG_VERSIONS:
        if shutil.which(f"clang-{version}") and shutil.which(f"clang++-{version}"):
            return {"CMAKE_C_COMPILER": f"clang-{version}", "CMAKE_CXX_COMPILER": f"clang++-{version}"}
    pytest.skip("NO CLANG 20 OR NEWER on this machine: apt-get install clang-22 to test what may wait in a call")


def build_checked(name: str) -> Path:
    """Build the engine with its tests and harnesses, under a sanitizer unless plain; return the folder."""
    if name == "plain":
        return native_build.build_engine()
    folder = native_build.REPOSITORY / "build" / "engine-tests" / name
    options = {**CHECKED, **BUILD_OPTIONS[name], **compilers(name)}
    native_build.build(ENGINE, folder, *(f"-D{option}={value}" for option, value in options.items()))
    return folder


# Each takes as long to build as a tenth of all fast tests.
SANITIZED, THREAD, REALTIME = (
    pytest.param(name, marks=pytest.mark.slow) for name in ("sanitized", "thread", "realtime")
)


@pytest.fixture(scope="module", params=["plain", SANITIZED, THREAD, REALTIME])
def build_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def results(build_name: str) -> dict[str, Element]:
    """What CTest says of each test of a build."""
    folder = build_checked(build_name)
    report = folder / "results.xml"
    report.unlink(missing_ok=True)
    # The status is not asked for: each test below looks for its own.
    all_output = ("--test-output-size-passed", "100000", "--test-output-size-failed", "100000")
    ctest = [native_build.build_tool("ctest"), "-j2", *all_output, "--output-junit", report]
    native_build.run("sh", "-c", '"$0" "$@" || true', *ctest, folder=folder)
    return {str(case.get("name")): case for case in ElementTree.parse(report).iter("testcase")}


def test_every_test_of_the_engine_is_known_here(build_name: str, results: dict[str, Element]) -> None:
    assert set(results) == set(TESTS) | TESTS_OF_BUILD.get(build_name, set())


@pytest.mark.parametrize("name", TESTS)
def test_engine(name: str, results: dict[str, Element]) -> None:
    output = results[name].findtext("system-out") or ""
    if results[name].get("status") == "notrun":
        assert "skipped: " in output
        pytest.skip(output.strip())
    assert results[name].get("status") == "run", output
    assert re.search(r"[1-9]\d* checks, 0 failed|[1-9]\d* inputs|[1-9]\d* files", output), output


@pytest.mark.parametrize("build_name", [REALTIME], indirect=True)
def test_nothing_in_a_call_may_wait_or_allocate(results: dict[str, Element]) -> None:
    printed = results["test_realtime"].findtext("system-out") or ""
    assert re.search(r"[1-9]\d* checks, 0 failed", printed), printed
    # The sanitizer sees what it is to see: an allocation that is planted in a function like these.
    planted = results["test_realtime.planted"].findtext("system-out") or ""
    assert "RealtimeSanitizer: unsafe-library-call" in planted
    assert "`malloc` in real-time context" in planted


def check_mutations(printed: str, n_inputs: int) -> None:
    found = re.search(r"(\d+) inputs: (\d+) refused for (\d+) kinds of reasons, (\d+) loaded", printed)
    assert found, printed
    count, n_refused, n_kinds, n_loaded = map(int, found.groups())
    assert count == n_inputs == n_refused + n_loaded
    # Deep enough to be of use: most mutations are seen, each by the check that it is for, and some do no harm.
    assert n_refused > n_inputs / 2
    assert n_loaded > n_inputs / 100
    assert n_kinds > 50


@pytest.mark.parametrize("build_name", [SANITIZED], indirect=True)
def test_no_damaged_file_harms_the_loader(results: dict[str, Element]) -> None:
    printed = results["mutate_loader"].findtext("system-out") or ""
    print(printed)
    check_mutations(printed, N_MUTATIONS)


@pytest.mark.slow
def test_no_damaged_file_of_a_million_harms_the_loader() -> None:
    driver = build_checked("sanitized") / "fuzz" / "mutate_loader"
    printed = native_build.run(driver, "1000000", "2")
    print(printed)
    check_mutations(printed, 1_000_000)


CONSUMER = """
#include <discrimen/discrimen.h>
#include <stdio.h>
int main(void) {
    char why[256] = "";
    if (discrimen_load("absent.discrimen", NULL, why, sizeof why)) return 1;
    printf("%s: %s", discrimen_version(), why);
    return 0;
}
"""
CONSUMER_PROJECT = """
cmake_minimum_required(VERSION 3.18)
project(consumer LANGUAGES C CXX)
find_package(discrimen {version} REQUIRED)
add_executable(consumer consumer.{language})
target_link_libraries(consumer PRIVATE discrimen::discrimen)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed engine, moved to where it was not built for."""
    moved = tmp_path_factory.mktemp("moved") / "engine"
    shutil.copytree(native_build.install_engine(), moved, symlinks=True)
    return moved


@pytest.fixture(scope="module")
def library(installed: Path) -> Path:
    return (installed / "lib" / "libdiscrimen.so").resolve(strict=True)


def version() -> str:
    header = (ENGINE / "include" / "discrimen" / "version.h").read_text(encoding="utf-8")
    return header.split('"')[1]


@pytest.mark.parametrize("language", ["c", "cpp"])
def test_a_project_finds_the_installed_engine(language: str, installed: Path, tmp_path: Path) -> None:
    (tmp_path / f"consumer.{language}").write_text(CONSUMER, encoding="utf-8")
    project = CONSUMER_PROJECT.format(version=version(), language=language)
    (tmp_path / "CMakeLists.txt").write_text(project, encoding="utf-8")
    native_build.build(tmp_path, tmp_path / "build", f"-DCMAKE_PREFIX_PATH={installed}")
    assert native_build.run(tmp_path / "build" / "consumer") == f"{version()}: absent.discrimen: cannot be read"


def test_pkg_config_finds_the_installed_engine(installed: Path, tmp_path: Path) -> None:
    if not shutil.which("pkg-config"):
        pytest.skip("NO PKG-CONFIG on this machine: install it to test discrimen.pc")
    (tmp_path / "consumer.c").write_text(CONSUMER, encoding="utf-8")
    path = {"PKG_CONFIG_PATH": str(installed / "lib" / "pkgconfig")}
    assert native_build.run("pkg-config", "--modversion", "discrimen", environment=path).strip() == version()
    flags = native_build.run("pkg-config", "--cflags", "--libs", "discrimen", environment=path).split()
    native_build.run("gcc", tmp_path / "consumer.c", "-o", tmp_path / "consumer", *flags)
    assert native_build.run(tmp_path / "consumer").startswith(version())


def test_library_depends_on_nothing_but_the_compilers_own(library: Path) -> None:
    printed = native_build.run("readelf", "-d", library, environment={"LC_ALL": "C"})
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", printed)
    assert "libc.so.6" in needed
    assert set(needed) <= LIBRARIES


def test_library_is_small(library: Path) -> None:
    assert 50_000 < library.stat().st_size < 2_000_000


def test_library_shows_its_own_names_alone(library: Path) -> None:
    lines = native_build.run("nm", "-D", "-C", "--defined-only", library).splitlines()
    names = [line.split(maxsplit=2)[2] for line in lines]
    assert "discrimen_load" in names
    foreign = [name for name in names if not re.match(r"(typeinfo (name )?for |vtable for )?discrimen(_|::)", name)]
    assert not foreign
    inner = [name for name in names if "baseline::" in name or "avx" in name or "LoadedModel::" in name]
    assert not inner


def test_kernels_share_no_code_between_instruction_sets(library: Path) -> None:
    """An inline function in common could be kept in the copy that uses instructions which the machine lacks."""
    folder = native_build.FOLDER / "engine" / "CMakeFiles" / "discrimen.dir" / "src" / "kernels"
    for name in SETS:
        path = folder / f"{name}.cpp.o"
        if not path.exists():
            continue
        lines = native_build.run("nm", "-C", path).splitlines()
        shared = [line for line in lines if re.search(r" [WVu] ", line) and f"discrimen::{name}::" not in line]
        assert not shared
