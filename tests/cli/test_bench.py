"""``discrimen bench`` from a user's seat, with next to no time to measure in."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.classification.small_model import long_records, write_run, write_small_model

from discrimen.cli.main import main

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bench:
    model = write_small_model(tmp_path / "small.discrimen")
    monkeypatch.setattr("discrimen.benchmark.limits.LEAST_BUFFERS_BYTES", 2**20)
    monkeypatch.setattr("discrimen.benchmark.limits.last_cache_bytes", lambda: 2**20)

    def command(*arguments: str) -> tuple[int, str, str]:
        quick = ["--seconds", "0.05", "--batch", "1,20", "-o", str(tmp_path / "out")]
        monkeypatch.setattr(sys, "argv", ["discrimen", "bench", str(model), *quick, *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return command


def test_bench_prints_a_table_and_leaves_files(bench: Bench, tmp_path: Path) -> None:
    status, out, err = bench()
    assert status == 0, err
    for word in ("limits of one thread", "native", "numpy reference", "C++", "not timed: keras on jax"):
        assert word in out
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["bench.json", "small-batches.png", "small-latency.png"]


def test_json_is_one_object_with_what_was_measured(bench: Bench, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run.BIN", long_records())
    status, out, err = bench("--json", "--threads", "1", "--input", str(run))
    assert status == 0, err
    result = json.loads(out)
    (model,) = result["models"]
    assert model["pulses"] == str(run)
    native = [row for row in model["rows"] if row["backend"] == "native"]
    assert [(row["threads"], row["batch_size"]) for row in native] == [(1, 1), (1, 20)]
    assert [limits["threads"] for limits in result["machine"]["limits"]] == [1]


def test_training_needs_to_know_the_architecture(bench: Bench) -> None:
    status, _, err = bench("--train", "--threads", "1")
    assert status == 1
    assert "what architecture" in err


@pytest.mark.parametrize("batch", ["1,x", ""])
def test_batch_sizes_that_are_no_numbers_are_a_wrong_usage(bench: Bench, batch: str) -> None:
    status, _, err = bench("--batch", batch)
    assert status == 2
    assert "batch sizes" in err
