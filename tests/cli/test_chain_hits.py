"""The time budget of an array of crystals adds up, and its answer follows from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.scoring.small_hits_model import write_small_hits_model
from tests.scoring.small_model import write_small_model

pytest.importorskip("zmq", reason="NO ZEROMQ: pip install 'discrimen[online]'")

from discrimen.cli.chain_hits import hit_chain_lines
from discrimen.errors import SettingsError
from discrimen.online.hit_chain import HIT_STEPS, LOCATING, CrystalArray, HitChain, HitChains

Run = Callable[..., tuple[int, str, str]]


def chains_of(*, ns: float, n_crystals: int = 10, n_cores: int = 2) -> HitChains:
    """Return a chain whose steps all take equally long."""
    model = HitChain(
        model="m",
        backend="native",
        n_channels=37,
        n_samples=60,
        step_ns=dict.fromkeys(HIT_STEPS, ns),
        hit_bytes={"run": 5000.0, "hits": 4000.0, "positions": 50.0},
    )
    array = CrystalArray(n_crystals=n_crystals, rate_hz=20_000.0, run_s=50.0)
    return HitChains(array=array, models=(model,), n_cores=n_cores)


def test_cores_are_rate_times_time_of_the_steps() -> None:
    chains = chains_of(ns=4000.0)
    (model,) = chains.models
    # 200,000 hits/s of 5 x 4 us are 4 s of cores in each second.
    assert model.n_cores(chains.array) == pytest.approx(4.0)
    assert model.n_cores(chains.array, LOCATING) == pytest.approx(2.4)
    told = chains.as_dict()["models"][0]
    assert told["hits_per_s"] == pytest.approx(50_000)
    assert told["bytes_of_a_run"] == {"run": 5e10, "hits": 4e10, "positions": 5e8}


def test_all_cores_share_one_gpu() -> None:
    chains = replace(chains_of(ns=4000.0, n_cores=64), on_gpu=True)
    (model,) = chains.models
    # Of 4 s of cores in each second, 64 cores do 16 times as much; the GPU does 0.8 s of them by itself.
    assert replace(chains, on_gpu=False).share(model) == pytest.approx(16)
    assert chains.share(model) == pytest.approx(1.25)


def test_the_answer_is_in_words() -> None:
    assert hit_chain_lines(chains_of(ns=4000.0))[-3:] == [
        "m: cores: 4 from the stream, 2.4 from files of hits, 0.8 for the positions alone",
        "m: disk: 5000 B a hit in the stream (0.05 TB), 4000 B a hit in files of hits (0.04 TB), 50 B a hit of "
        "positions (0.0005 TB)",
        "m: no. This machine (2 cores) does 50 % of the work of 10 crystals: it takes 2.0 such machines",
    ]
    assert hit_chain_lines(chains_of(ns=390.0))[-1] == (
        "m: yes. This machine (2 cores) keeps up with 51 crystals of this rate"
    )


def test_an_array_without_hits_is_none() -> None:
    with pytest.raises(SettingsError, match="above 0, got 1, 0 Hz"):
        CrystalArray(rate_hz=0.0)


def test_the_command_times_every_step(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discrimen.online.hit_chain.N_HITS", 64)
    model = write_small_hits_model(tmp_path / "hits.discrimen")
    how = ("--crystals", "3", "--rate-hz", "100", "--seconds", "0.1")
    status, out, err = run("chain", model, *how, "--json", "--plot", tmp_path / "c.png")
    assert status == 0, err
    result = json.loads(out)
    (told,) = result["models"]
    assert set(told["step_ns"]) == set(HIT_STEPS)
    assert min(told["step_ns"].values()) > 0
    assert told["cores"]["locate"] == pytest.approx(told["step_ns"]["locate"] * 1e-9 * 300)
    # A hit is 37 packets of 32 bytes and an even number of samples, and a header of 16 bytes.
    n_even = told["n_samples"] + told["n_samples"] % 2
    assert told["bytes_per_hit"]["run"] == 37 * (32 + 2 * n_even) + 16
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_options_and_models_of_the_other_kind_are_refused(run: Run, tmp_path: Path) -> None:
    hits, pulses = write_small_hits_model(tmp_path / "hits.discrimen"), write_small_model(tmp_path / "p.discrimen")
    for wrong in ((hits, "--channels", "16"), (pulses, "--crystals", "180")):
        status, _, err = run("chain", *wrong)
        assert status == 2
        assert "does nothing without a model of" in " ".join(err.replace("│", " ").split())
    status, _, err = run("chain", hits, pulses)
    assert status == 1
    assert "call 'chain' for each kind" in err
