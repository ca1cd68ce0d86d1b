"""A command as it is really run: its result, what it says, and whom it keeps off the folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from discrimen.errors import OutputError
from discrimen.workflow.carry_out import only_one, run_command

INHERITED = """
import os, subprocess, sys
from pathlib import Path
from discrimen.workflow.carry_out import only_one

with only_one(Path(sys.argv[1])) as held:
    waits = [sys.executable, "-c", "input()"]
    subprocess.Popen(waits, pass_fds=(held,), stdin=sys.stdin, start_new_session=True)
    print("begun", flush=True)
    os._exit(9)
"""


def test_a_command_gives_its_status_its_result_and_what_it_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "discrimen").mkdir()  # none of the folder's names hides a module
    (tmp_path / "discrimen" / "__init__.py").write_text("raise SystemExit(7)")
    with only_one(tmp_path) as held:
        status, out = run_command(["inspect", "absent.BIN"], tmp_path, log_file=tmp_path / "steps/a.log", held=held)
    assert (status, out) == (1, "")
    command, _, said = (tmp_path / "steps/a.log").read_text().partition("\n")
    assert command == "discrimen inspect absent.BIN"
    assert "absent.BIN" in said
    assert said.count("\n") == 1
    assert said in capfd.readouterr().err
    assert [path.name for path in (tmp_path / "steps").iterdir()] == ["a.log"]


def test_a_command_that_was_left_behind_keeps_others_off(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INHERITED, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert process.wait() == 9
        with pytest.raises(OutputError, match="another discrimen run works here"), only_one(tmp_path):
            pass
        process.communicate("\n")
    # It needs a moment to end.
    for _ in range(200):
        try:
            with only_one(tmp_path):
                return
        except OutputError:
            subprocess.run(["sleep", "0.05"], check=True)
    pytest.fail("the folder is still held")
