"""``discrimen freeze --cpp`` from a user's seat."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.network.networks import NETWORKS, frozen

from discrimen.cli.main import main
from discrimen.network.frozen_file import write_frozen
from discrimen.output.provenance import sha256_of_file

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def frozen_file(tmp_path: Path) -> Path:
    write_frozen(frozen(*NETWORKS["two classes"]()), tmp_path / "m.discrimen")
    return tmp_path / "m.discrimen"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def command(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["discrimen", "freeze", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return command


def test_frozen_file_becomes_a_header(run: Run, frozen_file: Path, tmp_path: Path) -> None:
    header = tmp_path / "m.hpp"
    status, out, _ = run(frozen_file, "--cpp", header, "--cpp-namespace", "lab::one", "--json")
    assert status == 0
    result = json.loads(out)
    assert (result["cpp"], result["cpp_namespace"]) == (str(header), "lab::one")
    text = header.read_text(encoding="ascii")
    assert f"SHA-256 {sha256_of_file(frozen_file)}" in text
    assert "namespace lab::one {" in text


def test_namespace_follows_the_name_of_the_header(run: Run, frozen_file: Path, tmp_path: Path) -> None:
    status, out, _ = run(frozen_file, "--cpp", tmp_path / "neda-2.hpp", "--json")
    assert status == 0
    assert json.loads(out)["cpp_namespace"] == "neda_2_model"


def test_impossible_namespace_writes_nothing(run: Run, frozen_file: Path, tmp_path: Path) -> None:
    status, out, error = run(frozen_file, "--cpp", tmp_path / "m.hpp", "--cpp-namespace", "1st")
    assert (status, out) == (1, "")
    assert "C++ namespace" in error
    assert not (tmp_path / "m.hpp").exists()


def test_namespace_without_a_header_is_a_usage_error(run: Run, frozen_file: Path, tmp_path: Path) -> None:
    status, _, error = run(frozen_file, "--onnx", tmp_path / "m.onnx", "--cpp-namespace", "mine")
    assert status == 2
    assert "--cpp" in error


def test_other_suffix_is_a_usage_error(run: Run, frozen_file: Path, tmp_path: Path) -> None:
    assert run(frozen_file, "--cpp", tmp_path / "m.py")[0] == 2
