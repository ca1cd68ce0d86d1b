"""``discrimen batch``: what is written for a batch system, and what is refused before anything is written."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cluster.batches import NAMES, submit, write_inputs
from tests.scoring.small_model import write_small_model

from discrimen.cli.main import main
from discrimen.cluster.batch import model_sums
from discrimen.cluster.resources import parse_memory, parse_time, time_text
from discrimen.errors import SettingsError

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Write a batch of the five runs in tmp_path."""
    model, files = write_inputs(tmp_path)
    monkeypatch.chdir(tmp_path)

    def command(system: str, *options: str, files: list[Path] = files, model: Path = model) -> tuple[int, str, str]:
        names = [str(path.relative_to(tmp_path)) for path in files]
        argv = ["discrimen", "batch", system, model.name, *names, "-o", "sc ores", "--jobs", "the jobs", *options]
        monkeypatch.setattr("sys.argv", argv)
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return command


def script(tmp_path: Path, name: str = "job.sh") -> str:
    return (tmp_path / "the jobs" / name).read_text()


def values(text: str) -> dict[str, list[str]]:
    """Return the assignments of a script, as a shell reads them."""
    found = re.findall(r"^(\w+)=(\(.*\)|'.*'|\S*)$", text.split("\nset -", 1)[0], re.MULTILINE)
    return {name: shlex.split(value.removeprefix("(").removesuffix(")")) for name, value in found}


def test_slurm_is_told_what_was_asked(run: Run, tmp_path: Path) -> None:
    asked = ("--time", "1-02:30:00", "--memory", "1.5G", "--cpus", "4", "--partition", "long", "--gpus", "1")
    status, out, err = run("slurm", *asked, "--most-at-once", "3", "--directive", "--account=neda", "--json")
    assert status == 0, err
    assert json.loads(out)["n_jobs"] == 5
    lines = [line.removeprefix("#SBATCH ") for line in script(tmp_path).splitlines() if line.startswith("#SBATCH")]
    assert set(lines) == {
        "--job-name=discrimen", "--time=1-02:30:00", "--mem=1536M", "--nodes=1", "--ntasks=1", "--cpus-per-task=4",
        "--partition=long", "--gres=gpu:1", "--account=neda",
    }  # fmt: skip
    assert lines[-1] == "--account=neda"  # behind all others: the last one wins
    assert values(script(tmp_path))["options"] == ["--threads", "4"]
    assert values(script(tmp_path, "submit"))["at_once"] == ["%3"]


@pytest.mark.parametrize("system", ["slurm", "htcondor"])
def test_scripts_are_sound_and_paths_absolute(run: Run, tmp_path: Path, system: str) -> None:
    assert run(system, "--time", "00:10:00", "--options", "--threshold 0.7 --settings 'my detector.yaml'")[0] == 0
    for shell, name in (("bash", "job.sh"), ("sh", "submit")):
        checked = subprocess.run([shell, "-n", tmp_path / "the jobs" / name], capture_output=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, b"")
    found = values(script(tmp_path))
    assert found["model"] == [str(tmp_path / "the model.discrimen")]
    assert found["output"] == [str(tmp_path / "sc ores")]
    assert found["options"] == ["--threads", "1", "--threshold", "0.7", "--settings", "my detector.yaml"]
    assert found["start_folder"] == [str(tmp_path)]
    assert found["enter"] == []  # whatever the shell that submits has under this name
    assert Path(found["command"][0]).is_absolute()
    pairs = [line.split("\t") for line in script(tmp_path, "files.txt").splitlines()]
    assert pairs == [
        [str(tmp_path / "runs of today" / name), str(tmp_path / "sc ores" / f"{name}.scores.h5")] for name in NAMES
    ]


def test_htcondor_is_told_what_was_asked(run: Run, tmp_path: Path) -> None:
    asked = ("--time", "02:00:00", "--memory", "2G", "--disk", "3G", "--cpus", "2", "--most-at-once", "7")
    assert run("htcondor", *asked, "--directive", "+MaxRuntime = 7200")[0] == 0
    told = dict(line.split(" = ", 1) for line in script(tmp_path, "job.sub").splitlines() if not line.startswith("#"))
    assert told["executable"] == f"{tmp_path}/the jobs/job.sh"
    assert told["initialdir"] == f"{tmp_path}/the jobs"
    assert (told["request_memory"], told["request_disk"], told["request_cpus"]) == ("2048MB", "3072MB", "2")
    assert (told["allowed_execute_duration"], told["max_materialize"]) == ("7200", "7")
    assert (told["universe"], told["+MaxRuntime"]) == ("vanilla", "7200")


def test_a_container_sees_every_folder_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "my image.sif").touch()
    assert run("slurm", "--time", "00:10:00", "--container", "my image.sif", "--gpus", "1")[0] == 0
    entered = next(line for line in script(tmp_path).splitlines() if line.startswith("enter=("))
    words = shlex.split(entered.removeprefix("enter=(").removesuffix(")"))
    assert words == ["$enter", "exec", "--nv", "--bind", str(tmp_path), str(tmp_path / "my image.sif")]
    assert values(script(tmp_path))["command"] == ["discrimen"]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ((), ["universe = container", "container_image = docker://host/discrimen:1"]),
        (("--container-by", "attribute"), ["universe = vanilla", '+SingularityImage = "docker://host/discrimen:1"']),
    ],
)
def test_htcondor_has_two_ways_into_a_container(
    run: Run, tmp_path: Path, how: tuple[str, ...], expected: list[str]
) -> None:
    assert run("htcondor", "--time", "00:10:00", "--container", "docker://host/discrimen:1", *how)[0] == 0
    assert script(tmp_path, "job.sub").splitlines()[1:3] == expected
    assert values(script(tmp_path))["command"] == ["discrimen"]


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (("--time", "30:00"), 2, "expected HH:MM:SS"),
        (("--time", "90"), 2, "expected HH:MM:SS"),
        (("--time", "1-25:00:00"), 2, "expected HH:MM:SS"),
        (("--time", "00:00:30"), 2, "30 s is too short"),
        (("--memory", "4"), 2, "expected a number with its unit"),
        (("--memory", "4K"), 2, "less than the 128 MiB"),
        (("--partition", "a b"), 1, "without blanks"),
        (("--directive", "account=neda"), 1, "an option of sbatch"),
        (("--directive", "--a\n#SBATCH --b"), 1, "printable"),
        (("--options", "--treshold 0.7"), 2, "--options: No such option: --treshold"),
        (("--options", "--threshold '0.7"), 2, "--options: No closing quotation"),
        (("--options", "--to xyz"), 2, "--options: Invalid value for '--to'"),
        (("--options", "--plot run.png"), 2, "--options: 5 files need a folder of pictures"),
        (("--options", "-o elsewhere"), 2, "--options: run files and -o stand for themselves"),
        (("--options", "--json"), 2, "--options: run files and -o stand for themselves"),
        (("--container", "absent.sif"), 1, "there is no such image"),
        (("--files-per-job", "0"), 2, "--files-per-job"),
    ],
)
def test_what_cannot_be_is_refused(run: Run, tmp_path: Path, options: tuple[str, ...], status: int, said: str) -> None:
    ended, out, err = run("slurm", "--time", "00:10:00", *options)
    assert (ended, out) == (status, "")
    assert said in " ".join(err.replace("│", " ").split())
    assert not (tmp_path / "the jobs").exists()


def test_inputs_that_are_not_there_are_refused(run: Run, tmp_path: Path) -> None:
    time = ("--time", "00:10:00")
    assert "there is no such run file (1 of 1 " in run("slurm", *time, files=[tmp_path / "gone.BIN"])[2]
    assert "Missing argument 'files'" in run("slurm", *time, files=[])[2]
    assert "there is no model of this name" in run("slurm", *time, model=tmp_path / "gone.discrimen")[2]
    (tmp_path / "bad.discrimen").write_bytes(b"no model")
    assert "bad.discrimen" in run("slurm", *time, model=tmp_path / "bad.discrimen")[2]
    (tmp_path / "a\tb.BIN").touch()
    assert "a tab or line break" in run("slurm", *time, files=[tmp_path / "a\tb.BIN"])[2]
    (tmp_path / "the jobs").mkdir()
    (tmp_path / "the jobs" / "notes").touch()
    assert "holds other things than a batch" in run("slurm", *time)[2]
    assert [path.name for path in (tmp_path / "the jobs").iterdir()] == ["notes"]


@pytest.mark.parametrize("letter", ['"', "$"])
def test_htcondor_refuses_folders_that_it_takes_apart(run: Run, tmp_path: Path, letter: str) -> None:
    odd = tmp_path / f"odd {letter}"
    odd.mkdir()
    status, _, err = run("htcondor", "--time", "00:10:00", "--jobs", str(odd))
    assert (status, "choose another" in err) == (1, True)


def test_scores_of_another_model_are_not_taken_for_done(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sc ores").mkdir()
    (tmp_path / "sc ores" / f"{NAMES[0]}.scores.h5").write_bytes(b"")
    status, _, err = run("slurm", "--time", "00:10:00")
    assert (status, len(err.splitlines())) == (1, 1)
    assert "holds no scores" in err
    assert not (tmp_path / "the jobs").exists()


def test_submitting_says_what_is_missing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("slurm", "--time", "00:10:00", "--files-per-job", "2")[0] == 0
    jobs, scores = tmp_path / "the jobs", tmp_path / "sc ores"
    scores.mkdir()
    (scores / f"{NAMES[3]}.scores.h5").touch()
    (tmp_path / "runs of today" / NAMES[0]).unlink()
    told = submit(jobs, "-n")
    assert told.returncode == 1
    assert told.stdout == "5 run files: 1 have their scores, 3 to do in 2 jobs, 1 gone\n"
    assert told.stderr == f"submit: {tmp_path}/runs of today/{NAMES[0]}: cannot be read (any more), left out\n"
    assert list((jobs / "lists").iterdir()) == []
    (tmp_path / "programs").mkdir()
    for name in ("date", "sh", "sed", "tr", "sort", "tail", "mkdir", "rm", "ls", "sha256sum"):
        (tmp_path / "programs" / name).symlink_to(Path("/usr/bin") / name)
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))
    refused = submit(jobs)
    assert (refused.returncode, refused.stderr) == (
        1, "submit: sbatch is not there; run this where jobs are submitted\n"
    )  # fmt: skip


def test_a_changed_model_is_refused(run: Run, tmp_path: Path) -> None:
    assert run("slurm", "--time", "00:10:00")[0] == 0
    write_small_model(tmp_path / "the model.discrimen", seed=3)
    told = submit(tmp_path / "the jobs")
    assert (told.returncode, told.stdout) == (1, "")
    assert "the model is not the one for which this batch was written" in told.stderr


def test_all_files_of_a_model_are_summed(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    for name in ("model.keras", "description.json", "part/a.discrimen", "training.png"):
        (tmp_path / name).write_text(name)
    names = [line.split("  ")[1] for line in model_sums(tmp_path).splitlines()]
    assert names == [str(tmp_path / name) for name in ("description.json", "model.keras", "part/a.discrimen")]
    with pytest.raises(SettingsError, match="no model"):
        model_sums(tmp_path / "absent")


def test_times_and_memory_go_there_and_back() -> None:
    assert parse_time("2-03:04:05") == 183_845
    assert parse_time("100:00:00") == 360_000
    assert time_text(183_845) == "2-03:04:05"
    assert time_text(parse_time("100:00:00")) == "4-04:00:00"
    assert [parse_memory(text) for text in ("2G", "2 GiB", "500MB", "0.5t")] == [2048, 2048, 500, 524_288]
