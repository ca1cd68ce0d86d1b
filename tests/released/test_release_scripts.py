"""What builds and tries a release does what `make lint` and pyproject.toml say."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from discrimen.errors import MissingExtraError
from interpreters import VERSIONS, clean_variables, find_interpreters
from only_core import asks_for_extra
from wheels import fitting, wanted

ROOT = Path(__file__).resolve().parents[2]


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_hooks_run_every_tool_of_make_lint_and_fetch_nothing() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    hooks = repository["hooks"]
    assert repository["repo"] == "local"
    assert {hook["language"] for hook in hooks} == {"system"}
    (lint,) = re.findall(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    tools = re.findall(r"\$\(BIN\)/(ruff \w+|\S+)", lint)
    assert tools == ["ruff check", "ruff format", "mypy", "lint-imports"]
    for tool in tools:
        assert any(hook["entry"].startswith(f".venv/bin/{tool}") for hook in hooks), tool


def test_the_recipe_builds_the_versions_that_are_tried() -> None:
    built = project()["tool"]["cibuildwheel"]["build"]
    assert built == [f"cp{version.replace('.', '')}-manylinux_*" for version in VERSIONS]
    assert project()["project"]["requires-python"] == f">={VERSIONS[0]}"
    assert project()["tool"]["scikit-build"]["wheel"]["py-api"] == "cp" + VERSIONS[1].replace(".", "")


def test_one_wheel_serves_all_later_versions() -> None:
    assert wanted({"3.11", "3.13", "3.14"}) == ["3.11", "3.13"]
    assert wanted({"3.12"}) == ["3.12"]
    own, shared = Path("d-1-cp311-cp311-linux_x86_64.whl"), Path("d-1-cp312-abi3-linux_x86_64.whl")
    assert fitting([own, shared], "3.11") == own
    assert {fitting([own, shared], version) for version in VERSIONS[1:]} == {shared}


def test_an_interpreter_is_of_the_version_that_was_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wrong = tmp_path / "python3.14"
    wrong.write_text("#!/bin/sh\necho 3.9 /usr/bin/python3.9\n")
    wrong.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_interpreters()["3.14"] is None
    wrong.write_text("#!/bin/sh\necho 3.14 /opt/python3.14\n")
    assert find_interpreters()["3.14"] == Path("/opt/python3.14")


def test_bare_environments_see_no_other_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "src")
    monkeypatch.setenv("VIRTUAL_ENV", ".venv")
    assert not {"PYTHONPATH", "VIRTUAL_ENV"} & set(clean_variables())


def test_only_a_missing_extra_skips_a_test_of_the_core() -> None:
    assert asks_for_extra(ModuleNotFoundError("No module named 'scipy.special'", name="scipy.special"))
    assert asks_for_extra(MissingExtraError("needs more", "analysis"))
    assert not asks_for_extra(ModuleNotFoundError("No module named 'discrimen.gone'", name="discrimen.gone"))
    assert not asks_for_extra(ImportError("cannot import name 'x' from 'scipy'"))
