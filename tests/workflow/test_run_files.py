"""Which run files stand behind a name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.workflow.fake_commands import compass_run

from discrimen.errors import DataError
from discrimen.workflow.run_files import changes, companions_of, files_of, find_runs, short_names
from discrimen.workflow.wishes import Wishes


def test_a_compass_project_its_daq_a_run_and_raw_stand_for_their_files(tmp_path: Path) -> None:
    first, second, tenth = (compass_run(tmp_path / "CF252", number) for number in (1, 2, 10))
    (first.parent / "DataR_run_1.truth.h5").write_bytes(b"truth")
    (first.parent / "DataR_run_1.txt").write_text("notes")
    (first.parent.parent / "settings.xml").write_text("<configuration/>")
    assert files_of(tmp_path / "CF252") == [first, second, tenth]
    assert files_of(tmp_path / "CF252" / "DAQ") == [first, second, tenth]
    assert files_of(first.parent.parent) == [first]
    assert files_of(first.parent) == [first]
    assert files_of(first) == [first]
    assert companions_of(first) == [first.parent.parent / "settings.xml"]


def test_a_plain_folder_stands_for_its_run_files(tmp_path: Path) -> None:
    for name in ("b.lh5", "a.root", "notes.txt", "b.truth.h5", ".hidden.BIN"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in files_of(tmp_path)] == ["a.root", "b.lh5"]


def test_nothing_to_find_is_told(tmp_path: Path) -> None:
    (tmp_path / "DAQ" / "run_1" / "RAW").mkdir(parents=True)
    with pytest.raises(DataError, match=r"no run file in .*RAW"):
        files_of(tmp_path)
    with pytest.raises(DataError, match="absent: there is no such file or folder"):
        files_of(tmp_path / "absent")


def test_a_run_in_two_formats_is_refused(tmp_path: Path) -> None:
    for suffix in (".BIN", ".root"):
        (tmp_path / f"run{suffix}").write_bytes(b"x")
    with pytest.raises(DataError, match=r"holds a run in two formats, run.BIN, run.root"):
        files_of(tmp_path)


def test_a_file_has_one_role(tmp_path: Path) -> None:
    run = compass_run(tmp_path, 1)
    with pytest.raises(DataError, match="cannot be a mixed and a pure gamma source at once"):
        find_runs(Wishes(mixed=(tmp_path,), gamma=(run,)))


def test_files_of_other_channels_are_told_and_left_out(tmp_path: Path) -> None:
    wished = compass_run(tmp_path, 1, name="DataR_CH0@DT5730S_1463_run_1.BIN")
    compass_run(tmp_path, 1, name="DataR_CH1@DT5730S_1463_run_1.BIN")
    found = find_runs(Wishes(mixed=(tmp_path,), labels="band", channel=0))
    assert [each.path for each in found.mixed] == [wished]
    assert found.passed_over == (f"{wished.with_name('DataR_CH1@DT5730S_1463_run_1.BIN')}: is of channel 1, not of "
                                 "channel 0, and is left out",)  # fmt: skip


def test_changes_tell_what_came_went_and_grew(tmp_path: Path) -> None:
    grown, gone, touched = (compass_run(tmp_path, number) for number in (1, 2, 3))
    wishes = Wishes(mixed=(tmp_path,), labels="band")
    before = find_runs(wishes)
    assert changes(before, find_runs(wishes)) == []
    new = compass_run(tmp_path, 4)
    gone.unlink()
    gone.with_name("other.BIN").write_bytes(b"x")
    grown.write_bytes(b"more events")
    os.utime(touched, ns=(1, 1))
    assert changes(before, find_runs(wishes)) == [
        f"{gone.with_name('other.BIN')}: a new run, not taken this time",
        f"{new}: a new run, not taken this time",
        f"{gone}: is gone",
        f"{grown}: had 6 bytes and has 11 now: it is still being written",
        f"{touched}: was written to meanwhile",
    ]


def test_names_stay_when_runs_are_added(tmp_path: Path) -> None:
    run = tmp_path / "CF252/DAQ/run_1/RAW/DataR.BIN"
    plain = tmp_path / "data/run7.lh5"
    twin = tmp_path / "more/data/run7.lh5"
    assert short_names([run, plain]) == {run: "CF252_run_1_DataR", plain: "data_run7"}
    names = short_names([run, plain, twin])
    assert names[run] == "CF252_run_1_DataR"
    assert len(set(names.values())) == 3
