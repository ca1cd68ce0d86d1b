"""A command as it is really run: its result, what it says, and whom it keeps off the folder."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from discrimen.errors import OutputError
from discrimen.output.progress import Inside
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


@dataclass
class Bar:
    """Remembers what it is told, instead of a bar on a terminal."""

    told: list[Inside] = field(default_factory=list)

    def inside(self, told: Inside) -> None:
        self.told.append(told)


def test_a_bar_is_told_how_far_a_command_is_and_the_log_stays_clean(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "a.npy", np.full((50, 20), 100, np.int16))
    bar: Any = Bar()
    with only_one(tmp_path) as held:
        arguments = ["inspect", "a.npy", "--sample-period-ns", "2", "--polarity", "negative"]
        status, out = run_command(arguments, tmp_path, log_file=tmp_path / "steps/a.log", held=held, bar=bar)
    assert status == 0
    assert json.loads(out)["n_pulses"] == 50
    assert bar.told[-1] == Inside("reading", 50, 50)
    assert (tmp_path / "steps/a.log").read_text().count("\n") == 1
    assert capfd.readouterr().err == ""


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
