"""A run file is followed while it grows: each event scored once, also when the program is killed in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.online.programs import ended, program, same_scores, timed, with_a_threshold
from tests.training.toy_pulses import toy_pulses

from discrimen.errors import FormatError
from discrimen.formats.table import open_writer
from discrimen.online.follow import FileGrowth, continuation_of
from discrimen.pulses.detector import DetectorSettings

pytest.importorskip("zmq", reason="NO ZEROMQ: pip install 'discrimen[online]'")

N_PULSES = 2000
OPTIONS = ("--sample-period-ns", "10", "--polarity", "negative")


@pytest.fixture(scope="module")
def run_and_model(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Path, Path]:
    """The bytes of a CoMPASS run, a model, and what classify gives."""
    folder = tmp_path_factory.mktemp("follow")
    pulses = timed(toy_pulses(N_PULSES, seed=8)[:N_PULSES])
    with open_writer(folder / "run.BIN", DetectorSettings(sample_period_ns=10.0, polarity="negative")) as writer:
        writer.write(pulses)
    model = with_a_threshold(folder / "small.discrimen", pulses)
    classify = ("classify", model, folder / "run.BIN", "-o", folder / "classified.h5", "--accept", "--no-psd", *OPTIONS)
    status, _, err = ended(program(*classify))
    assert status == 0, err
    return (folder / "run.BIN").read_bytes(), model, folder / "classified.h5"


def test_every_event_of_a_growing_file_is_scored_once(run_and_model: tuple[bytes, Path, Path], tmp_path: Path) -> None:
    content, model, classified = run_and_model
    run, scores = tmp_path / "run.BIN", tmp_path / "scores.h5"
    command = ("stream", model, "--follow", run, "-o", scores, "--idle-s", "2", *OPTIONS)
    follower = program(*command)
    n_steps = 12
    for step in range(n_steps):
        with run.open("ab") as growing:
            growing.write(content[step * len(content) // n_steps : (step + 1) * len(content) // n_steps])
        time.sleep(0.1)
    status, _, err = ended(follower)
    assert status == 0, err
    same_scores(scores, classified)


def test_files_that_continue_a_run_get_scores_of_their_own(
    run_and_model: tuple[bytes, Path, Path], tmp_path: Path
) -> None:
    content, model, classified = run_and_model
    (tmp_path / "run.BIN").write_bytes(content)
    (tmp_path / "run_1.BIN").write_bytes(content[2:])  # without the header of the file
    command = ("stream", model, "--follow", tmp_path / "run.BIN", "-o", tmp_path / "s.h5", "--idle-s", "0.2", *OPTIONS)
    status, out, err = ended(program(*command))
    assert status == 0, err
    assert f"{N_PULSES} scores written to {tmp_path / 's_1.h5'}" in out
    same_scores(tmp_path / "s_1.h5", classified)
    status, _, err = ended(program(*command))
    assert status == 0, err
    assert err.count("skipped") == 2


@pytest.fixture
def growth(tmp_path: Path) -> Callable[..., FileGrowth]:
    """Make what looks after a file, with a clock of its own in which every pause is a second."""
    (tmp_path / "run.BIN").write_bytes(bytes(100))

    def made(happens: Callable[[float], object] = lambda _: None, **options: float) -> FileGrowth:
        clock = [0.0]

        def pause() -> None:
            clock[0] += 1
            happens(clock[0])

        return FileGrowth(tmp_path / "run.BIN", lambda: clock[0] > 1000, now_s=lambda: clock[0], pause=pause, **options)

    return made


def test_a_file_that_does_not_grow_is_complete_after_a_while(growth: Callable[..., FileGrowth]) -> None:
    assert growth(idle_s=10.0).wait(100) is None


def test_a_file_that_grows_is_not(growth: Callable[..., FileGrowth], tmp_path: Path) -> None:
    def happens(now_s: float) -> None:
        if now_s == 8:
            (tmp_path / "run.BIN").write_bytes(bytes(150))

    assert growth(happens, idle_s=10.0).wait(100) == 150


def test_a_file_that_another_one_continues_is_complete_sooner(
    growth: Callable[..., FileGrowth], tmp_path: Path
) -> None:
    (tmp_path / "run_1.BIN").write_bytes(bytes(10))
    looked: list[float] = []
    assert growth(looked.append, idle_s=100.0).wait(100) is None
    assert len(looked) < 5


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(bytes(200))
    other.replace(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.unlink(), "deleted or renamed"),
        (lambda path: path.write_bytes(bytes(50)), "cut from 100 to 50 bytes"),
        (replaced, "another file has taken the place"),
    ],
)
def test_a_file_that_is_not_the_same_any_more_is_told(
    growth: Callable[..., FileGrowth], tmp_path: Path, change: Callable[[Path], object], message: str
) -> None:
    def happens(now_s: float) -> None:
        if now_s == 3:
            change(tmp_path / "run.BIN")

    with pytest.raises(FormatError, match=message):
        growth(happens, idle_s=10.0).wait(100)


def test_names_of_continuation_files(tmp_path: Path) -> None:
    assert continuation_of(tmp_path / "run.BIN").name == "run_1.BIN"
    assert continuation_of(tmp_path / "run_7.BIN").name == "run_7_1.BIN"  # there is no run.BIN: 7 is part of the name
    (tmp_path / "run.BIN").touch()
    assert continuation_of(tmp_path / "run_7.BIN").name == "run_8.BIN"


def test_what_cannot_be_followed_is_refused(run_and_model: tuple[bytes, Path, Path], tmp_path: Path) -> None:
    _, model, _ = run_and_model
    (tmp_path / "run.csv").write_text("1 2 3\n")
    status, _, err = ended(program("stream", model, "--follow", tmp_path / "run.csv", "-o", tmp_path / "s.h5"))
    assert status == 1
    assert "--follow does nothing for" in err
    status, _, err = ended(program("stream", model, "--input", "tcp://x:1", "-o", tmp_path / "s.h5", *OPTIONS))
    assert status == 2
    assert "does nothing without --follow" in err
