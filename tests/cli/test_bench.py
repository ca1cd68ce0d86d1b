"""``discrimen bench`` from a user's seat, with next to no time to measure in."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scoring.small_hits_model import write_small_hits_model
from tests.scoring.small_model import write_small_model

from discrimen.cli.main import main

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bench:
    model = write_small_model(tmp_path / "small.discrimen")

    def command(*arguments: str) -> tuple[int, str, str]:
        quick = ["--seconds", "0.01", "--batch", "1,20"]
        monkeypatch.setattr(sys, "argv", ["discrimen", "bench", str(model), *quick, *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return command


def test_bench_prints_a_table_and_leaves_no_file(bench: Bench, tmp_path: Path) -> None:
    status, out, err = bench()
    assert status == 0, err
    for word in ("load average", "ns/signal", "x native", "native (", "numpy", "1.00"):
        assert word in out
    assert [path.name for path in tmp_path.iterdir()] == ["small.discrimen"]


def test_json_is_one_object_and_the_plot_a_picture(bench: Bench, tmp_path: Path) -> None:
    status, out, err = bench("--json", "--plot", str(tmp_path / "times.png"))
    assert status == 0, err
    result = json.loads(out)
    assert result["plot"] == str(tmp_path / "times.png")
    assert (tmp_path / "times.png").read_bytes().startswith(b"\x89PNG")
    native = [row for row in result["times"] if row["backend"] == "native"]
    assert [row["batch_size"] for row in native] == [1, 20]
    assert {"median_ns_per_signal", "low_ns_per_signal", "high_ns_per_signal", "ratio_to_native"} <= set(native[0])


def test_models_of_many_channels_are_told_in_hits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = write_small_hits_model(tmp_path / "hits.discrimen")
    monkeypatch.setattr("discrimen.benchmark.run._BACKENDS", ("native",))
    monkeypatch.setattr("discrimen.benchmark.run._DEFAULT_BYTES", 50_000)
    for how in ([], ["--json", "--plot", str(tmp_path / "times.png")]):
        monkeypatch.setattr(sys, "argv", ["discrimen", "bench", str(model), "--seconds", "0.01", *how])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code in (0, None)
    table, told = capsys.readouterr().out.split("{", maxsplit=1)
    assert "us/hit" in table
    assert "hits/s" in table
    result = json.loads("{" + told)
    assert result["n_channels"] == 37
    assert result["n_samples"] > 10
    assert [row["batch_size"] for row in result["times"]] == [1, 10]
    for row in result["times"]:
        assert row["hits_per_s"] == pytest.approx(1e9 / row["median_ns_per_signal"])
    assert (tmp_path / "times.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("batch", ["1,x", "", "1," + "9" * 5000])
def test_batch_sizes_that_are_no_numbers_are_a_wrong_usage(bench: Bench, batch: str) -> None:
    status, _, err = bench("--batch", batch)
    assert status == 2
    assert "batch sizes" in err


@pytest.mark.parametrize("batch", ["100,1", "0,5", "1,1000000000000"])
def test_batch_sizes_that_do_not_grow_or_end_are_refused(bench: Bench, batch: str) -> None:
    status, _, err = bench("--batch", batch)
    assert status == 1
    assert "batch sizes" in err


def test_the_model_is_not_drawn_over(bench: Bench, tmp_path: Path) -> None:
    before = (tmp_path / "small.discrimen").read_bytes()
    status, _, err = bench("--plot", str(tmp_path / "small.discrimen"))
    assert status == 2, err
    assert (tmp_path / "small.discrimen").read_bytes() == before
