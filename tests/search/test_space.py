from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from discrimen.errors import SettingsError
from discrimen.search import BUILT_IN_SPACE, parse_space, read_space
from discrimen.search.candidate import default_candidates, make_preparation
from discrimen.search.space import Choices, Range


def test_the_built_in_space_holds_each_architecture_at_its_defaults() -> None:
    space = read_space()
    defaults = default_candidates(space)
    assert [one.architecture for one in defaults] == list(space.architectures)
    assert defaults[0].parameters["mlp.hidden"] == "10,4"
    assert defaults[0].training()["learning_rate"] == 0.001
    assert "preparation.interpolate" not in defaults[0].parameters  # there is no alignment to interpolate for


def test_a_space_is_the_same_after_it_was_written_down() -> None:
    space = read_space()
    assert parse_space(yaml.safe_load(yaml.safe_dump(space.as_data()))) == space


def test_an_architecture_whose_default_is_not_in_the_space_is_not_tried_first() -> None:
    space = parse_space({"architectures": {"mlp": {"hidden": ["5"]}, "cnn": {"filters": {"low": 4, "high": 16}}}})
    assert [one.architecture for one in default_candidates(space)] == ["cnn"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "architectures: name at least one"),
        ([], "top: expected names with values"),
        ({"architectures": {"mpl": {}}}, "got mpl"),
        ({"architectures": {"mlp": {"layers": 3}}}, "got layers"),
        ({"architectures": {"mlp": {"hidden": ["10,-4"]}}}, "greater than 0"),
        ({"architectures": {"cnn": {"kernel": {"low": 0, "high": 5}}}}, "kernel"),
        ({"architectures": {"cnn": {"kernel": {"low": 5, "high": 5}}}}, "below high"),
        ({"architectures": {"cnn": {"kernel": {"low": 1}}}}, "low and high"),
        ({"architectures": {"cnn": {"kernel": [3, 3]}}}, "twice"),
        ({"architectures": {"cnn": {"kernel": []}}}, "a list of values"),
        ({"architectures": {"mlp": None}, "training": {"epochs": [3]}}, "got epochs"),
        ({"architectures": {"mlp": None}, "training": {"learning_rate": ["1e-3x"]}}, "training.learning_rate"),
        ({"architectures": {"mlp": None}, "training": {"batch_size": [0]}}, "batch_size must be at least 1"),
        ({"architectures": {"mlp": None}, "augment": {"time": [-1]}}, r"augment\.time: .* 0 or more"),
        ({"architectures": {"mlp": None}, "training": {"balance": ["charge"]}}, r"training\.balance"),
        ({"architectures": {"mlp": None}, "preparation": {"align": [1.5]}}, "between 0 and 1"),
        ({"architectures": {"mlp": None}, "preparation": {"align": {"low": 0.1, "high": 0.9}}}, "list the values"),
        ({"architectures": {"mlp": None}, "training": {"learning_rate": {"low": 0, "high": 1, "log": True}}}, "log"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused_with_the_place(values: Any, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        parse_space(values)


def test_a_file_that_is_no_space_is_named(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text("architectures: [")
    with pytest.raises(SettingsError, match=r"space\.yaml: cannot read"):
        read_space(path)
    path.write_text("architectures: {mlp: {hiden: 3}}")
    with pytest.raises(SettingsError, match=r"space\.yaml: architectures\.mlp"):
        read_space(path)


def test_distortions_of_the_training_pulses_can_be_searched() -> None:
    space = parse_space({"architectures": {"mlp": None}, "augment": {"time": [0, 5], "gain": {"low": 0, "high": 0.2}}})
    (default,) = default_candidates(space)
    assert default.training()["augment"] == {"time": 0, "gain": 0}


def test_a_range_holds_its_ends_and_its_steps_only() -> None:
    assert all(value in Range(low=4, high=16, step=4) for value in (4, 8, 16))
    assert not any(value in Range(low=4, high=16, step=4) for value in (5, 20, 4.5, "4", True))
    assert 0.25 in Range(low=0.1, high=1.0)
    assert Range(low=1, high=3).whole
    assert not Range(low=1, high=3.0).whole


def test_every_preparation_of_the_space_is_known_beforehand() -> None:
    space = parse_space(
        {"architectures": {"mlp": None}, "preparation": {"scale": ["peak", "area"], "align": [None, 0.2]}}
    )
    made = [make_preparation(chosen, lambda **values: values) for chosen in space.preparations()]
    assert len(made) == 4
    assert sum(one["alignment"] is None for one in made) == 2


def test_a_space_can_be_limited_to_some_architectures() -> None:
    assert list(read_space().limited_to(["cnn"]).architectures) == ["cnn"]
    with pytest.raises(SettingsError, match="no gru"):
        read_space().limited_to(["gru"])


def test_the_built_in_space_is_a_file_that_users_can_copy() -> None:
    assert isinstance(read_space(BUILT_IN_SPACE).training["batch_size"], Choices)
