"""Build and test the engine with every compiler and for every architecture that this machine has the tools of.

Run it by ``make test-compilers``, or by ``python -m tests.cpp.compilers aarch64 clang`` for the builds whose name holds
one of the words. Nothing is installed: what is absent is named with its Debian package.
"""

from __future__ import annotations

import argparse
import dataclasses
import platform
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cpp import native_build

ENGINE = native_build.REPOSITORY / "cpp"
FOLDER = native_build.REPOSITORY / "build" / "compilers"
SANITIZED = {
    "DISCRIMEN_SANITIZE": "address,undefined",
    "CMAKE_CXX_FLAGS_RELEASE": "-O1 -g1 -D_GLIBCXX_ASSERTIONS",
}
NEWEST_CLANG = range(40, 14, -1)
LITTLE_ENDIAN_ONLY = "frozen files are little-endian"


@dataclasses.dataclass(frozen=True)
class Build:
    """One way to build the engine, and what it needs of the machine.

    Attributes
    ----------
    name
        What the table calls it.
    compilers
        Of C and of C++.
    package
        Debian packages that bring them, and the emulator.
    options
        Of CMake, beside those that all builds have.
    flags
        With which the compiler must make a program at all.
    emulator
        Command that runs the programs; empty: this machine.
    refused
        What the compiler must say in the place of a library; empty: it must build, and its tests pass.
    """

    name: str
    compilers: tuple[str, str]
    package: str
    options: Mapping[str, str]
    flags: tuple[str, ...] = ()
    emulator: tuple[str, ...] = ()
    refused: str = ""


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of a build: ``passed``, ``FAILED`` or ``absent``, and more in words."""

    name: str
    compiler: str
    state: str
    words: str
    seconds: float = 0.0


def standard(number: int, sanitized: bool = False) -> dict[str, str]:
    """Return the options for a standard of C++, with sanitizers if wished."""
    return {"CMAKE_CXX_STANDARD": str(number), **(SANITIZED if sanitized else {})}


def foreign(processor: str, **options: str) -> dict[str, str]:
    """Return the options for another processor, whose libraries lie where Debian puts them."""
    root = f"/usr/{processor}-linux-gnu"
    return {
        **standard(17),
        "CMAKE_SYSTEM_NAME": "Linux",
        "CMAKE_SYSTEM_PROCESSOR": processor,
        "CMAKE_FIND_ROOT_PATH": root,
        "CMAKE_FIND_ROOT_PATH_MODE_LIBRARY": "ONLY",
        "CMAKE_FIND_ROOT_PATH_MODE_INCLUDE": "ONLY",
        "CMAKE_CROSSCOMPILING_EMULATOR": f"qemu-{processor};-L;{root}",
        "DISCRIMEN_MUTATIONS": "300",  # an emulator is slow
        **options,
    }


def newest_clang() -> str:
    """Return the newest clang above 14 that is here; else the name of one that is not."""
    return next((f"clang-{n}" for n in NEWEST_CLANG if shutil.which(f"clang++-{n}")), "clang-19")


def cpp_of(clang: str) -> tuple[str, str]:
    """Return clang's compilers of C and of C++."""
    return clang, clang.replace("clang", "clang++")


def native_builds(clang: str) -> list[Build]:
    """Return the builds for this machine's processor; ``clang`` is the newest."""
    builds = []
    for compilers, packages in (
        (("gcc", "g++"), "g++"),
        (cpp_of("clang-14"), "clang-14"),
        (cpp_of(clang), clang),
    ):
        name = compilers[1]
        builds += [Build(f"{name}, C++{n}", compilers, packages, standard(n)) for n in (17, 20)]
        if name != "clang++-14":
            runtime = f" lib{clang.replace('-', '-rt-')}-dev" if "clang" in name else ""
            flags = ("-fsanitize=address,undefined",)
            builds.append(Build(f"{name}, sanitizers", compilers, packages + runtime, standard(17, True), flags))
    return builds


def foreign_builds(clang: str) -> list[Build]:
    """Return the builds for other processors, run by an emulator or refused."""
    arm, ibm = "aarch64-linux-gnu", "s390x-linux-gnu"
    emulator = ("qemu-aarch64", "-L", f"/usr/{arm}")
    target = foreign("aarch64", CMAKE_C_COMPILER_TARGET=arm, CMAKE_CXX_COMPILER_TARGET=arm)
    return [
        Build("aarch64, g++", (f"{arm}-gcc", f"{arm}-g++"), f"g++-{arm} qemu-user", foreign("aarch64"), (), emulator),
        Build(
            f"aarch64, {cpp_of(clang)[1]}",
            cpp_of(clang),
            f"{clang} g++-{arm} qemu-user",
            target,
            (f"--target={arm}",),
            emulator,
        ),
        Build(
            "s390x (big-endian), g++",
            (f"{ibm}-gcc", f"{ibm}-g++"),
            f"g++-{ibm}",
            foreign("s390x"),
            refused=LITTLE_ENDIAN_ONLY,
        ),
    ]


def lacks(build: Build, folder: Path) -> str:
    """Return what the machine lacks for a build; empty if a program can be made and run."""
    tools = (*build.compilers, *build.emulator[:1])
    missing = [tool for tool in tools if not shutil.which(tool)]
    if not missing:
        source, program = folder / "probe.cpp", folder / "probe"
        source.write_text("#include <vector>\nint main() { return int(std::vector<int>().size()); }\n")
        compiled = command([build.compilers[1], *build.flags, str(source), "-o", str(program)])
        if compiled.returncode == 0 and (build.refused or command([*build.emulator, str(program)]).returncode == 0):
            return ""
        missing = [f"what {build.compilers[1]} {' '.join(build.flags)} needs".replace("  ", " ")]
    return f"no {', '.join(missing)}; on Debian: apt-get install {build.package}"


def command(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command; errors come behind the output."""
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def compiled(build: Build, folder: Path, jobs: int) -> subprocess.CompletedProcess[str]:
    """Configure and compile, warnings as errors; stops at the first step that fails."""
    options = {
        "CMAKE_BUILD_TYPE": "Release",
        "CMAKE_C_COMPILER": build.compilers[0],
        "CMAKE_CXX_COMPILER": build.compilers[1],
        "CMAKE_MAKE_PROGRAM": native_build.build_tool("ninja"),
        "DISCRIMEN_WERROR": "ON",
        "DISCRIMEN_CUDA": "OFF",
        **build.options,
    }
    cmake = native_build.build_tool("cmake")
    defined = [f"-D{name}={value}" for name, value in options.items()]
    done = command([cmake, "-S", str(ENGINE), "-B", str(folder), "-G", "Ninja", *defined])
    return command([cmake, "--build", str(folder), f"-j{jobs}"]) if done.returncode == 0 else done


def tested(folder: Path, jobs: int) -> tuple[bool, str]:
    """Run the engine's tests; return whether all passed, and what is to be said of them."""
    report = folder / "results.xml"
    report.unlink(missing_ok=True)
    ctest = [native_build.build_tool("ctest"), "--test-dir", str(folder), f"-j{jobs}", "--timeout", "900"]
    done = command([*ctest, "--output-on-failure", "--output-junit", str(report)])
    (folder / "tests.log").write_text(done.stdout)
    if not report.exists():
        return False, f"ctest gave {done.returncode}: {folder / 'tests.log'}"
    states = {str(case.get("name")): case.get("status") for case in ElementTree.parse(report).iter("testcase")}
    failed = [name for name, state in states.items() if state not in ("run", "notrun")]
    skipped = sum(state == "notrun" for state in states.values())
    if failed or done.returncode != 0 or skipped == len(states):
        return False, f"{len(failed)} of {len(states)} tests failed: {', '.join(failed)}: {folder / 'tests.log'}"
    return True, f"{len(states) - skipped} tests passed" + (f", {skipped} skipped" if skipped else "")


def judged(build: Build, folder: Path, jobs: int) -> tuple[bool, str]:
    """Build and test; return whether all is as it must be, and what is to be said of it."""
    done = compiled(build, folder, jobs)
    log = folder / "build.log"
    log.write_text(done.stdout)
    if build.refused and done.returncode != 0 and build.refused in done.stdout:
        return True, f"refused, as it must be: {build.refused}"
    if done.returncode != 0:
        errors = [line for line in done.stdout.splitlines() if "error" in line.lower()]
        return False, f"{(errors or ['does not build'])[0].strip()}: {log}"
    if build.refused:
        return False, f"builds, but must be refused: {build.refused}: {log}"
    return tested(folder, jobs)


def version_of(compiler: str) -> str:
    """Return the first line that a compiler says of itself."""
    return command([compiler, "--version"]).stdout.splitlines()[0].strip()


def result_of(build: Build, jobs: int, root: Path = FOLDER) -> Result:
    """Build and test one way; says what is absent where the machine lacks it."""
    folder = root / "".join(letter if letter.isalnum() else "-" for letter in build.name)
    folder.mkdir(parents=True, exist_ok=True)
    if reason := lacks(build, folder):
        return Result(build.name, "", "absent", reason)
    start = time.monotonic()
    good, words = judged(build, folder, jobs)
    seconds = time.monotonic() - start
    return Result(build.name, version_of(build.compilers[1]), "passed" if good else "FAILED", words, seconds)


def table(results: Sequence[Result]) -> str:
    """Return the results as aligned lines: name, state, seconds, what is to be said, compiler."""
    width = max(len(one.name) for one in results)
    lines = [f"{'build':{width}}  state   seconds  what"]
    for one in results:
        seconds = f"{one.seconds:7.0f}" if one.state != "absent" else "      -"
        lines.append(
            f"{one.name:{width}}  {one.state}  {seconds}  {one.words}" + f"  [{one.compiler}]" * bool(one.compiler)
        )
    return "\n".join(lines)


def status_of(results: Sequence[Result]) -> int:
    """Return the exit status: 1 if anything failed, or if nothing could be built at all."""
    return int(any(one.state == "FAILED" for one in results) or all(one.state == "absent" for one in results))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the builds whose name holds one of the words, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="parts of names of builds; none: all")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    options = parser.parse_args(arguments)
    clang = newest_clang()
    builds = [
        build
        for build in (*native_builds(clang), *foreign_builds(clang))
        if not options.words or any(word in build.name for word in options.words)
    ]
    if not builds:
        parser.error(f"no build has a name with {' or '.join(options.words)}")
    results = []
    for build in builds:
        print(f"{build.name} ...", end=" ", flush=True)
        results.append(result_of(build, options.jobs))
        print(f"{results[-1].state}: {results[-1].words}", flush=True)
    print(f"\n{platform.machine()}, {platform.platform()}\n{table(results)}")
    return status_of(results)


if __name__ == "__main__":
    sys.exit(main())
