"""Ctrl-C from the user's seat, wherever in an epoch it comes, and SIGTERM from a batch system."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import discrimen
from discrimen.cli.stop_signals import tidy_at_sigterm


def test_ctrl_c_in_training_keeps_the_best_model_so_far(tmp_path: Path) -> None:
    discrimen.simulate(tmp_path / "data.lh5", n_pulses=5_000, seed=1)
    data, model = (str(tmp_path / name) for name in ("data.lh5", "model"))
    command = [sys.executable, "-m", "discrimen", "train", data, "-o", model, "--architecture", "mlp"]
    train = [*command, "--epochs", "100000", "--patience", "0"]
    history = Path(model) / "history.csv"
    with subprocess.Popen(train, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        # The heading and a few epochs: from here on most of the time passes inside epochs.
        while process.poll() is None and (not history.exists() or len(history.read_text().splitlines()) < 4):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate()
    assert process.returncode == 130, stderr
    assert "ended by interrupt" in stdout
    assert discrimen.load(model).description.provenance["stopped_by"] == "interrupt"


def test_sigterm_unwinds_what_runs_and_then_is_as_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    tidied = []
    with pytest.raises(SystemExit) as ended, tidy_at_sigterm():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:
            tidied.append(True)
    assert (ended.value.code, tidied) == (143, [True])
    assert signal.getsignal(signal.SIGTERM) is before
