"""Commands on a cluster: the bytes of one process, resumed, with one line for what is wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster
from tests.cluster.same_content import content
from tests.scoring.small_model import long_records, write_run, write_small_model

from discrimen.cluster import classify as cluster_classify
from discrimen.cluster.connection import ClusterWish
from discrimen.cluster.farm import Farm, Outcome
from discrimen.errors import ClusterError, SettingsError

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Address of a scheduler with two workers, which are threads of this process."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address=":0"
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a model and run files, cut into parts of a kilobyte."""
    monkeypatch.setattr("discrimen.cli.cluster_options._MB", 1)
    monkeypatch.setattr("discrimen.formats.compass.binary._BLOCK_BYTES", 4000)
    write_small_model(tmp_path / "model.discrimen")
    for name in ("a.BIN", "b.lh5", "c.root"):
        write_run(tmp_path / name, long_records())
    return tmp_path


def command(folder: Path, output: str, *more: str | Path, files: str = "a.BIN b.lh5 c.root") -> list[str | Path]:
    return [
        "classify",
        folder / "model.discrimen",
        *(folder / each for each in files.split()),
        "-o",
        folder / output,
        *more,
    ]


def assert_same_files(left: Path, right: Path) -> None:
    names = sorted(path.name for path in left.iterdir())
    assert names
    assert sorted(path.name for path in right.iterdir()) == names
    for name in names:
        assert content(left / name) == content(right / name), name


def without_times(file: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in file.items() if name not in ("input", "output", "seconds", "n_pulses_per_s")}


def test_a_cluster_gives_the_bytes_and_the_counts_of_one_process(run: Run, night: Path, scheduler: str) -> None:
    status, alone, _ = run(*command(night, "alone", "--json"))
    assert status == 0
    where = ("--scheduler", scheduler, "--part-mb", "20000")
    status, out, err = run(*command(night, "together", *where, "--json"))
    assert status == 0, err
    assert_same_files(night / "alone", night / "together")
    found, expected = json.loads(out), json.loads(alone)
    assert list(map(without_times, found["files"])) == list(map(without_times, expected["files"]))
    assert found["cluster"]["n_jobs"] > 3
    assert sum(worker["n_pulses"] for worker in found["cluster"]["workers"]) == 3 * 240
    status, out, err = run(*command(night, "together", *where))
    assert (status, out.count("skipped")) == (0, 3)


def test_bad_files_are_told_at_the_end_and_not_in_the_way(run: Run, night: Path, scheduler: str) -> None:
    (night / "b.lh5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    damaged = bytearray((night / "a.BIN").read_bytes())
    damaged[9000:9300] = b"\xff" * 300
    (night / "a.BIN").write_bytes(damaged)
    files = "a.BIN b.lh5 c.root none.BIN"
    status, _, alone = run(*command(night, "alone", files=files))
    assert status == 1
    status, _, err = run(*command(night, "together", "--scheduler", scheduler, "--part-mb", "20000", files=files))
    assert status == 1
    assert_same_files(night / "alone", night / "together")
    last = err.strip().splitlines()[-1]
    assert last == alone.strip().splitlines()[-1]
    assert last.endswith("b.lh5, " + str(night / "none.BIN"))
    assert "damaged event(s) left out" in err


def test_a_file_that_changes_after_its_job_was_made_is_refused(
    run: Run, night: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = cluster_classify._opened

    def opened_later(setup: Any, to_score: Any) -> Any:
        if to_score.path.name == "a.BIN":
            os.utime(to_score.path, ns=(1, 1))
        if to_score.path.name == "c.root":
            to_score.path.unlink(missing_ok=True)
        return real(setup, to_score)

    monkeypatch.setattr(cluster_classify, "_opened", opened_later)
    status, _, err = run(*command(night, "together", "--scheduler", scheduler))
    assert status == 1
    assert "changed since the job was made: input_mtime_ns was" in err
    assert "c.root: there is no such file" in err
    assert [path.name for path in (night / "together").glob("*.h5")] == ["b.lh5.scores.h5"]


def test_a_command_that_lost_its_scheduler_goes_on_with_what_is_missing(
    run: Run, night: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--scheduler", scheduler, "--part-mb", "10000")
    real = Farm.outcomes

    def three(farm: Farm, on_wait: Callable[[], None]) -> Iterator[Outcome]:
        yield from islice(real(farm, on_wait), 3)
        raise ClusterError("the scheduler is gone")

    with monkeypatch.context() as patch:
        patch.setattr(Farm, "outcomes", three)
        status, _, err = run(*command(night, "together", *where, files="a.BIN"))
    assert (status, err.strip().splitlines()[-1]) == (1, "discrimen: the scheduler is gone")
    assert not list((night / "together").glob("*.h5"))
    left = len(list((night / "together" / "a.BIN.scores.h5.parts").glob("part-*.json")))
    assert left >= 3
    status, out, err = run(*command(night, "together", *where, "--json", files="a.BIN"))
    assert status == 0, err
    told = json.loads(out)["cluster"]
    assert told["n_jobs"] <= sum(worker["n_jobs"] for worker in told["workers"]) - 3
    run(*command(night, "alone", files="a.BIN"))
    assert_same_files(night / "alone", night / "together")


@pytest.mark.parametrize("suffix", [".lh5", ".csv"])
def test_files_that_a_cluster_has_read_are_converted_to_the_same(
    run: Run, night: Path, scheduler: str, suffix: str
) -> None:
    files = [night / "a.BIN", night / "c.root"]
    damaged = bytearray(files[0].read_bytes())
    damaged[9000:9300] = b"\xff" * 300
    write_run(night / "d.BIN", long_records())
    (night / "d.BIN").write_bytes(damaged)
    files.append(night / "d.BIN")
    status, alone, _ = run("convert", *files, "-o", night / f"alone{suffix}", "--json")
    assert status == 0
    where = ("--scheduler", scheduler, "--part-mb", "10000")
    status, out, err = run("convert", *files, "-o", night / f"together{suffix}", *where, "--json")
    assert status == 0, err
    assert content(night / f"together{suffix}") == content(night / f"alone{suffix}")
    assert json.loads(out)["inputs"] == json.loads(alone)["inputs"]
    assert json.loads(out)["inputs"][str(night / "d.BIN")]["n_damaged"] == 2
    assert "worker processes" in err
    assert not (night / f"together{suffix}.read").exists()


def test_a_file_that_no_worker_can_read_is_told(run: Run, night: Path, scheduler: str) -> None:
    (night / "b.lh5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    command = ("convert", night / "a.BIN", night / "b.lh5", "-o", night / "together.lh5", "--scheduler", scheduler)
    status, _, err = run(*command)
    assert status == 1
    assert "b.lh5: cannot be read as HDF5" in err.strip().splitlines()[-1]
    assert not (night / "together.lh5").exists()


def test_a_cluster_reads_what_is_labelled(run: Run, night: Path, scheduler: str) -> None:
    for name, where in (("alone", ()), ("together", ("--scheduler", scheduler, "--part-mb", "10000"))):
        labelled = ("label", night / "a.BIN", night / "c.root", "--method", "gamma", "-o", night / f"{name}.lh5")
        status, _, err = run(*labelled, *where)
        assert status == 0, err
    assert content(night / "together.lh5") == content(night / "alone.lh5")


def test_nobody_at_the_address_is_one_line(run: Run, night: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discrimen.cluster.connection._ANSWER_S", 0.2)
    status, _, err = run(*command(night, "together", "--scheduler", "tcp://127.0.0.1:9"))
    assert status == 1
    assert "nobody answers there" in err
    assert "Traceback" not in err
    status, _, err = run(*command(night, "together", "--scheduler", "nonsense"))
    assert (status, "expected an address such as" in err) == (1, True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--workers 2", "does nothing without --scheduler or --cluster"),
        ("--scheduler tcp://a:1 --cluster local", "either --scheduler"),
        ("--scheduler tcp://a:1 --workers 3", "has its workers already"),
        ("--cluster local --cluster-option queue=a", "only --workers"),
        ("--cluster slurm --cluster-option queue", "expected NAME=VALUE"),
        ("--cluster local --plot x.png", "leave it out on a cluster"),
    ],
)
def test_options_that_contradict_or_do_nothing_are_refused(run: Run, night: Path, options: str, told: str) -> None:
    status, _, err = run(*command(night, "together", *options.split(), files="a.BIN"))
    assert status == 2
    assert told in " ".join(err.replace("│", " ").split())


def test_a_wish_names_one_scheduler() -> None:
    with pytest.raises(SettingsError, match="either --scheduler"):
        ClusterWish()
