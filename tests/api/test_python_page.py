"""docs/python.md is true: every name is there, no name is left out, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot
from tests.training.toy_pulses import toy_pulses

import discrimen

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "python.md").read_text(encoding="utf-8")


def test_the_page_names_every_function_and_no_other() -> None:
    table = re.findall(r"^\| `(\w+)\(", PAGE, re.MULTILINE)
    assert len(table) == 11
    stages = PAGE.partition("The other stages are names too:")[2].partition("`help(")[0]
    named = {*table, "charges", *re.findall(r"`(\w+)`", stages)}
    functions = {name for name in discrimen.__all__ if name[0].islower()}
    assert named == functions
    assert "PulseClassifier" in PAGE


def test_its_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([\w./-]+)", PAGE):
        assert (Path(__file__).resolve().parents[2] / "docs" / link).exists(), link


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_its_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pyplot.switch_backend("agg")
    pulses = toy_pulses(300)
    before = 8000 + np.random.default_rng(1).normal(0, 3, (600, 45)).round().astype(np.uint16)
    samples = np.hstack([before, pulses.samples])
    np.save("gamma.npy", samples[pulses.label == 0])
    np.save("mixed.npy", samples[pulses.label == 1])
    names: dict[str, Any] = {"discrimen": discrimen}
    examples = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == 3
    exec(examples[0], names)
    dataset = names["dataset"]
    assert (dataset.count(discrimen.Label.GAMMA), dataset.count(discrimen.Label.NEUTRON)) == (300, 300)
    names |= {"train_set": dataset, "test_set": dataset}
    exec(examples[1].replace("epochs=20", "epochs=1, accept=True"), names)
    assert names["scores"].shape == (600, 2)
    assert Path("mine.discrimen").is_file()
    exec(examples[2], names)
    assert names["ax"].get_title() == "run 7"
    pyplot.close("all")
