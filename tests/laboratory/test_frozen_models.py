"""The laboratory's script from a user's seat, with next to no time to measure in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.scoring.small_model import write_small_model

from frozen_models import main

Bench = Callable[..., tuple[int | str, str, str]]
"""Gives exit status or what is said of an error, standard output, standard error."""


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bench:
    model = write_small_model(tmp_path / "small.discrimen")
    monkeypatch.setattr("laboratory.limits.LEAST_BUFFERS_BYTES", 2**20)
    monkeypatch.setattr("laboratory.limits.last_cache_bytes", lambda: 2**20)

    def command(*arguments: str) -> tuple[int | str, str, str]:
        quick = ["--seconds", "0.05", "--batch", "1,20", "-o", str(tmp_path / "out")]
        status: int | str = 0
        try:
            main([str(model), *quick, *arguments])
        except SystemExit as ended:
            status = ended.code or 0
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return command


def test_bench_prints_a_table_and_leaves_files(bench: Bench, tmp_path: Path) -> None:
    status, out, err = bench()
    assert status == 0, err
    for word in ("limits of one thread", "native", "numpy reference", "C++", "not timed: keras on jax"):
        assert word in out
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["bench.json", "small-batches.png", "small-latency.png"]


@pytest.mark.slow
def test_json_is_one_object_with_what_was_measured(bench: Bench) -> None:
    status, out, err = bench("--json", "--threads", "1")
    assert status == 0, err
    result = json.loads(out)
    (model,) = result["models"]
    native = [row for row in model["rows"] if row["backend"] == "native"]
    assert [(row["threads"], row["batch_size"]) for row in native] == [(1, 1), (1, 20)]
    assert [limits["threads"] for limits in result["machine"]["limits"]] == [1]


def test_training_needs_to_know_the_architecture(bench: Bench) -> None:
    status, _, _ = bench("--train", "--threads", "1")
    assert "what architecture" in str(status)


@pytest.mark.parametrize("batch", ["1,x", ""])
def test_batch_sizes_that_are_no_numbers_are_a_wrong_usage(bench: Bench, batch: str) -> None:
    status, _, err = bench("--batch", batch)
    assert status == 2
    assert "batch" in err


def test_a_folder_that_is_no_model_is_refused_before_anything_is_measured(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    status, out, _ = bench("--keras", str(tmp_path / "empty"))
    assert "expected the folder of a trained model" in str(status)
    assert out == ""
    assert not (tmp_path / "out").exists()


def test_the_folder_of_another_model_is_refused(bench: Bench, tmp_path: Path) -> None:
    from discrimen.network.frozen_file import read_frozen
    from discrimen.network.model_description import write_description

    description = read_frozen(tmp_path / "small.discrimen").description
    other = replace(description, preparation=replace(description.preparation, scale="area"))
    folder = tmp_path / "another"
    folder.mkdir()
    (folder / "model.keras").write_bytes(b"not read")
    write_description(other, folder / "model.json")
    status, _, _ = bench("--keras", str(folder))
    assert "was not frozen from this folder (the preparation differs)" in str(status)


@pytest.mark.parametrize("batch", ["100,1", "0,5", "1,1000000000000"])
def test_absurd_batch_sizes_are_refused(bench: Bench, batch: str) -> None:
    status, _, _ = bench("--batch", batch)
    assert "batch sizes" in str(status)


def test_batches_beyond_the_memory_are_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("laboratory.fitting.available_memory_bytes", lambda: 1000)
    status, _, _ = bench("--batch", "1,100")
    assert "a batch of 100 pulses takes" in str(status)
