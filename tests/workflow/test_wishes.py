"""The file of wishes: written, read, and each fault with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from discrimen.errors import SettingsError
from discrimen.workflow.edit import with_added_runs
from discrimen.workflow.wishes import Wishes, differences, read_wishes, wishes_of, wishes_yaml


def write(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(text)
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    wishes = wishes_of(
        {"mixed": ["CF252"], "gamma": ["a b", "c#d"], "calibrate": {"Cs-137": "cs"}, "epochs": 7, "channel": 3}
    ).absolute(tmp_path)
    path = write(tmp_path, wishes_yaml(wishes, command="discrimen run 'a b'"))
    assert read_wishes(path) == wishes
    assert wishes.mixed == (tmp_path / "CF252",)
    assert wishes.calibrate["Cs-137"] == (tmp_path / "cs",)
    assert path.read_text().startswith("# Made by: discrimen run 'a b'\n")


def test_relative_paths_are_taken_from_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    wishes = read_wishes(write(tmp_path / "out", "mixed: ../CF252\nlabels: band\n"))
    assert wishes.mixed == (tmp_path / "CF252",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "mixed: a\ngamma: b\nepoch: 5\n",
            r"yaml, line 3: there is no 'epoch'; did you mean epochs\? Known are mixed, ",
        ),
        ("mixed: a\ngamma: b\n\nepochs: many\n", r"line 4: epochs: .*valid integer.*, got 'many'"),
        ("mixed: a\ngamma: b\nepochs: 0\n", r"line 3: epochs: .*greater than or equal to 1, got 0"),
        ("mixed: a\ngamma: b\nseed: 1\nseed: 2\n", r"line 4: seed stands twice, first in line 3"),
        ("gamma: b\n", r"mixed: Field required"),
        ("mixed: []\ngamma: b\n", r"line 1: mixed: .*at least 1"),
        ("mixed: a\n", r"labels: source needs runs of a gamma source"),
        ("mixed: a\ngamma: b\nlearn_share: 0.8\ntune_share: 0.2\n", r"leave no pulse to judge by"),
        ("mixed: a\ngamma: b\nlabels: tof\n", r"line 3: labels: .*'source' or 'band', got 'tof'"),
        ("mixed: a\ngamma: b\ncalibrate:\n  Cs-137: 5\n", r"line 4: calibrate.Cs-137"),
        ("mixed: [a\n", r"run.yaml: cannot read"),
        ("- a\n", r"expected lines such as 'mixed: CF252', got list"),
        ("", r"expected lines such as 'mixed: CF252', got NoneType"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as raised:
        read_wishes(write(tmp_path, text))
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"run.yaml: cannot read"):
        read_wishes(tmp_path / "run.yaml")


def test_differences_name_the_fields_that_differ() -> None:
    plain = Wishes(mixed=(Path("/a"),), labels="band")
    assert differences(plain, plain) == []
    assert differences(plain, plain.model_copy(update={"epochs": 5})) == ["epochs is 60 there, 5 here"]


@pytest.mark.parametrize(
    "begins",
    [
        "mixed: a  # mine\nlabels: band\n",
        "mixed: a  # mine\nclassify: []  # later\nlabels: band\n",
        "mixed: a  # mine\nclassify: null\nlabels: band\n",
        "mixed: a  # mine\nclassify:\nlabels: band\n",
        "mixed: a  # mine\nclassify: /old\nlabels: band\n",
        "mixed: a  # mine\nclassify: [/old, /older]\nlabels: band\n",
        "mixed: a  # mine\nclassify:\n- /old\n- /older  # kept\nlabels: band\n",
        "mixed: a  # mine\nclassify:\n  - /old\n\n  # between\n  - /older\nlabels: band\n",
        "labels: band\nmixed: a  # mine\nclassify:\n  - /old",
    ],
)
def test_runs_are_added_and_all_else_stays(tmp_path: Path, begins: str) -> None:
    before = read_wishes(write(tmp_path, begins))
    text = with_added_runs(begins, [Path("/new: 1"), Path("/new2")], role="classify")
    after = read_wishes(write(tmp_path, text))
    assert after == before.model_copy(update={"classify": (*before.classify, Path("/new: 1"), Path("/new2"))})
    for remark in ("# mine", "# later", "# kept", "# between"):
        assert (remark in text) == (remark in begins)
    assert with_added_runs(text, [Path("/new2")], role="classify") == text
