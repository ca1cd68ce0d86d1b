"""The typed functions of the package, and the example of the README, which must run as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import discrimen
from discrimen.errors import DataError

README = Path(__file__).resolve().parents[1] / "README.md"


def python_example() -> str:
    found = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert found is not None
    return found[1]


def test_example_of_the_readme_runs(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", python_example()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "neutron" in ended.stdout
    assert (tmp_path / "scores.h5").is_file()


def test_example_of_the_readme_is_about_ten_lines() -> None:
    lines = [line for line in python_example().splitlines() if line.strip()]
    assert 8 <= len(lines) <= 12


def test_pure_sources_are_labelled_on_reading(tmp_path: Path) -> None:
    discrimen.simulate(tmp_path / "co60.BIN", 200, spectrum="Co-60")
    gammas = discrimen.read(tmp_path / "co60.BIN", label_by="gamma")
    assert set(gammas.pulses.column("label")) == {discrimen.Label.GAMMA}
    assert gammas.settings.polarity == "negative"


def test_labels_of_a_native_file_come_by_themselves(tmp_path: Path) -> None:
    run = discrimen.simulate(tmp_path / "run.lh5", 300)
    assert discrimen.read(tmp_path / "run.lh5").count(discrimen.Label.NEUTRON) == run.n_neutron


def test_training_without_labels_is_refused(tmp_path: Path) -> None:
    discrimen.simulate(tmp_path / "run.BIN", 200)
    with pytest.raises(DataError, match="label"):
        discrimen.train(discrimen.read(tmp_path / "run.BIN"), tmp_path / "model", epochs=1)


def test_pile_up_truth_lies_beside_the_run(tmp_path: Path) -> None:
    from discrimen.simulation.truth import read_truth

    run = discrimen.simulate(tmp_path / "run.BIN", 500, pileup_fraction=0.2)
    truth = read_truth(run.truth)
    assert 50 < len(truth.pile_up["entry"]) < 200
    assert np.isin(truth.pile_up["entry"], truth.columns["entry"]).all()
    assert (truth.pile_up["delay_ns"] >= 0).all()


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        discrimen.trian  # noqa: B018
