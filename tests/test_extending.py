"""docs/extending.md is true: what it names is there, and an addition touches no more places than it promises."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
MOST_PLACES = {"A layer": 7, "A classic method": 3, "A metric": 3, "A file format": 3, "An architecture": 2}

OTHER_READERS = ("src/discrimen/freezing/onnx_import", "src/discrimen/freezing/to_keras.py", "src/discrimen/adoption")
"""Networks from elsewhere come in here: not every layer needs it."""


def steps(section: str) -> list[str]:
    return re.findall(r"^\d+\. (.*?)(?=^\d+\. |^\S|\Z)", SECTIONS[section], re.MULTILINE | re.DOTALL)


def files_that_name(word: str, *folders: str) -> set[str]:
    """Return the source files under some folders that name a word."""
    found = subprocess.run(
        ["grep", "-rlw", "--include=*.py", "--include=*.hpp", "--include=*.cpp", "--include=*.inc", word, *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return set(found.stdout.split())


@pytest.mark.parametrize(("section", "most"), MOST_PLACES.items())
def test_an_addition_touches_no_more_places_than_promised(section: str, most: int) -> None:
    assert 1 <= len(steps(section)) <= most


@pytest.mark.parametrize("section", SECTIONS)
def test_every_place_that_is_named_is_there(section: str) -> None:
    named = re.findall(r"`([\w/.<>-]+/[\w/.<>-]*)`", SECTIONS[section])
    assert named
    for place in named:
        pattern = re.sub(r"<\w+>", "*", place).rstrip("/")
        homes = (ROOT, ROOT / "src" / "discrimen")
        assert any(list(home.glob(pattern)) for home in homes), f"{section}: there is no {place}"


@pytest.mark.parametrize(
    ("layer", "operation"),
    [("Prelu", "prelu"), ("ZeroPadding1D", None)],
)
def test_a_layer_is_named_in_no_more_places_than_promised(layer: str, operation: str | None) -> None:
    files = files_that_name(layer, "src", "cpp/src")
    if operation is not None:
        files |= files_that_name(operation, "cpp/src")
    own = {file for file in files if not file.startswith(OTHER_READERS)}
    assert len(own) <= MOST_PLACES["A layer"], sorted(own)


@pytest.mark.parametrize("method", ["GattiFilter", "PulseGradient", "FrequencyGradient"])
def test_a_classic_method_is_named_in_its_file_and_the_table_alone(method: str) -> None:
    files = files_that_name(method, "src")
    assert len(files - {"src/discrimen/pulse_shape/__init__.py"}) <= MOST_PLACES["A classic method"] - 1, sorted(files)
