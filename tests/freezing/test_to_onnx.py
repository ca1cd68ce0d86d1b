"""From a frozen file to an ONNX file, by function and by command."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.inference.onnx_contract import write_model
from tests.network.models import MODELS

from discrimen.errors import FormatError
from discrimen.freezing import to_onnx
from discrimen.freezing.to_onnx import freeze_to_onnx
from discrimen.inference.onnxruntime_predictor import OnnxRuntimePredictor
from discrimen.inference.reference_predictor import run_exactly
from discrimen.network.frozen_file import FrozenModel, read_frozen, write_frozen
from discrimen.output.provenance import sha256_of_file

onnx = pytest.importorskip("onnx", reason="NO ONNX: pip install 'discrimen[onnx]'")


Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run ``discrimen freeze`` in this process; give its status and all it printed."""
    from discrimen.cli.main import main

    def run(*arguments: str | Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["discrimen", "freeze", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out + captured.err

    return run


@pytest.fixture
def frozen_path(tmp_path: Path) -> Path:
    write_model(tmp_path / "m.discrimen", MODELS["two classes"]())
    return tmp_path / "m.discrimen"


@pytest.mark.parametrize("name", ["two classes", "everything at once"])
def test_onnx_file_gives_what_the_frozen_one_gives_and_knows_it(tmp_path: Path, name: str) -> None:
    pytest.importorskip("onnxruntime", reason="NO ONNX RUNTIME: pip install 'discrimen[onnx]'")
    model = write_model(tmp_path / "m.discrimen", MODELS[name]())
    done = freeze_to_onnx(tmp_path / "m.discrimen", tmp_path / "m.onnx")
    assert done.worst_difference is not None
    assert 0 < done.worst_difference < 1e-5
    samples, present = model.golden.samples, model.golden.present
    given = OnnxRuntimePredictor(done.path).run(samples, present=present)
    for found, wanted in zip(given, run_exactly(model, samples, present=present), strict=True):
        assert_allclose(found, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
    properties = {item.key: item.value for item in onnx.load(done.path).metadata_props}
    assert properties["discrimen_sha256"] == sha256_of_file(tmp_path / "m.discrimen")


@pytest.mark.parametrize("wrong", [0.01, np.nan])
def test_onnx_file_that_is_off_does_not_appear(
    frozen_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: float
) -> None:
    pytest.importorskip("onnxruntime", reason="NO ONNX RUNTIME: pip install 'discrimen[onnx]'")

    def altered(frozen: FrozenModel, path: Path, **options: Any) -> None:
        *others, last = frozen.network.nodes
        last = replace(last, layer=replace(last.layer, bias=last.layer.bias + np.float32(wrong)))
        right(replace(frozen, network=replace(frozen.network, nodes=(*others, last))), path)

    right = to_onnx.write_onnx
    monkeypatch.setattr(to_onnx, "write_onnx", altered)
    with pytest.raises(FormatError, match=r"m\.onnx.*off its own golden vectors: output 'scores' by"):
        freeze_to_onnx(frozen_path, tmp_path / "m.onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.discrimen"]


def test_without_the_runtime_it_is_written_and_said_not_to_be_checked(
    frozen_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.setattr(to_onnx, "find_spec", lambda _: None)
    assert freeze_to_onnx(frozen_path, tmp_path / "m.onnx").worst_difference is None
    assert (tmp_path / "m.onnx").exists()
    assert "not checked" in command(frozen_path, "--onnx", tmp_path / "m.onnx")[1]


def test_golden_vectors_beyond_16_bits_are_checked_too(frozen_path: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="NO ONNX RUNTIME: pip install 'discrimen[onnx]'")
    model = read_frozen(frozen_path)
    far = replace(model.golden, samples=model.golden.samples + 10_000_000)
    write_frozen(replace(model, golden=far), frozen_path)
    done = freeze_to_onnx(frozen_path, tmp_path / "m.onnx")
    assert done.worst_difference is not None
    assert done.worst_difference < 1e-5


def test_damaged_frozen_file_is_refused(frozen_path: Path, tmp_path: Path) -> None:
    frozen_path.write_bytes(frozen_path.read_bytes()[:-1])
    with pytest.raises(FormatError, match="checksum"):
        freeze_to_onnx(frozen_path, tmp_path / "m.onnx")


def test_command_takes_a_frozen_file_and_says_what_it_wrote(
    frozen_path: Path, tmp_path: Path, command: Command
) -> None:
    pytest.importorskip("onnxruntime", reason="NO ONNX RUNTIME: pip install 'discrimen[onnx]'")
    status, printed = command(frozen_path, "--onnx", tmp_path / "m.onnx", "--json")
    assert status == 0
    result = json.loads(printed)
    assert result["onnx"] == str(tmp_path / "m.onnx")
    assert result["worst_difference_of_onnx"] < 1e-5
    assert result["sha256"] == sha256_of_file(frozen_path)
    assert result["layers"] == ["Flatten", "Dense", "Dense", "Dense"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["m.discrimen"], "say what to make of it"),
        (["m.discrimen", "-o", "n.discrimen", "--onnx", "m.onnx"], "leave out --output"),
        (["model"], "give -o X.discrimen"),
        (["m.discrimen", "--onnx", "m.discrimen"], "ends in .onnx"),
    ],
)
def test_options_that_do_not_fit_each_other_are_usage_errors(
    frozen_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command, arguments: list[str], reason: str
) -> None:
    monkeypatch.chdir(frozen_path.parent)
    before = frozen_path.read_bytes()
    status, printed = command(*arguments)
    assert status == 2
    assert reason in " ".join(printed.split())
    assert frozen_path.read_bytes() == before


def test_making_onnx_of_a_frozen_file_needs_no_keras(frozen_path: Path, tmp_path: Path) -> None:
    program = (
        "import sys\nfrom discrimen.cli.main import main\n"
        "try:\n    main()\nfinally:\n    print(sorted({'keras', 'jax', 'scipy', 'openvino'} & set(sys.modules)))"
    )
    arguments = ["freeze", str(frozen_path), "--onnx", str(tmp_path / "m.onnx")]
    ended = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"
