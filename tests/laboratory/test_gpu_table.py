"""The table of what a GPU reaches, from figures that are known."""

from __future__ import annotations

from dataclasses import asdict

import pytest

import gpu


def result(rivals: dict[str, float]) -> dict[str, object]:
    row = gpu.Row(
        network="mlp",
        ns_per_pulse={"program": 3.0, "host": 2.0, "device": 0.1},
        bytes_hz={"program": 5e10, "host": 4e10, "device": 1.5e12},
        block_us={"p50": 20.0, "p99": 30.0},
        rivals_ns_per_pulse=rivals,
        error=2e-7,
        n_off=0,
        remarks=() if rivals else ("onnxruntime: it is not installed",),
    )
    copies = {"host to device": 5e10, "within the device": 1.5e12}
    return {"gpu": "a GPU", "copy_bytes_hz": copies, "rows": [asdict(row)]}


def test_shares_are_of_what_a_copy_reaches() -> None:
    line = gpu.table(result({"onnxruntime": 20.0, "jax": 30.0})).splitlines()[4]
    cells = [each.strip() for each in line.strip("|").split("|")]
    assert cells == ["mlp", "0.1", "2", "3", "50%", "80%", "20", "30", "10", "2.0e-07", "0 of 500"]


def test_what_was_not_there_is_said() -> None:
    told = gpu.table(result({}))
    assert "| nan |" in told
    assert "- mlp: onnxruntime: it is not installed" in told


def test_without_a_gpu_it_stops_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCRIMEN_CUDA_LIBRARY", "/no/such/library.so")
    with pytest.raises(SystemExit, match=r"nothing was measured: no CUDA backend: /no/such/library\.so"):
        gpu.main(["--only", "mlp"])
