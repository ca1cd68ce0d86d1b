"""Jobs on a farm: done once, whatever dies, is lost or is not told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from distributed.scheduler import KilledWorker

from discrimen.cluster.connection import Connection
from discrimen.cluster.farm import Farm, Job, Work, do_job, own_version
from discrimen.cluster.receipt import Receipt, find_receipt
from discrimen.errors import ClusterError, FormatError

IDENTITY = {"input_bytes": "10", "model_sha256": "ab"}


def count_pulses(n_pulses: int) -> Work:
    if n_pulses < 0:
        raise FormatError("expected a positive number", "run.BIN")
    return Work(n_pulses, {"n": n_pulses})


def job(tmp_path: Path, n_pulses: int = 5, *, name: str = "a") -> Job:
    return Job(
        name=name, call=count_pulses, arguments=(n_pulses,), identity=IDENTITY, receipt=tmp_path / f"{name}.json"
    )


@dataclass
class FakeFuture:
    """A future that is what a script says."""

    key: str
    status: str
    value: Any = None

    def result(self, timeout: float = 0) -> Any:
        return self.value

    def exception(self) -> Any:
        return self.value

    def cancel(self) -> None:
        self.status = "cancelled"


@dataclass
class FakeClient:
    """A client whose futures follow a script, one entry a submission; the last one is done as it should be."""

    script: list[Callable[[Job], tuple[str, Any]]]
    status: str = "running"
    n_submitted: int = 0
    known: dict[str, str | None] = field(default_factory=dict)

    def submit(self, call: Callable[..., Any], job: Job, version: str, *, key: str, **_: Any) -> FakeFuture:
        step = self.script[min(self.n_submitted, len(self.script) - 1)]
        self.n_submitted += 1
        assert call is do_job
        status, value = step(job) if step is not really else ("finished", do_job(job, version))
        return FakeFuture(key, status, value)

    def run_on_scheduler(self, _: Any, keys: list[str]) -> dict[str, str | None]:
        return {key: self.known.get(key) for key in keys}


def really(_: Job) -> tuple[str, Any]:
    raise AssertionError


def died(_: Job) -> tuple[str, Any]:
    return "error", KilledWorker("task", None, 0)


def lost(_: Job) -> tuple[str, Any]:
    return "lost", None


def never_told(_: Job) -> tuple[str, Any]:
    return "pending", None


def done_but_lost(job: Job) -> tuple[str, Any]:
    do_job(job, own_version())
    return "cancelled", None


@pytest.mark.parametrize(
    ("script", "n_again"),
    [([really], 0), ([died, died, really], 2), ([lost, died, really], 2), ([done_but_lost], 0)],
)
def test_a_job_comes_back_once(tmp_path: Path, script: list[Any], n_again: int) -> None:
    farm = Farm(Connection(FakeClient(script)))
    farm.hand_in(job(tmp_path))
    (outcome,) = farm.outcomes()
    assert outcome.receipt is not None
    assert outcome.receipt.n_pulses == 5
    assert outcome.receipt == find_receipt(tmp_path / "a.json", IDENTITY)
    assert farm.n_again == n_again
    assert len(farm) == 0


def test_a_job_that_kills_its_workers_is_given_up_and_the_next_is_done(tmp_path: Path) -> None:
    farm = Farm(Connection(FakeClient([died] * 4 + [really])), most_deaths=3)
    farm.hand_in(job(tmp_path))
    outcomes = []
    for outcome in farm.outcomes():
        outcomes.append(outcome)
        if outcome.job.name == "a":
            farm.hand_in(job(tmp_path, name="b"))
    assert [outcome.receipt is None for outcome in outcomes] == [True, False]
    assert "its workers ended 3 times" in outcomes[0].fault


def test_a_fault_of_the_input_is_told_and_not_tried_again(tmp_path: Path) -> None:
    client = FakeClient([really])
    farm = Farm(Connection(client))
    farm.hand_in(job(tmp_path, -1))
    (outcome,) = farm.outcomes()
    assert outcome.fault == "run.BIN: expected a positive number"
    assert client.n_submitted == 1
    assert not list(tmp_path.iterdir())


def test_a_job_that_the_scheduler_does_not_know_is_handed_in_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("discrimen.cluster.farm._ASK_SCHEDULER_S", 0.0)
    client = FakeClient([never_told, really])
    farm = Farm(Connection(client))
    farm.hand_in(job(tmp_path))
    (outcome,) = farm.outcomes()
    assert outcome.receipt is not None
    assert (client.n_submitted, farm.n_again) == (2, 1)


def test_a_job_that_still_runs_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discrimen.cluster.farm._ASK_SCHEDULER_S", 0.0)
    client = FakeClient([never_told])
    farm = Farm(Connection(client))
    farm.hand_in(job(tmp_path))
    (_, future) = farm._waiting["a"]
    client.known[future.key] = "processing"
    waits = 0

    def end_after_some() -> None:
        nonlocal waits
        waits += 1
        if waits == 5:
            future.status, future.value = "finished", do_job(job(tmp_path), own_version())

    (outcome,) = farm.outcomes(end_after_some)
    assert outcome.receipt is not None
    assert (client.n_submitted, farm.n_again) == (1, 0)


def test_a_scheduler_that_is_gone_ends_the_farm(tmp_path: Path) -> None:
    client = FakeClient([never_told])
    farm = Farm(Connection(client))
    farm.hand_in(job(tmp_path))
    client.status = "closed"
    with pytest.raises(ClusterError, match="the scheduler is gone, with 1 jobs to do; start the same command again"):
        list(farm.outcomes())


def test_a_worker_of_another_version_does_nothing(tmp_path: Path) -> None:
    told = do_job(job(tmp_path), "0.0.9")
    assert isinstance(told, str)
    assert "0.0.9 handed the job in" in told
    assert not list(tmp_path.iterdir())


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    first = do_job(job(tmp_path), own_version())
    assert isinstance(first, Receipt)
    assert do_job(job(tmp_path, -1), own_version()) == first


def test_a_receipt_whose_file_is_gone_is_none(tmp_path: Path) -> None:
    made = replace(job(tmp_path), leaves=(tmp_path / "scores.h5",))
    Receipt.here(IDENTITY, n_pulses=1, seconds=0.1).leave(made.receipt)
    assert made.done() is None
    (tmp_path / "scores.h5").touch()
    assert made.done() is not None


@pytest.mark.parametrize("text", ["", "{}", '{"identity": 3}', "\x00"])
def test_half_a_receipt_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    assert find_receipt(tmp_path / "a.json", IDENTITY) is None


def test_a_receipt_of_another_input_is_none(tmp_path: Path) -> None:
    Receipt.here(IDENTITY, n_pulses=1, seconds=0.1).leave(tmp_path / "a.json")
    assert find_receipt(tmp_path / "a.json", IDENTITY) is not None
    assert find_receipt(tmp_path / "a.json", {**IDENTITY, "input_bytes": "11"}) is None
