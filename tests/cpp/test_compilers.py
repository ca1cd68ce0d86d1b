"""The table of compilers and architectures says what ran, what failed and what is absent."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cpp import compilers
from tests.cpp.compilers import Build, Result

NATIVE = Build("native", ("gcc", "g++"), "g++", compilers.standard(17))
PASSED, FAILED, ABSENT = (Result("one", "g++ 12", state, "words", 1) for state in ("passed", "FAILED", "absent"))


def answers(monkeypatch: pytest.MonkeyPatch, *done: tuple[int, str]) -> None:
    """Let compilers and CMake give these statuses and outputs, one after the other."""
    waiting = iter(done)
    monkeypatch.setattr(compilers, "command", lambda words: subprocess.CompletedProcess(words, *next(waiting)))


@pytest.mark.parametrize(
    ("results", "status"),
    [([PASSED], 0), ([PASSED, ABSENT], 0), ([PASSED, FAILED, ABSENT], 1), ([ABSENT, ABSENT], 1)],
)
def test_fails_where_something_failed_or_nothing_ran(results: list[Result], status: int) -> None:
    assert compilers.status_of(results) == status


def test_an_absent_compiler_is_named_with_its_package(tmp_path: Path) -> None:
    absent = dataclasses.replace(NATIVE, compilers=("no-gcc", "no-g++"), emulator=("no-qemu", "-L", "/usr/no"))
    result = compilers.result_of(absent, 1, tmp_path)
    assert result.state == "absent"
    assert result.words == "no no-gcc, no-g++, no-qemu; on Debian: apt-get install g++"


def test_a_compiler_that_makes_no_program_is_absent(tmp_path: Path) -> None:
    result = compilers.result_of(dataclasses.replace(NATIVE, flags=("-fsanitize=nothing",)), 1, tmp_path)
    assert (result.state, result.words) == (
        "absent",
        "no what g++ -fsanitize=nothing needs; on Debian: apt-get install g++",
    )


def test_a_build_that_must_be_refused_fails_where_it_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refused = dataclasses.replace(NATIVE, refused="a reason")
    answers(monkeypatch, (0, ""), (1, "error: a reason"))
    assert compilers.judged(refused, tmp_path, 1) == (True, "refused, as it must be: a reason")
    answers(monkeypatch, (0, ""), (1, "error: another reason"))
    assert compilers.judged(refused, tmp_path, 1)[1].startswith("error: another reason: ")
    answers(monkeypatch, (0, ""), (0, "it builds"))
    assert compilers.judged(refused, tmp_path, 1)[0] is False


REPORT = '<testsuite><testcase name="a" status="run"/><testcase name="b" status="{}"/></testsuite>'


@pytest.mark.parametrize(
    ("state", "good", "words"),
    [
        ("run", True, "2 tests passed"),
        ("notrun", True, "1 tests passed, 1 skipped"),
        ("fail", False, "1 of 2 tests failed: b: "),
    ],
)
def test_counts_what_ctest_reports(
    state: str, good: bool, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def command(given: list[str]) -> subprocess.CompletedProcess[str]:
        Path(given[-1]).write_text(REPORT.format(state), encoding="utf-8")
        return subprocess.CompletedProcess(given, int(state == "fail"), "")

    monkeypatch.setattr(compilers, "command", command)
    passed, said = compilers.tested(tmp_path, 1)
    assert (passed, said.startswith(words)) == (good, True)


def test_the_table_has_a_line_for_each_build() -> None:
    lines = compilers.table([PASSED, ABSENT]).splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["build", "state", "seconds"],
        ["one", "passed", "1"],
        ["one", "absent", "-"],
    ]
    assert lines[1].endswith("words  [g++ 12]")


def test_a_word_that_no_build_has_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.cpp.compilers", "vax"],
        capture_output=True,
        text=True,
        check=False,
        cwd=compilers.native_build.REPOSITORY,
    )
    assert done.returncode == 2
    assert "no build has a name with vax" in done.stderr
