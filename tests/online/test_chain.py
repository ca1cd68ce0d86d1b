"""The time budget of a card adds up, and its answer follows from it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.scoring.small_model import write_small_model

pytest.importorskip("zmq", reason="NO ZEROMQ: pip install 'discrimen[online]'")

from discrimen.cli.chain import chain_lines
from discrimen.errors import SettingsError
from discrimen.online.chain import FROM_FILES, FROM_MESSAGES, STEPS, Card, Chain, ModelChain


def chain_of(*, ns: float, rate_hz: float, n_cores: int = 2) -> Chain:
    """Return a chain whose steps all take equally long."""
    model = ModelChain(model="m", backend="native", n_samples=75, step_ns=dict.fromkeys(STEPS, ns))
    return Chain(card=Card(n_channels=10, rate_hz=rate_hz, run_s=100.0), models=(model,), n_cores=n_cores)


def test_headroom_is_time_of_acquisition_over_time_of_all_steps() -> None:
    chain = chain_of(ns=100.0, rate_hz=1000.0)
    (model,) = chain.models
    # 1,000,000 pulses of 3 x 100 ns are 0.3 s of the 100 s.
    assert model.headroom(chain.card, FROM_FILES) == pytest.approx(100 / 0.3)
    assert model.headroom(chain.card, FROM_MESSAGES) == pytest.approx(100 / 0.3)
    assert chain.n_cards(model) == pytest.approx(2 * 100 / 0.3)


def test_all_cores_share_one_gpu() -> None:
    chain = replace(chain_of(ns=1000.0, rate_hz=1000.0, n_cores=64), on_gpu=True)
    (model,) = chain.models
    # 10,000 pulses/s: 64 cores do 3 steps of 1 us for 2,133 cards, the GPU one of them for 100.
    assert replace(chain, on_gpu=False).n_cards(model) == pytest.approx(64e6 / 3 / 1e4)
    assert chain.n_cards(model) == pytest.approx(100)


def test_the_answer_is_in_words() -> None:
    assert chain_lines(chain_of(ns=100.0, rate_hz=1000.0))[-1] == (
        "m: yes. This machine (2 cores) keeps up with 666 such card(s) at once"
    )
    no = chain_lines(chain_of(ns=100_000.0, rate_hz=1000.0))[-1]
    assert "m: no. This machine (2 cores) does 67 % of the work of one card: take 1.5 such machines" in no


def test_a_card_without_pulses_is_none() -> None:
    with pytest.raises(SettingsError, match="above 0, got 16, 0 Hz"):
        Card(rate_hz=0.0)


def test_the_command_times_every_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from discrimen.cli.main import main

    model = write_small_model(tmp_path / "small.discrimen")
    arguments = ["chain", str(model), "--seconds", "0.1", "--rate-hz", "100", "--plot", str(tmp_path / "c.png")]
    monkeypatch.setattr(sys, "argv", ["discrimen", *arguments, "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None)
    (told,) = json.loads(capsys.readouterr().out)["models"]
    assert set(told["step_ns"]) == set(STEPS)
    assert min(told["step_ns"].values()) > 0
    assert told["step_s_of_a_run"]["infer"] == pytest.approx(told["step_ns"]["infer"] * 1e-9 * 16 * 100 * 3600)
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
