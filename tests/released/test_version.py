"""One version everywhere, and a citation that says it."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from site_maker import conf

ROOT = Path(__file__).resolve().parents[2]
VERSION = re.search(r'VERSION "(.+)"', (ROOT / "cpp/include/discrimen/version.h").read_text(encoding="utf-8"))[1]
RELEASED = re.compile(r"^## (\d+\.\d+\.\d+) \((\d{4}-\d\d-\d\d)\)$", re.MULTILINE)


def citation() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def changelog() -> str:
    return (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def kept_versions() -> list[str]:
    """Return the versions of which frozen files are kept, newest first."""
    names = [path.name for path in (ROOT / "tests" / "released").glob("*.*.*")]
    return sorted(names, key=lambda name: [int(part) for part in name.split(".")], reverse=True)


def test_header_package_citation_changelog_site_and_kept_files_have_one_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)
    newest, day = RELEASED.findall(changelog())[0]
    told = {"package": version("discrimen"), "citation": citation()["version"], "changelog": newest}
    told["site"] = conf.version
    told["kept files"] = kept_versions()[0]
    assert told == dict.fromkeys(told, VERSION)
    assert citation()["date-released"] == day


def test_every_released_version_has_its_kept_files() -> None:
    assert [number for number, _ in RELEASED.findall(changelog())] == kept_versions()


def test_unreleased_changes_stand_above_the_newest_version() -> None:
    headings = re.findall(r"^## (.+)$", changelog(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert all(RELEASED.match(f"## {heading}") for heading in headings[1:])


def test_the_citation_is_whole() -> None:
    said = citation()
    assert said["cff-version"] == "1.2.0"
    assert said["type"] == "software"
    assert {"message", "title", "abstract", "authors", "license", "keywords"} < set(said)
    assert date.fromisoformat(said["date-released"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert said["authors"] == project["authors"]
    assert said["license"] == project["license"]
    assert said["keywords"] == project["keywords"]


@pytest.mark.parametrize("name", ["CITATION.cff", "pyproject.toml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_no_address_is_a_placeholder(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.findall(
        r"example\.(?:org|com)|your-(?:org|name)|CHANGE[_ ]?ME|<(?:owner|url|org)>", text, re.IGNORECASE
    )
