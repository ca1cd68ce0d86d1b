"""Programs of their own that stream a run: what comes out is what classify gives, whoever is killed in between."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tests.online.programs import LONGEST_S, ended, program, same_scores, timed, with_a_threshold
from tests.training.toy_pulses import toy_pulses

from discrimen.formats.table import open_writer
from discrimen.pulses.detector import DetectorSettings

pytest.importorskip("zmq", reason="NO ZEROMQ: pip install 'discrimen[online]'")

BLOCK = 50
N_PULSES = 3000


@pytest.fixture(scope="module")
def run_and_model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("stream")
    pulses = timed(toy_pulses(N_PULSES, seed=7)[:N_PULSES])
    settings = DetectorSettings(sample_period_ns=pulses.sample_period_ns, polarity="negative")
    with open_writer(folder / "run.lh5", settings) as writer:
        writer.write(pulses)
    return folder / "run.lh5", with_a_threshold(folder / "small.discrimen", pulses)


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


def test_no_pulse_is_lost_or_doubled_when_programs_are_killed(
    run_and_model: tuple[Path, Path], classified: Path, tmp_path: Path
) -> None:
    """Both programs are killed again and again; test_reliability.py does so more often."""
    run, model = run_and_model
    rng = random.Random(1)
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
