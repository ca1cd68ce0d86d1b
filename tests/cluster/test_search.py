"""Trials of a search on workers: the study stays here, and nothing that dies elsewhere costs a trial."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distributed import LocalCluster
from tests.search.conftest import fake_training as fake_training
from tests.search.small_search import CONFIG, SPACE, search, small_dataset

import discrimen.cluster.search as cluster_search
import discrimen.cluster.trial as cluster_trial
import discrimen.search.trial as trial_module
from discrimen.cluster.connection import ClusterWish, connected
from discrimen.cluster.farm import Farm, Job, Outcome
from discrimen.cluster.receipt import Receipt
from discrimen.cluster.search import TrialsOnFarm
from discrimen.cluster.trial import FileWatch, SearchSetup
from discrimen.errors import ClusterError, DataError, SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.formats.inputs import InputOptions
from discrimen.formats.table import open_reader, open_writer
from discrimen.runs.dataset import Dataset, load_dataset
from discrimen.search import SearchConfig, SearchResult, parse_space
from discrimen.search.candidate import Candidate
from discrimen.search.task import SearchTask

ALL = 12
"""More than the ten that are drawn at random."""


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """A farm with two workers, which are threads of this process."""
    with (
        pytest.MonkeyPatch.context() as patch,
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address=":0"
        ) as cluster,
    ):
        patch.setenv("NPROC", "1")
        patch.setattr("discrimen.cluster.connection._ANSWER_S", 60.0)
        patch.setattr("discrimen.cluster.farm._LOOK_S", 0.002)
        patch.setattr(cluster_search, "_LOOK_S", 0.01)
        where = ClusterWish(scheduler=cluster.scheduler_address)
        with connected(where, log_folder=tmp_path_factory.mktemp("logs")) as connection:
            yield Farm(connection)


def write(path: Path, dataset: Dataset) -> Path:
    with open_writer(path, dataset.settings) as writer:
        writer.write(dataset.pulses)
    return path


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "toy.lh5", small_dataset())


def loaded(path: Path) -> Dataset:
    return load_dataset([open_reader(path, ReadOptions())])


def trials_on(farm: Any, path: Path, *, workers: int = 2, **changes: Any) -> TrialsOnFarm:
    space = changes.pop("space", SPACE)
    setup = SearchSetup(
        files=(path,),
        inputs=InputOptions(read=ReadOptions(), format_name=None),
        space=space,
        config=SearchConfig(trials=changes.pop("trials", ALL), **(CONFIG | changes)),
    )
    return TrialsOnFarm(farm, setup, n_workers=lambda: workers)


def search_on(farm: Any, toy: Path, folder: Path, trials: int = ALL, *, workers: int = 2, **how: Any) -> SearchResult:
    on_trial = how.pop("on_trial", lambda _row, _result: None)
    run_trials = trials_on(farm, toy, workers=workers, trials=trials, **how)
    return search(folder, trials, dataset=loaded(toy), on_trial=on_trial, run_trials=run_trials, **how)


def told(result: SearchResult) -> list[tuple[Any, ...]]:
    return [(row.state, dict(row.parameters), row.objective) for row in result.trials]


def learning_rates(result: SearchResult) -> set[float]:
    return {float(str(row.parameters["training.learning_rate"])) for row in result.trials}


@pytest.mark.usefixtures("fake_training")
def test_one_worker_makes_the_search_of_one_process(farm: Farm, toy: Path, tmp_path: Path) -> None:
    far = search_on(farm, toy, tmp_path / "far", workers=1)
    assert told(far) == told(search(tmp_path / "near", ALL, dataset=loaded(toy)))
    (best,) = far.best
    assert [place.name for place in (tmp_path / "far" / "trials").iterdir()] == [f"{best.number:04d}"]
    assert (tmp_path / "far" / "best" / "model.json").read_text() == f"trial {best.number}"
    assert not (tmp_path / "far" / "open").exists()


@pytest.mark.usefixtures("fake_training")
def test_three_workers_have_three_trials_that_differ_and_one_process_goes_on(
    farm: Farm, toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_open, hand_in = [], farm.hand_in

    def counted(job: Job) -> None:
        hand_in(job)
        n_open.append(len(farm))

    monkeypatch.setattr(farm, "hand_in", counted)
    result = search_on(farm, toy, tmp_path / "s", workers=3)
    assert n_open == [1, 2] + [3] * (ALL - 2)
    assert [row.number for row in result.trials] == list(range(ALL))
    assert len(learning_rates(result)) == ALL
    assert result.trials[0].parameters == {"architecture": "mlp", "mlp.hidden": "10,4", "training.learning_rate": 0.001}
    further = search(tmp_path / "s", ALL + 2, dataset=loaded(toy))
    assert told(further)[:ALL] == told(result)
    assert len(learning_rates(further)) == ALL + 2


@pytest.mark.usefixtures("fake_training")
def test_a_training_that_others_outdo_ends_on_its_worker(
    farm: Farm, toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, hear, heard = FileWatch.report, cluster_search._OpenTrial.hear, set()

    def tell_and_wait(self: FileWatch, value: float, step: int) -> None:
        report(self, value, step)
        deadline_s = time.monotonic() + 5
        while step > 4 and (self._path, step) not in heard and not self._gone and time.monotonic() < deadline_s:
            time.sleep(0.001)

    def hear_all(self: Any, **how: Any) -> None:
        told_now = {(self.wanted.losses, epoch) for epoch, _ in cluster_search._read_losses(self.wanted.losses)}
        hear(self, **how)
        heard.update(told_now)

    monkeypatch.setattr(FileWatch, "report", tell_and_wait)
    monkeypatch.setattr(cluster_search._OpenTrial, "hear", hear_all)
    space = parse_space({"architectures": {"mlp": None}, "training": {"learning_rate": [0.004, 0.005, 1e-9]}})
    result = search_on(farm, toy, tmp_path / "s", 10, space=space, pruner="median", epochs=9)
    pruned = [row for row in result.trials if row.state == "pruned"]
    assert pruned
    assert {row.parameters["training.learning_rate"] for row in pruned} == {1e-9}
    assert all(row.objective is None and row.epochs in (5, 6) for row in pruned)
    assert result.best[0].parameters["training.learning_rate"] == 0.004


@pytest.mark.usefixtures("fake_training")
def test_ctrl_c_ends_trainings_and_the_same_command_goes_on(
    farm: Farm, toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, ended = trial_module._measure, []

    def endless(trial: Any, candidate: Candidate, task: SearchTask, place: Path) -> list[float]:
        epoch = 0
        while trial.number == 2 and not trial.watch.should_prune():
            epoch += 1
            trial.watch.report(1.0, epoch)
            time.sleep(0.005)
        ended.append(trial.number)
        return real(trial, candidate, task, place)

    def after_two(_: object, result: SearchResult) -> None:
        if len(result.trials) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(trial_module, "_measure", endless)
    stopped = search_on(farm, toy, tmp_path / "s", 4, on_trial=after_two)
    assert stopped.interrupted
    assert json.loads((tmp_path / "s" / "report.json").read_text())["interrupted"] is True
    monkeypatch.setattr(trial_module, "_measure", real)
    gone_on = search_on(farm, toy, tmp_path / "s", 4)
    assert [row.number for row in gone_on.trials] == [0, 1, 3, 4]
    assert 2 in ended
    assert len(farm) == 0


@pytest.mark.usefixtures("fake_training")
def test_a_worker_that_reads_other_pulses_ends_the_search(farm: Farm, toy: Path, tmp_path: Path) -> None:
    other = trials_on(farm, write(tmp_path / "toy.lh5", small_dataset(seed=1)), trials=2)
    with pytest.raises(ClusterError, match=r"reads other pulses than .* \(sha256 is \w{64}, expected \w{64}\)"):
        search(tmp_path / "s", 2, dataset=loaded(toy), run_trials=other)


def test_points_that_cannot_be_trained_count_as_impossible(
    farm: Farm, toy: Path, tmp_path: Path, fake_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impossible(*_: object) -> None:
        raise SettingsError("the window is too short")

    monkeypatch.setattr(trial_module, "_measure", impossible)
    for pareto in (False, True):
        with pytest.raises(DataError, match="none of 2 trials came to an end: the window is too short"):
            search_on(farm, toy, tmp_path / str(pareto), 2, pareto=pareto)


@pytest.mark.usefixtures("fake_training")
def test_models_of_a_front_are_timed_by_the_machine_of_the_command(
    farm: Farm, toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed, timed_by_workers, real = [], [], trial_module._measure

    def noting(trial: Any, *others: Any) -> list[float]:
        timed_by_workers.append(trial.timed)
        return real(trial, *others)

    def time_model(place: Path, *, seed: int) -> float:
        timed.append(place)
        return 20.0 + len(timed)

    monkeypatch.setattr(trial_module, "_measure", noting)
    monkeypatch.setattr(trial_module, "native_ns_per_pulse", time_model)
    result = search_on(farm, toy, tmp_path / "s", 3, pareto=True)
    assert timed_by_workers == [False] * 3
    assert sorted(timed) == [tmp_path / "s" / "trials" / f"{number:04d}" for number in range(3)]
    assert {row.native_ns_per_pulse for row in result.trials} <= {21.0, 22.0, 23.0}


class ScriptedFarm:
    """A farm whose jobs end as a script says."""

    def __init__(self, end: Callable[[Job], Outcome]) -> None:
        self._end = end
        self._jobs: list[Job] = []

    def hand_in(self, job: Job) -> None:
        self._jobs.append(job)

    def forget(self, name: str) -> None:
        pass

    def outcomes(self, on_wait: Callable[[], None]) -> Iterator[Outcome]:
        while self._jobs:
            on_wait()
            yield self._end(self._jobs.pop(0))


def came_back(job: Job, **result: Any) -> Outcome:
    attributes = {"seconds": 1.0, **result.pop("attributes", {})}
    done = {"values": None, "place": "0000-ab", "attributes": attributes, **result}
    return Outcome(job, Receipt.here(job.identity, n_pulses=1, seconds=1.0, result=done))


def test_a_trial_of_which_workers_die_is_impossible(toy: Path, tmp_path: Path) -> None:
    farm = ScriptedFarm(lambda job: Outcome(job, None, "its workers ended 30 times", given_up=True))
    with pytest.raises(DataError, match="none of 2 trials came to an end: its workers ended 30 times"):
        search_on(farm, toy, tmp_path / "s", 2)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"values": [-1.0]}, "0000-ab: not there"),
        ({"attributes": {"reason": trial_module.PRUNED}}, "0000.losses: there, but a worker does not see it"),
    ],
)
def test_machines_that_do_not_share_the_folder_are_told(
    toy: Path, tmp_path: Path, result: dict[str, Any], said: str
) -> None:
    farm = ScriptedFarm(lambda job: came_back(job, **result))
    with pytest.raises(ClusterError, match=f"{said}.*must lie on a file system that all machines share"):
        search_on(farm, toy, tmp_path / "s", 2)


def test_losses_are_told_in_a_file_until_it_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "losses"
    path.write_text("1 0.5\n2 0.4\n")
    watch = FileWatch(path)
    assert path.read_text() == ""
    watch.report(np.float64(0.1), 1)
    watch.report(float("nan"), 2)
    assert not watch.should_prune()
    with path.open("a") as stream:
        stream.write("3 0.")
    (first, second) = cluster_search._read_losses(path)
    assert first == (1, 0.1)
    assert second[1] != second[1]
    path.write_bytes(path.read_bytes() + bytes(20) + b"\n")
    assert cluster_search._read_losses(path) == []
    path.unlink()
    assert cluster_search._read_losses(path) == []
    watch.report(0.05, 3)
    assert watch.should_prune()
    assert not path.exists()
    assert FileWatch(path).should_prune()


@pytest.mark.usefixtures("fake_training")
def test_a_data_set_is_read_once_by_a_process(
    farm: Farm, toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, reads = SearchSetup.task, []

    def read(self: SearchSetup) -> Any:
        reads.append(self.files)
        return real(self)

    monkeypatch.setattr(cluster_trial, "_held", [])
    monkeypatch.setattr(SearchSetup, "task", read)
    search_on(farm, toy, tmp_path / "s", 4)
    assert reads == [(toy,)]


@pytest.mark.slow
def test_a_worker_that_is_killed_in_a_training_costs_time_and_no_trial(toy: Path, tmp_path: Path) -> None:
    killed: list[int] = []
    with connected(ClusterWish(kind="local", n_workers=2), log_folder=tmp_path) as connection:
        client = connection.client
        client.wait_for_workers(2, timeout=60)
        farm = Farm(connection)

        def kill_one(_open: int, _workers: int) -> None:
            busy = [address for address, keys in client.processing().items() if keys]
            if not killed and busy and any(path.read_text() for path in (tmp_path / "s" / "open").glob("*.losses")):
                killed.append(client.run(os.getpid, workers=busy[:1])[busy[0]])
                os.kill(killed[0], signal.SIGKILL)

        how: dict[str, Any] = {"epochs": 15}
        setup = trials_on(farm, toy, trials=4, **how)._setup
        n_workers = client.scheduler_info
        run_trials = TrialsOnFarm(farm, setup, n_workers=lambda: len(n_workers()["workers"]), on_wait=kill_one)
        result = search(tmp_path / "s", 4, dataset=loaded(toy), run_trials=run_trials, **how)
    assert len(killed) == 1
    assert farm.n_again >= 1
    assert [(row.number, row.state, row.epochs) for row in result.trials] == [(n, "complete", 15) for n in range(4)]
    assert (tmp_path / "s" / "best" / "model.keras").is_file()
    assert not (tmp_path / "s" / "open").exists()


@pytest.mark.slow
def test_a_search_whose_own_process_is_killed_goes_on(toy: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "discrimen", "search", toy, "-o", tmp_path / "s", "--all-energies", "--accept"]
    command += ["--architecture", "mlp", "--epochs", "8", "--trials", "4", "--cluster", "local", "--workers", "2"]
    with subprocess.Popen([*map(str, command)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as first:
        deadline_s = time.monotonic() + 200
        while not list((tmp_path / "s").glob("trials/*/model.json")) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        first.kill()
    assert not (tmp_path / "s" / "report.json").exists()
    subprocess.run([*map(str, command)], check=True, timeout=250, capture_output=True)
    rows = json.loads((tmp_path / "s" / "report.json").read_text())["trials"]
    assert len(rows) == 4
    assert {row["number"] for row in rows} != set(range(4))  # those that were open have a number no more
