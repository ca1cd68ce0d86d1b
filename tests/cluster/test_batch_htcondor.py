"""Batches for HTCondor, by a stand-in for its programs: no pool can be had for the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cluster.batches import NAMES, submit, write_inputs
from tests.cluster.same_content import content

from discrimen.cli.main import main

STAND_IN = r"""
import re, subprocess, sys
from pathlib import Path

lines = [line for line in Path(sys.argv[1]).read_text().splitlines() if line and not line.startswith("#")]
macros, queued = {}, None
for line in lines:
    if line.startswith("queue "):
        queued = re.fullmatch(r"queue (\w+) from (\S+)", line).groups()
    else:
        name, value = line.split(" = ", 1)
        macros[name] = value

def expanded(text, more):
    return re.sub(r"\$\((\w+)\)", lambda found: expanded({**macros, **more}[found[1]], more), text)

for process, item in enumerate(Path(queued[1]).read_text().splitlines()):
    more = {queued[0]: item, "Cluster": "7", "Process": str(process)}
    told = {name: expanded(value, more) for name, value in macros.items()}
    arguments = told["arguments"].strip('"').split()
    folder = Path(told["initialdir"])
    with (folder / told["output"]).open("w") as out, (folder / told["error"]).open("w") as err:
        subprocess.run([told["executable"], *arguments], stdout=out, stderr=err, cwd="/")
print("submitted to cluster 7.")
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of the stand-ins; what condor_q prints is in the file queue beside them."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "queue").touch()
    (folder / "condor_submit.py").write_text(STAND_IN)
    (folder / "condor_submit").write_text(f'#!/bin/sh\nexec {sys.executable} "{folder}/condor_submit.py" "$@"\n')
    (folder / "condor_q").write_text(f'#!/bin/sh\nexec cat "{folder}/queue"\n')
    for program in folder.glob("condor_*"):
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> tuple[Path, Path, list[Path]]:
    model, files = write_inputs(tmp_path)
    argv = [
        "discrimen",
        "batch",
        "htcondor",
        model,
        *files,
        "-o",
        tmp_path / "sc ores",
        "--jobs",
        tmp_path / "the jobs",
    ]
    monkeypatch.setattr("sys.argv", [*map(str, argv), "--time", "00:10:00", *options])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    return tmp_path / "the jobs", model, files


@pytest.mark.slow
def test_every_run_gets_the_scores_of_a_direct_call(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, model, files = write(tmp_path, monkeypatch, "--files-per-job", "2")
    told = submit(jobs)
    assert (told.returncode, told.stderr) == (0, "")
    assert "submitted to cluster 7." in told.stdout
    command = [
        sys.executable,
        "-m",
        "discrimen",
        "classify",
        model,
        *files,
        "-o",
        tmp_path / "direct",
        "--threads",
        "1",
    ]
    subprocess.run(command, capture_output=True, check=True)
    for name in NAMES:
        assert content(tmp_path / "sc ores" / f"{name}.scores.h5") == content(tmp_path / "direct" / f"{name}.scores.h5")
    logs = next((jobs / "logs").iterdir())
    assert sorted(path.name for path in logs.iterdir()) == [f"7_{n}.{end}" for n in range(3) for end in ("err", "out")]
    (tmp_path / "sc ores" / f"{NAMES[4]}.scores.h5").unlink()
    assert "4 have their scores, 1 to do in 1 jobs" in submit(jobs).stdout
    assert "5 have their scores" in submit(jobs).stdout


def test_jobs_in_the_queue_are_waited_for(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = write(tmp_path, monkeypatch)[0]
    (programs / "queue").write_text("7\n7\n8 held: too long\n")
    told = submit(jobs)
    assert (told.returncode, told.stdout) == (1, "")
    assert (
        told.stderr
        == "submit: jobs of this batch are in the queue (7; 8 held: too long): wait for them, or cancel them\n"
    )


def test_a_refusal_is_one_line_and_leaves_nothing(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = write(tmp_path, monkeypatch)[0]
    (programs / "condor_submit").write_text("#!/bin/sh\necho ERROR: first >&2; echo second >&2; exit 1\n")
    told = submit(jobs)
    assert (told.returncode, told.stderr) == (1, "submit: refused: ERROR: first second\n")
    assert list((jobs / "lists").iterdir()) == list((jobs / "logs").iterdir()) == []
