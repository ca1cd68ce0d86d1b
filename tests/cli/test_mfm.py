"""NEDA's files through the commands: simulated, looked at, classified into NEDACOMP frames, labelled."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tests.scoring.small_model import write_small_model

from discrimen.formats.table import open_reader
from discrimen.pulses.list_mode import concatenate_events
from discrimen.scoring.scores import read_scores

Run = Callable[..., tuple[int, str, str]]


def test_a_simulated_run_of_neda_is_classified_into_nedacomp_frames(tmp_path: Path, run: Run) -> None:
    measured, model = tmp_path / "run.mfm", write_small_model(tmp_path / "small.discrimen")
    assert run("simulate", "-o", measured, "-n", 300, "--n-channels", 3)[0] == 0
    content = measured.read_bytes()
    status, out, err = run("inspect", measured, "--json")
    assert status == 0, err
    told = json.loads(out)
    assert "NEDA raw frames of 232 samples" in json.dumps(told)
    common = ("--polarity", "negative", "--record-samples", 75)
    for name in ("scores.mfm", "scores.h5"):
        status, _, err = run(
            "classify", model, measured, "-o", tmp_path / name, "--channel", 0, "--channel", 2, *common
        )
        assert status == 0, err
    assert measured.read_bytes() == content
    frames, table = read_scores(tmp_path / "scores.mfm").rows, read_scores(tmp_path / "scores.h5").rows
    for column in ("entry", "timestamp_ps", "channel", "class_number"):
        assert np.array_equal(getattr(frames, column), getattr(table, column)), column
    np.testing.assert_allclose(frames.score, table.score, atol=0.5 / 65535 + 1e-6)
    listed = concatenate_events(open_reader(tmp_path / "scores.mfm").event_chunks())  # type: ignore[attr-defined]
    pulses = next(iter(open_reader(measured).chunks()))
    chosen = pulses.column("channel") != 1
    assert np.array_equal(listed.long_charge, pulses.column("energy")[chosen])
    status, out, err = run(
        "classify", model, measured, "-o", tmp_path / "scores.mfm", "--channel", 0, "--channel", 2, *common
    )
    assert (status, "skipped" in out) == (0, True), err


def test_samples_of_another_period_are_not_written_into_frames_of_neda(tmp_path: Path, run: Run) -> None:
    status, _, err = run("simulate", "-o", tmp_path / "run.mfm", "-n", 5, "--digitizer", "NUMEXO2-5ns")
    assert (status, "samples of 10 ns, got 5 ns" in err) == (1, True)
    assert not list(tmp_path.iterdir())


def test_the_bit_where_the_board_begins_is_an_option(tmp_path: Path, run: Run) -> None:
    run("simulate", "-o", tmp_path / "run.mfm", "-n", 20)
    status, out, err = run("inspect", tmp_path / "run.mfm", "--board-bit", 4)
    assert (status, "board from bit 4 of the location" in out) == (0, True), err
    assert run("inspect", tmp_path / "run.mfm", "--board-bit", 3)[0] == 2
