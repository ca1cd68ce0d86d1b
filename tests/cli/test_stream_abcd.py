"""ABCD on the command line: what cannot be is refused, and a run is streamed by programs of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.online.abcd_messages import free_ports
from tests.scoring.small_model import write_small_model
from tests.training.toy_pulses import toy_pulses

from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader, open_writer
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.pulses import concatenate
from discrimen.pulses.detector import DetectorSettings
from discrimen.scoring.scores import read_scores

pytest.importorskip("zmq", reason="NO ZEROMQ: pip install 'discrimen[online]'")

N_PULSES = 400
ABCD = "abcd+tcp://127.0.0.1"
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_model(tmp_path_factory.mktemp("model") / "small.discrimen")


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    pulses = toy_pulses(N_PULSES // 2, seed=7).replace(label=None)
    with open_writer(tmp_path / "run.adw") as writer:
        writer.write(pulses.replace(timestamp_ps=np.arange(N_PULSES) * 125 * 10**4, channel=np.arange(N_PULSES) % 3))
    return tmp_path / "run.adw"


def test_what_cannot_be_is_refused(run: Command, model: Path, recorded: Path, tmp_path: Path) -> None:
    source = ("stream", model, "--input", f"{ABCD}:16181")
    for status, words, command in (
        (1, "the model was trained at 10 ns", (*source, "-o", "s.h5")),
        (1, "expected an address like abcd", (*source, "-o", f"{ABCD}:x", "--sample-period-ns", 10)),
        (2, "--charge-factor does nothing without", (*source, "-o", "s.h5", "--charge-factor", 2)),
        (2, "--polarity does nothing without --follow", (*source, "-o", "s.h5", "--polarity", "negative")),
        (2, "expected a file of scores", (*source, "-o", "s.txt", "--sample-period-ns", 10)),
        (2, "give --input abcd", ("stream", model, "--input", "tcp://127.0.0.1:5", "-o", f"{ABCD}:16207")),
        (1, "ends in one of .bin .dat .adw .adr", ("replay", recorded, "-o", tmp_path / "run.csv", "--grow")),
        (1, "this is an input", ("replay", recorded, "-o", recorded, "--grow")),
    ):
        code, _, err = run(*command)
        assert (code, words in " ".join(err.replace("│", " ").split())) == (status, True), err


@pytest.mark.parametrize("suffix", [".BIN", ".dat"])
def test_a_run_grows_and_is_played_twice(run: Command, recorded: Path, tmp_path: Path, suffix: str) -> None:
    options = ("--sample-period-ns", 10, "--polarity", "negative")
    grown = tmp_path / f"grown{suffix}"
    code, out, err = run("replay", recorded, "-o", grown, "--grow", "--loop", 2, "--block", 70, "--json", *options)
    assert code == 0, err
    assert json.loads(out)["files"][0]["n_pulses"] == 2 * N_PULSES
    settings = DetectorSettings(sample_period_ns=None if suffix == ".BIN" else 10.0)
    pulses = concatenate(open_reader(grown, ReadOptions(settings=settings)).chunks())
    assert pulses.sample_period_ns == 10.0
    assert np.array_equal(pulses.samples[:N_PULSES], pulses.samples[N_PULSES:])
    times_ps = pulses.column("timestamp_ps")
    assert len(times_ps) == 2 * N_PULSES
    assert np.all(np.diff(times_ps) > 0)
    code, _, err = run("replay", recorded, "-o", grown, "--grow", *options)
    assert (code, "is there already" in err) == (1, True)


@pytest.mark.slow
def test_programs_stream_a_run_through_the_messages_of_abcd(model: Path, recorded: Path, tmp_path: Path) -> None:
    address = f"{ABCD}:{free_ports(3) + 1}"
    command = [sys.executable, "-m", "discrimen"]
    listening = [*command, "stream", model, "--input", address, "-o", tmp_path / "s.h5", "--sample-period-ns", "10"]
    stream = subprocess.Popen([*map(str, listening), "--idle-s", "1", "--json"], stdout=subprocess.PIPE, text=True)
    playing = [*command, "replay", recorded, "-o", address, "--block", "100", "--loop", "3"]
    subprocess.run(list(map(str, playing)), check=True, timeout=60, capture_output=True)
    told = json.loads(stream.communicate(timeout=60)[0])
    assert (told["n_written"], told["n_garbage"]) == (3 * N_PULSES, 0)
    assert told["sources"][address]["n_messages"] == 12
    rows = read_scores(tmp_path / "s.h5").rows
    pulses = concatenate(open_reader(recorded).chunks())
    expected = ReferencePredictor(model).predict(pulses.samples)
    np.testing.assert_allclose(rows.score, np.tile(expected, (3, 1)), atol=1e-6)
    assert np.array_equal(rows.entry, np.arange(3 * N_PULSES))
    assert np.all(np.diff(rows.timestamp_ps) > 0)


def test_a_command_with_ticks_of_its_own_gives_them_to_the_formats_that_count_so(
    run: Command, recorded: Path, tmp_path: Path
) -> None:
    known = ("--sample-period-ns", 10, "--method", "gamma", "--tick-ps", 8000)
    code, _, err = run("label", recorded, "-o", tmp_path / "labels.h5", *known)
    assert code == 0, err
    pulses = concatenate(open_reader(tmp_path / "labels.h5").chunks())
    first_ps = concatenate(open_reader(recorded).chunks()).column("timestamp_ps")
    np.testing.assert_allclose(np.sort(pulses.column("timestamp_ps")), first_ps * 8000 / (2000 / 1024), rtol=1e-6)
    np.save(tmp_path / "run.npy", pulses.samples)
    code, _, err = run("label", tmp_path / "run.npy", "-o", tmp_path / "other.h5", *known)
    assert (code, "--method gamma ignores it" in " ".join(err.replace("│", " ").split())) == (2, True), err
