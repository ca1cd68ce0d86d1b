"""Programs of their own that stream a run: what comes out is what classify gives, whoever is killed in between."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.scoring.small_model import write_small_model
from tests.training.toy_pulses import toy_pulses

from discrimen.formats.table import open_writer
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.scoring.scores import read_scores

pytest.importorskip("zmq", reason="NO ZEROMQ: pip install 'discrimen[online]'")

BLOCK = 50
N_PULSES = 3000
LONGEST_S = 60


@pytest.fixture(scope="module")
def run_and_model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("stream")
    pulses = toy_pulses(N_PULSES, seed=7)[:N_PULSES]
    timed = pulses.replace(
        timestamp_ps=np.arange(N_PULSES) * 10**6,
        channel=np.arange(N_PULSES) % 3,
        board=np.zeros(N_PULSES, np.int32),
        flags=np.zeros(N_PULSES, np.uint32),
    )
    settings = DetectorSettings(sample_period_ns=pulses.sample_period_ns, polarity="negative")
    with open_writer(folder / "run.lh5", settings) as writer:
        writer.write(timed)
    return folder / "run.lh5", with_a_threshold(folder / "small.discrimen", timed)


def with_a_threshold(path: Path, pulses: Pulses) -> Path:
    """Write the small model with a threshold that half of some pulses pass."""
    scores = ReferencePredictor(write_small_model(path, domain=True)).predict(pulses.samples)
    return write_small_model(path, domain=True, threshold=float(np.median(scores[:, 1])))


def program(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "discrimen", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=LONGEST_S)
    return process.returncode, out, err


def same_scores(one: Path, other: Path) -> None:
    first, second = read_scores(one).rows, read_scores(other).rows
    # A pulse alone is computed in another order than one in a block.
    np.testing.assert_allclose(first.score, second.score, rtol=0, atol=1e-6)
    for name in ("entry", "timestamp_ps", "channel", "outside", "class_number"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)
    assert 0 < np.count_nonzero(first.class_number) < len(first.class_number)


@pytest.fixture(scope="module")
def classified(run_and_model: tuple[Path, Path]) -> Path:
    run, model = run_and_model
    scores = run.with_name("classified.h5")
    status, _, err = ended(program("classify", model, run, "-o", scores, "--accept", "--no-psd"))
    assert status == 0, err
    return scores


def test_a_stream_gives_what_classify_gives(run_and_model: tuple[Path, Path], classified: Path, tmp_path: Path) -> None:
    run, model = run_and_model
    address = f"ipc://{tmp_path}/pulses"
    stream = program("stream", model, "--input", address, "-o", tmp_path / "scores.h5", "--json")
    replay = program("replay", run, "-o", address, "--block", str(BLOCK), "--json")
    status, out, err = ended(stream)
    assert status == 0, err
    told: dict[str, Any] = json.loads(out)
    assert (told["n_written"], told["is_complete"], told["n_garbage"]) == (N_PULSES, True, 0)
    (source,) = told["sources"].values()
    assert (source["missing_ps"], source["overlap_ps"], source["is_stopped"]) == (0, 0, True)
    status, out, err = ended(replay)
    assert status == 0, err
    assert json.loads(out)["files"][0]["n_messages"] == N_PULSES // BLOCK + 1
    same_scores(tmp_path / "scores.h5", classified)
    assert not (tmp_path / "scores.h5.log").exists()


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_no_pulse_is_lost_or_doubled_when_programs_are_killed(
    run_and_model: tuple[Path, Path], classified: Path, tmp_path: Path, seed: int
) -> None:
    """A stream to a second one that keeps the results; all three programs are killed again and again."""
    run, model = run_and_model
    rng = random.Random(seed)
    address = f"ipc://{tmp_path}/pulses"
    commands = {
        "stream": ("stream", model, "--input", address, "-o", tmp_path / "scores.h5"),
        "replay": ("replay", run, "-o", address, "--block", str(BLOCK), "--rate-hz", "500"),
    }
    running = {name: program(*command) for name, command in commands.items()}
    begin_s, n_killed = time.monotonic(), 0
    while not (tmp_path / "scores.h5").exists():
        assert time.monotonic() - begin_s < LONGEST_S, "the scores do not come"
        time.sleep(rng.uniform(0.2, 2.5))
        name = rng.choice(list(commands))
        if n_killed < 4 and running[name].poll() is None:
            running[name].send_signal(signal.SIGKILL)
            ended(running[name])
            running[name] = program(*commands[name])
            n_killed += 1
    for process in running.values():
        status, _, err = ended(process)
        assert status == 0, err
    assert n_killed == 4
    same_scores(tmp_path / "scores.h5", classified)
