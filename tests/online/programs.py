"""The programs of a stream, started and killed as users and machines do."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from tests.scoring.small_model import write_small_model

from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.online.delivery import Keeper
from discrimen.online.message import Kind, unpack
from discrimen.online.result_log import ResultLog
from discrimen.online.sockets import Inlet, wait_for
from discrimen.pulses import Pulses
from discrimen.scoring.scores import read_scores

LONGEST_S = 60


def program(*arguments: str | Path, module: str = "discrimen") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=LONGEST_S)
    return process.returncode, out, err


def timed(pulses: Pulses) -> Pulses:
    """Return pulses of three channels, a microsecond apart."""
    n_pulses = len(pulses)
    return pulses.replace(
        timestamp_ps=np.arange(n_pulses) * 10**6,
        channel=np.arange(n_pulses) % 3,
        board=np.zeros(n_pulses, np.int32),
        flags=np.zeros(n_pulses, np.uint32),
    )


def with_a_threshold(path: Path, pulses: Pulses) -> Path:
    """Write the small model with a threshold that half of some pulses pass."""
    scores = ReferencePredictor(write_small_model(path, domain=True)).predict(pulses.samples)
    return write_small_model(path, domain=True, threshold=float(np.median(scores[:, 1])))


def same_scores(one: Path, other: Path) -> None:
    first, second = read_scores(one).rows, read_scores(other).rows
    # A pulse alone is computed in another order than one in a block.
    np.testing.assert_allclose(first.score, second.score, rtol=0, atol=1e-6)
    for name in ("entry", "timestamp_ps", "channel", "outside", "class_number"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)
    assert 0 < np.count_nonzero(first.class_number) < len(first.class_number)


def keep_results(address: str, log: Path) -> None:
    """Keep the results that come at an address until their source has stopped, and a moment longer to say so."""
    with ResultLog.open(log) as store, Inlet(address) as inlet:
        keeper, stopped_s = Keeper(store), float("inf")
        while time.monotonic() < stopped_s + 1.0:
            wait_for(inlet.messages, timeout_s=0.05)
            for frames in inlet.come():
                message = unpack(frames)
                receipt = keeper.take(message)
                if receipt is not None:
                    inlet.send_receipt(receipt)
                last = store.last(message.head.source)
                if stopped_s == float("inf") and last is not None and last.head.kind == Kind.STOP:
                    stopped_s = time.monotonic()


if __name__ == "__main__":
    keep_results(sys.argv[1], Path(sys.argv[2]))
