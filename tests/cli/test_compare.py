"""``discrimen compare``: what may stand beside what."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.cli.compare import unique_names
from discrimen.cli.main import main
from discrimen.formats.lh5.writer import Lh5Writer
from discrimen.pulses.detector import DetectorSettings
from discrimen.training import TrainingConfig, train

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def compare(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["discrimen", "compare", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, " ".join(captured.err.split())

    return run


def test_two_models_on_a_set_of_two_files(compare: Command, tmp_path: Path) -> None:
    models = [tmp_path / name for name in ("a", "b")]
    for seed, place in enumerate(models):
        config = TrainingConfig(architecture="mlp", epochs=2, seed=seed)
        train(toy_pulses(300), PREPARATION, config, folder=place)
    pulses = toy_pulses(400, seed=5)
    for label, name in enumerate(("gammas", "neutrons")):
        settings = DetectorSettings(sample_period_ns=10.0, polarity="negative")
        with Lh5Writer(tmp_path / f"{name}.lh5", settings) as writer:
            writer.write(pulses[pulses.column("label") == label])
    joined = f"{tmp_path / 'gammas.lh5'},{tmp_path / 'neutrons.lh5'}"
    status, out, err = compare(*models, "--dataset", joined, "-o", tmp_path / "out", "--json")
    assert status == 0, err
    group = json.loads(out)["groups"][0]
    assert (group["title"], group["entries"]) == ("Models on gammas", ["a", "b"])
    assert (tmp_path / "out" / "comparison.html").is_file()
    status, _, err = compare(*models, "--dataset", tmp_path / "gammas.lh5", "-o", tmp_path / "out")
    assert (status, "joined by commas" in err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a", "b"), "--dataset"),
        (("a", "--dataset", "x.lh5"), "nothing to compare"),
        (("report", "b"), "do not mix"),
        (("report", "report2", "--dataset", "x.lh5"), "leave out --dataset"),
        (("a", "a", "--dataset", "x.lh5"), "given twice"),
    ],
)
def test_what_does_not_fit_is_wrong_usage(
    compare: Command, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    for name in ("report", "report2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text("{}")
    places = [tmp_path / each if not each.startswith("-") else each for each in arguments]
    status, _, err = compare(*places, "-o", tmp_path / "out")
    assert (status, said in err) == (2, True)


def test_names_are_as_long_as_need_be() -> None:
    assert unique_names([Path("x/a.discrimen"), Path("x/b.discrimen")]) == ["a", "b"]
    assert unique_names([Path("x/a.discrimen"), Path("y/a.discrimen")]) == ["x/a", "y/a"]
    assert unique_names([Path("x/a"), Path("x/a.discrimen")]) == ["a", "a.discrimen"]
    with pytest.raises(typer.BadParameter):
        unique_names([Path("x/a"), Path("x/a")])
