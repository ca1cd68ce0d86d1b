"""Ctrl-C from the user's seat, wherever in an epoch it comes, and SIGTERM from a batch system."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import discrimen


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
    assert stderr.splitlines()[-1].endswith(f"discrimen train DATASETS --resume {model}")
    assert (Path(model) / "checkpoints" / "state.npz").is_file()


TIDIED = """
import os, signal
from discrimen.cli.stop_signals import tidy_at_sigterm

before = signal.getsignal(signal.SIGTERM)
try:
    with tidy_at_sigterm():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        finally:
            print("tidied")
except SystemExit as ended:
    print(ended.code, signal.getsignal(signal.SIGTERM) is before)
"""


def test_sigterm_unwinds_what_runs_and_then_is_as_before() -> None:
    # In a process of its own: one of the tests would be ended if the signal found it between two handlers.
    done = subprocess.run([sys.executable, "-c", TIDIED], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "tidied\n143 True\n"), done.stderr
