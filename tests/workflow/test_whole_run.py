"""What is done, done again, told and left, with commands that end at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.workflow.fake_commands import FakeCommands, compass_run

from discrimen.errors import DataError, FormatError, OutputError
from discrimen.workflow.carry_out import only_one
from discrimen.workflow.whole_run import WholeRun, add_runs, begin, whole_run
from discrimen.workflow.wishes import read_wishes, wishes_of

BEFORE_CLASSIFYING = ["inspect", "inspect", *["convert"] * 3, *["label"] * 3, "audit", "train", "freeze", "evaluate"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a run of two CoMPASS projects, not yet run."""
    compass_run(tmp_path / "CF252", 1)
    compass_run(tmp_path / "CO60", 2)
    wishes = wishes_of({"mixed": [tmp_path / "CF252"], "gamma": [tmp_path / "CO60"]})
    begin(tmp_path / "out", wishes, command="discrimen run CF252 CO60")
    return tmp_path / "out"


def run(folder: Path, told: list[str] | None = None) -> WholeRun:
    return whole_run(folder, command="discrimen rerun out", log=([] if told is None else told).append)


def change(folder: Path, before: str, after: str) -> None:
    path = folder / "run.yaml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_the_steps_come_in_order_and_lead_to_a_page(folder: Path, commands: FakeCommands) -> None:
    done = run(folder)
    assert commands.verbs == BEFORE_CLASSIFYING
    assert done.progress.failed == []
    page = (folder / "index.html").read_text()
    assert "12 of 12 steps are done" in page
    for link in ("audit/audit.html", "report/report.html", "model.discrimen", "steps/train.json", "steps.json"):
        assert f'href="{link}"' in page
    assert "of validation loss 0.25000" in page
    assert "at heights from 140 to 5600 ADC counts; lower pulses had no labels" in page
    assert "discrimen rerun out" in page
    assert done.what_next[0] == f"discrimen rerun {folder} --classify RUN"
    labels = [given for given in commands.ran if given[0] == "label"]
    assert ["source" in given for given in labels] == [True, False, False]
    assert [given[given.index("--share") + 1] for given in commands.ran if given[0] == "convert"] == [
        "0:0.5",
        "0.5:0.75",
        "0.75:1",
    ]


def test_nothing_is_done_twice(folder: Path, commands: FakeCommands) -> None:
    first = run(folder)
    commands.ran.clear()
    again = run(folder)
    assert commands.ran == []
    assert again.progress.kept == first.progress.done
    assert again.as_dict()["results"] == first.as_dict()["results"]


@pytest.mark.parametrize(
    ("before", "after", "done"),
    [
        ("epochs: 60", "epochs: 61", ["train", "freeze", "evaluate"]),
        ("neutron_efficiency: 0.95", "neutron_efficiency: 0.9", ["freeze", "evaluate"]),
        ("most_outside: 0.1", "most_outside: 0.2", []),
        (
            "tune_share: 0.25",
            "tune_share: 0.3",
            ["convert", "convert", "label", "label", "audit", "freeze", "evaluate"],
        ),
    ],
)
def test_only_what_depends_on_a_change_is_done_again(
    folder: Path, commands: FakeCommands, before: str, after: str, done: list[str]
) -> None:
    run(folder)
    commands.ran.clear()
    change(folder, before, after)
    run(folder)
    assert commands.verbs == done


def test_a_result_that_is_gone_or_damaged_is_made_again(folder: Path, commands: FakeCommands) -> None:
    run(folder)
    commands.ran.clear()
    (folder / "model.discrimen").write_text("damaged")
    shutil.rmtree(folder / "audit")
    run(folder)
    assert commands.verbs == ["audit", "freeze", "evaluate"]


def test_a_run_that_changed_is_read_again(folder: Path, commands: FakeCommands) -> None:
    run(folder)
    commands.ran.clear()
    compass_run(folder.parent / "CO60", 2).write_bytes(b"other events")
    run(folder)
    assert commands.verbs == ["inspect", *["label"] * 3, "audit", "train", "freeze", "evaluate"]


def test_the_settings_beside_a_run_count_as_the_run(folder: Path, commands: FakeCommands) -> None:
    run(folder)
    commands.ran.clear()
    (folder.parent / "CO60" / "DAQ" / "run_2" / "settings.xml").write_text("<configuration/>")
    run(folder)
    assert commands.verbs[:1] == ["inspect"]


def test_the_folder_may_be_moved(folder: Path, commands: FakeCommands) -> None:
    run(folder)
    commands.ran.clear()
    run(folder.rename(folder.with_name("moved")))
    assert commands.ran == []


def test_runs_to_classify_are_added(folder: Path, commands: FakeCommands) -> None:
    run(folder)
    commands.ran.clear()
    later = compass_run(folder.parent / "LATER", 3)
    add_runs(folder / "run.yaml", [folder.parent / "LATER"])
    done = run(folder)
    assert commands.verbs == ["inspect", "classify"]
    assert str(later) in commands.ran[1]
    told = done.as_dict()["results"]["classify-LATER_run_3_DataR_run_3"]
    assert told == "20 neutrons and 10 gammas; 2 (2.00%) unlike the pulses of the training, see the column outside"


@pytest.mark.parametrize("verb", ["inspect", "classify"])
def test_one_later_run_that_is_bad_does_not_stop_the_others(folder: Path, commands: FakeCommands, verb: str) -> None:
    compass_run(folder.parent / "LATER", 3)
    compass_run(folder.parent / "LATER", 4)
    add_runs(folder / "run.yaml", [folder.parent / "LATER"])

    def fail_on_the_third(given: tuple[str, ...]) -> None:
        commands.fails = {verb} if "run_3" in str(given) else set()

    commands.before = fail_on_the_third
    done = run(folder)
    assert done.progress.failed == [f"{verb}-LATER_run_3_DataR_run_3"]
    assert "classify-LATER_run_4_DataR_run_4" in done.progress.done
    assert done.what_next == [f"discrimen rerun {folder}"]
    assert f"the step {verb}-LATER_run_3_DataR_run_3 failed" in (folder / "index.html").read_text()


def test_what_is_done_stays_done_when_a_step_fails(folder: Path, commands: FakeCommands) -> None:
    commands.fails = {"train"}
    with pytest.raises(DataError, match="the step 'train the network' failed"):
        run(folder)
    assert "9 of 12 steps are done" in (folder / "index.html").read_text()
    commands.fails = set()
    commands.ran.clear()
    run(folder)
    assert commands.verbs == ["train", "freeze", "evaluate"]


def test_errors_of_the_audit_lead_to_the_option(folder: Path, commands: FakeCommands) -> None:
    commands.fails = {"audit"}
    with pytest.raises(DataError, match="accept_audit: true"):
        run(folder)


def test_a_training_that_was_broken_off_goes_on(folder: Path, commands: FakeCommands) -> None:
    def interrupt(given: tuple[str, ...]) -> None:
        if given[0] == "train":
            state = folder / "model" / "checkpoints" / "state.npz"
            state.parent.mkdir(parents=True)
            state.write_bytes(b"state")
            raise KeyboardInterrupt

    commands.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        run(folder)
    assert "9 of 12 steps are done" in (folder / "index.html").read_text()
    commands.before = lambda _: None
    commands.ran.clear()
    run(folder)
    assert commands.ran[0] == ("train", "learn.lh5", "--resume", "model")
    assert commands.verbs == ["train", "freeze", "evaluate"]


def test_a_training_of_other_wishes_does_not_go_on(folder: Path, commands: FakeCommands) -> None:
    commands.fails = {"train"}
    with pytest.raises(DataError):
        run(folder)
    state = folder / "model" / "checkpoints" / "state.npz"
    state.parent.mkdir(parents=True)
    state.write_bytes(b"state")
    change(folder, "epochs: 60", "epochs: 61")
    commands.fails = set()
    commands.ran.clear()
    run(folder)
    assert "--resume" not in commands.ran[0]


def test_a_run_that_appears_meanwhile_is_told_and_not_taken(folder: Path, commands: FakeCommands) -> None:
    def appear(given: tuple[str, ...]) -> None:
        if given[0] == "train":
            compass_run(folder.parent / "CF252", 7)

    commands.before = appear
    told: list[str] = []
    done = run(folder, told)
    new = folder.parent / "CF252/DAQ/run_7/RAW/DataR_run_7.BIN"
    assert f"{new}: a new run, not taken this time" in done.news
    assert f"NOTE {new}: a new run, not taken this time" in told
    assert "a new run, not taken this time" in (folder / "index.html").read_text()
    assert done.what_next == [f"discrimen rerun {folder}"]
    assert not any("run_7" in str(given) for given in commands.ran)
    commands.before = lambda _: None
    run(folder)
    assert any("run_7" in str(given) for given in commands.ran)


def test_a_run_that_grows_while_it_is_read_is_not_taken_half(folder: Path, commands: FakeCommands) -> None:
    growing = folder.parent / "CF252/DAQ/run_1/RAW/DataR_run_1.BIN"

    def grow(given: tuple[str, ...]) -> None:
        if given[0] == "convert":
            growing.write_bytes(growing.read_bytes() + b"more")

    commands.before = grow
    with pytest.raises(
        DataError, match="had 6 bytes and has 10 now: it is still being written; wait until the run is complete"
    ):
        run(folder)
    record = json.loads((folder / "steps.json").read_text())
    assert set(record["done"]) == {"inspect-CF252_run_1_DataR_run_1", "inspect-CO60_run_2_DataR_run_2"}


def test_a_later_run_that_grows_does_not_stop_the_others(folder: Path, commands: FakeCommands) -> None:
    growing, other = (compass_run(folder.parent / "LATER", number) for number in (3, 4))
    add_runs(folder / "run.yaml", [folder.parent / "LATER"])

    def grow(given: tuple[str, ...]) -> None:
        if given[:2] == ("inspect", str(growing)):
            growing.write_bytes(growing.read_bytes() + b"more")

    commands.before = grow
    told: list[str] = []
    done = run(folder, told)
    assert done.progress.failed == ["inspect-LATER_run_3_DataR_run_3", "classify-LATER_run_3_DataR_run_3"]
    assert any("10 now: it is still being written; wait until the run is complete" in line for line in told)
    assert "classify-LATER_run_4_DataR_run_4" in done.progress.done
    assert not any(given[0] == "classify" and str(growing) in given for given in commands.ran)
    assert str(other) in str(commands.ran)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"channel": 3}, "runs of two detectors: .*CF252.* has board 0 channel 0, 75 .*CO60.* has board 0 channel 3"),
        ({"n_samples": 232}, "75 samples of 10 ns.* 232 samples of 10 ns"),
        ({"sample_period_ns": 2.0}, "75 samples of 10 ns.* 75 samples of 2 ns"),
    ],
)
def test_runs_of_two_detectors_are_refused(
    folder: Path, commands: FakeCommands, other: dict[str, object], told: str
) -> None:
    commands.channels = {"CO60": [other]}
    with pytest.raises(DataError, match=told):
        run(folder)
    assert commands.verbs == ["inspect", "inspect"]


def test_two_detectors_in_one_run_are_refused(folder: Path, commands: FakeCommands) -> None:
    commands.channels = {"CF252": [{"channel": 0}, {"channel": 1}]}
    with pytest.raises(DataError, match=r"holds 2 detectors .*choose it with --channel"):
        run(folder)


def test_list_mode_is_refused_before_anything_is_done(tmp_path: Path, commands: FakeCommands) -> None:
    (tmp_path / "list.csv").write_text("BOARD;CHANNEL;TIMETAG;ENERGY;ENERGYSHORT;FLAGS\n0;0;1000;500;400;0x0\n")
    begin(tmp_path / "out", wishes_of({"mixed": [tmp_path / "list.csv"], "labels": "band"}), command="discrimen run")
    with pytest.raises(DataError, match=r"list.csv: holds list mode, charges without waveforms"):
        run(tmp_path / "out")
    assert commands.ran == []


def test_a_run_without_pulses_is_told(folder: Path, commands: FakeCommands) -> None:
    commands.channels = {"CO60": []}
    with pytest.raises(DataError, match="holds no pulses"):
        run(folder)


def test_digitizers_are_told_apart_by_their_serial_numbers(tmp_path: Path, commands: FakeCommands) -> None:
    compass_run(tmp_path / "CF252", 1, name="DataR_CH0@DT5730S_1463_run_1.BIN")
    compass_run(tmp_path / "CF252", 2, name="DataR_CH0@DT5730S_9999_run_2.BIN")
    begin(tmp_path / "out", wishes_of({"mixed": [tmp_path / "CF252"], "labels": "band"}), command="discrimen run")
    with pytest.raises(DataError, match=r"of digitizer 1463, .*of digitizer 9999"):
        run(tmp_path / "out")


def test_gates_are_searched_where_the_runs_say_none(folder: Path, commands: FakeCommands) -> None:
    commands.settings = {"polarity": "negative", "baseline": {"start_ns": 0.0, "stop_ns": 90.0}}
    run(folder)
    assert commands.verbs[2] == "gates"
    assert all("gates.yaml" in given for given in commands.ran if given[0] in ("convert", "label"))


def test_a_calibration_leads_to_light_everywhere(folder: Path, commands: FakeCommands) -> None:
    compass_run(folder.parent / "CS137", 5)
    change(folder, "calibrate: {}", f"calibrate:\n  Cs-137: {folder.parent / 'CS137'}\n#")
    run(folder)
    assert commands.verbs[3] == "calibrate"
    assert commands.ran[3][commands.ran[3].index("--source") + 1] == "Cs-137"
    assert all("detector.yaml" in given for given in commands.ran if given[0] in ("convert", "label"))


def test_without_a_gamma_source_bands_are_learnt(tmp_path: Path, commands: FakeCommands) -> None:
    compass_run(tmp_path / "CF252", 1)
    begin(tmp_path / "out", wishes_of({"mixed": [tmp_path / "CF252"], "labels": "band"}), command="discrimen run")
    run(tmp_path / "out")
    labels = [given for given in commands.ran if given[0] == "label"]
    assert [given[given.index("--method") + 1] for given in labels] == ["band"] * 3
    assert not any("--gamma-run" in given for given in commands.ran)


def test_an_architecture_of_ones_own_is_found_from_everywhere(tmp_path: Path) -> None:
    wishes = wishes_of({"mixed": ["a"], "labels": "band", "architecture": "mine.py:build"}).absolute(tmp_path)
    assert wishes.architecture == f"{tmp_path / 'mine.py'}:build"


def test_without_a_judge_all_is_learnt_from(folder: Path, commands: FakeCommands) -> None:
    change(folder, "judge: band", "judge: none")
    run(folder)
    assert commands.verbs == ["inspect", "inspect", "convert", "label", "audit", "train", "freeze"]
    assert "0:1" in commands.ran[2]
    assert "--calibrate" not in commands.ran[-1]


def test_a_folder_of_other_wishes_is_not_taken(folder: Path) -> None:
    wishes = read_wishes(folder / "run.yaml")
    begin(folder, wishes, command="again")
    with pytest.raises(OutputError, match=r"run.yaml: is there and says otherwise \(epochs is 60 there, 5 here\)"):
        begin(folder, wishes.model_copy(update={"epochs": 5}), command="other")
    begin(folder, wishes.model_copy(update={"epochs": 5}), command="other", overwrite=True)
    assert read_wishes(folder / "run.yaml").epochs == 5


def test_two_runs_do_not_work_in_one_folder(folder: Path) -> None:
    with only_one(folder), pytest.raises(OutputError, match="another discrimen run works here"):
        run(folder)


def test_a_damaged_record_is_told(folder: Path, commands: FakeCommands) -> None:
    (folder / "steps.json").write_text("{")
    with pytest.raises(FormatError, match=r"steps.json: is not what a run leaves .*all steps are done again"):
        run(folder)
