"""``discrimen classify`` with a frozen model: choice of channels, what is skipped, what is said, what is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.scoring.small_model import (
    N_LONG,
    N_SHORT,
    long_records,
    short_records,
    write_run,
    write_small_model,
)

from discrimen.cli.main import main
from discrimen.network.frozen_file import read_frozen, write_frozen
from discrimen.pulses.detector import validate_settings
from discrimen.scoring.scores import read_attributes, read_scores

Classify = Callable[..., tuple[int, str, str]]


@pytest.fixture
def classify(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Classify:
    """Classify a run of a good board and one with short records into scores.h5."""
    model = write_small_model(tmp_path / "small.discrimen")
    run = write_run(tmp_path / "run.BIN", long_records(), short_records())

    def command(*arguments: str) -> tuple[int, str, str]:
        argv = ["discrimen", "classify", str(model), str(run), "-o", str(tmp_path / "scores.h5"), *arguments]
        monkeypatch.setattr(sys, "argv", argv)
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return command


def only_file(answer: tuple[int, str, str]) -> dict[str, Any]:
    status, out, err = answer
    assert status == 0, err
    (done,) = json.loads(out)["files"]
    return dict(done)


def test_a_board_with_short_records_is_left_out_by_choice(classify: Classify, tmp_path: Path) -> None:
    status, out, err = classify()
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert "records of 20 samples" in err
    done = only_file(classify("--board", "0", "--json"))
    assert (done["n_pulses"], done["n_other_channels"]) == (N_LONG + N_SHORT, N_SHORT)
    assert read_attributes(tmp_path / "scores.h5")["boards"] == "0"


def test_channels_may_be_repeated_and_absent_ones_are_said(classify: Classify) -> None:
    status, out, err = classify("--board", "0", "--channel", "3", "--channel", "9")
    assert status == 0
    assert f"  left out of the counts, of {N_LONG + N_SHORT} pulses read:" in out
    assert any(line.split()[0::2] == [str(N_LONG * 3 // 4 + N_SHORT), "of", "channels"] for line in out.splitlines())
    assert "run.BIN: no pulse of channel 9\n" in err


@pytest.mark.parametrize(
    ("again", "what"), [(("--threshold", "0.9"), "threshold"), (("--channel", "1"), "channels"), ((), None)]
)
def test_only_the_same_question_is_skipped(classify: Classify, again: tuple[str, ...], what: str | None) -> None:
    first = only_file(classify("--board", "0", "--json"))
    assert not first["skipped"]
    if what is None:
        assert only_file(classify("--board", "0", "--json", *again))["skipped"]
        return
    status, _, err = classify("--board", "0", *again)
    assert (status, f"another {what}" in err) == (1, True)
    redone = only_file(classify("--board", "0", "--overwrite", "--json", *again))
    assert not redone["skipped"]
    assert redone["n_neutron"] < first["n_neutron"]


@pytest.mark.parametrize(
    ("given", "said"), [("nothing such", "stores: none"), ("1.5", "between 0 and 1"), ("nan", "got nan")]
)
def test_unknown_or_impossible_thresholds_are_wrong_usage(classify: Classify, given: str, said: str) -> None:
    status, _, err = classify("--board", "0", "--threshold", given)
    assert (status, said in " ".join(err.split())) == (2, True)


def test_the_speed_is_said(classify: Classify) -> None:
    done = only_file(classify("--board", "0", "--json"))
    assert done["n_pulses_per_s"] == pytest.approx(done["n_pulses"] / done["seconds"])
    _, out, _ = classify("--board", "0", "--overwrite")
    assert " pulses/s (" in out


def test_negative_channels_are_wrong_usage(classify: Classify) -> None:
    assert classify("--channel", "-1")[0] == 2


def test_a_frozen_model_needs_nothing_heavy(tmp_path: Path) -> None:
    model = write_small_model(tmp_path / "small.discrimen")
    run = write_run(tmp_path / "run.BIN", long_records())
    program = (
        "import sys\nfrom discrimen.cli import main\n"
        f"sys.argv = ['discrimen', 'classify', {str(model)!r}, {str(run)!r}, '-o', {str(tmp_path / 's.h5')!r}]\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert not ended.code\n"
        "heavy = {'keras', 'jax', 'scipy', 'matplotlib', 'sklearn', 'uproot', 'awkward', 'pyarrow', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_a_name_that_contradicts_the_kind_is_wrong_usage(classify: Classify, tmp_path: Path) -> None:
    status, _, err = classify("--board", "0", "--to", "root")
    assert status == 2
    assert "--to root contradicts" in err
    assert not (tmp_path / "scores.h5").exists()
    assert classify("--board", "0", "--to", "h5")[0] == 0


def test_one_bad_file_does_not_keep_the_others_from_their_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = write_small_model(tmp_path / "small.discrimen")
    good = [write_run(tmp_path / f"run{number}.BIN", long_records()) for number in (1, 2)]
    bad = tmp_path / "bad.BIN"
    bad.write_bytes(b"x" * 100)
    files = [str(good[0]), str(bad), str(good[1])]
    argv = ["discrimen", "classify", str(model), *files, "-o", str(tmp_path / "scores"), "--json"]
    monkeypatch.setattr(sys, "argv", argv)
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    assert ended.value.code == 1
    told = json.loads(captured.out)
    assert [done["input"] for done in told["files"]] == [str(path) for path in good]
    assert [one["input"] for one in told["failed"]] == [str(bad)]
    assert captured.err.splitlines()[-1] == f"discrimen: 1 of 3 files failed, see above: {bad}"
    assert len(list((tmp_path / "scores").glob("*.h5"))) == 2


def test_a_model_of_unknown_domain_says_so_once(classify: Classify) -> None:
    _, _, err = classify("--board", "0")
    assert err.count("the domain of this model is unknown") == 1


def test_accepting_every_run_and_a_share_contradict_each_other(classify: Classify) -> None:
    status, _, err = classify("--board", "0", "--accept", "--most-outside", "0.1")
    assert (status, "leave out --most-outside" in err) == (2, True)


def test_scores_made_with_another_share_are_not_taken_for_finished(classify: Classify) -> None:
    assert classify("--board", "0", "--accept")[0] == 0
    status, _, err = classify("--board", "0")
    assert (status, "of another most_outside" in err) == (1, True)


def test_live_time_rates_and_pile_up_are_said(classify: Classify) -> None:
    status, out, _ = classify("--board", "0")
    assert status == 0
    assert "real time 0.000239 s, dead 18.828% (taking each record of 750 ns for dead; dead_time_ns in" in out
    assert "rates of live time: " in out
    assert "hold a second pulse; --pile-up flag or veto looks for them" in out
    _, out, _ = classify("--board", "0", "--pile-up", "veto", "--overwrite")
    assert "a second pulse found in 0.000% +- 0.417% of the records; by the rate" in out


def test_a_dead_time_of_the_settings_is_taken(classify: Classify, tmp_path: Path) -> None:
    (tmp_path / "detector.yaml").write_text("dead_time_ns: 400")
    status, out, _ = classify("--board", "0", "--settings", str(tmp_path / "detector.yaml"))
    assert status == 0
    assert "dead 10.042% (400 ns a pulse, from the settings)" in out


ARRAY = """channels:
  - {board: 0, channel: 0}
  - {board: 0, channel: 1}
  - {board: 0, channel: 2}
  - {board: 0, channel: 6}
"""


@pytest.fixture
def model_of_an_array(tmp_path: Path) -> Path:
    """Freeze the small model as if it had been trained on channels 0 to 2 and 6 of board 0."""
    frozen = read_frozen(write_small_model(tmp_path / "one.discrimen"))
    settings = validate_settings(yaml.safe_load(ARRAY), source="test")
    write_frozen(
        replace(frozen, description=replace(frozen.description, settings=settings)), tmp_path / "array.discrimen"
    )
    return tmp_path / "array.discrimen"


def test_channels_that_the_model_does_not_know_are_refused_and_those_that_the_run_lacks_are_said(
    model_of_an_array: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run(tmp_path / "run.BIN", long_records())

    def command(*arguments: str) -> tuple[int, str]:
        given = ["discrimen", "classify", str(model_of_an_array), str(run), "-o", str(tmp_path / "s.h5"), *arguments]
        monkeypatch.setattr(sys, "argv", given)
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().err

    status, err = command()
    assert (status, len(err.splitlines())) == (1, 1)
    assert "pulses of board 0 channel 3, which the model was not trained on" in err
    status, err = command("--channel", "0", "--channel", "1", "--channel", "2")
    assert status == 0
    assert "channel 6" not in err
    status, err = command("--accept", "--overwrite")
    assert status == 0
    assert "run.BIN: no pulse of board 0 channel 6, which the model was trained on" in err


def test_a_detector_file_that_contradicts_the_run_is_refused_unless_an_option_says_so(
    classify: Classify, tmp_path: Path
) -> None:
    (tmp_path / "other.yaml").write_text("polarity: positive")
    status, _, err = classify("--board", "0", "--settings", str(tmp_path / "other.yaml"))
    assert (status, len(err.splitlines())) == (1, 1)
    assert "polarity is negative in the file, but positive in" in err
    status, _, err = classify("--board", "0", "--settings", str(tmp_path / "other.yaml"), "--polarity", "negative")
    assert status == 0


def test_the_pictures_go_where_they_are_wanted(classify: Classify, tmp_path: Path) -> None:
    gates = ("--board", "0", "--gates", "-20:30:200")
    status, out, err = classify(*gates, "--plot", str(tmp_path / "run.png"))
    assert status == 0, err
    assert f"drawn: {tmp_path / 'run.png'}" in out
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    scores = read_scores(tmp_path / "scores.h5").rows
    assert scores.psd is not None
    assert scores.class_number is not None
    assert set(scores.class_number.tolist()) <= {-1, 0, 1}
    # A picture that is missing makes complete scores be made again; without --plot they are not.
    (tmp_path / "run.png").unlink()
    assert "skipped" in classify(*gates)[1]
    assert classify(*gates, "--plot", str(tmp_path / "run.png"))[0] == 0
    assert (tmp_path / "run.png").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--plot", "run.pdf"), "a picture is a .png"),
        (("--plot", "run.png", "--no-psd"), "leave out --no-psd"),
    ],
)
def test_pictures_that_cannot_be_are_refused(classify: Classify, arguments: tuple[str, ...], said: str) -> None:
    status, _, err = classify(*arguments)
    assert status == 2
    assert said in err
