"""Every public object shows itself in at most 300 characters of 80 columns, and in a small safe page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.runs.toy_hits import toy_hits, write_toy
from tests.scoring.small_model import write_small_model
from tests.training.toy_pulses import PREPARATION, toy_pulses

import discrimen
from discrimen.formats.table import open_reader, open_writer
from discrimen.output.summary import Summarised
from discrimen.pulse_shape.upright import charges_of, upright
from discrimen.pulses.array import ChannelSettings
from discrimen.pulses.detector import DetectorSettings, GatesNs
from discrimen.pulses.list_mode import ListModeEvents
from discrimen.runs.dataset import runs_of
from discrimen.runs.hits_dataset import load_hits
from discrimen.scoring.scores import read_scores
from discrimen.training import EpochRecord
from discrimen.training.train import TrainingResult

GATES = GatesNs(short_gate_end_ns=40, long_gate_end_ns=400)


def of_training(folder: Path) -> TrainingResult:
    epochs = tuple(EpochRecord(epoch=n, loss=1 / n, val_loss=2 / n, duration_s=0.5) for n in range(1, 301))
    return TrainingResult(
        model=object(),
        description=discrimen.load(folder / "small.discrimen").description,
        folder=folder / ("a" * 120),
        history=epochs,
        best_epoch=7,
        stopped_by="interrupt",
        validation_index=np.arange(5000),
        n_training=9,
        n_unlabelled=8,
        n_invalid=7,
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Public objects by name, as their functions make them."""
    folder = tmp_path_factory.mktemp("shown")
    write_small_model(folder / "small.discrimen")
    with open_writer(
        folder / "set.lh5", DetectorSettings(polarity="negative", pretrigger_ns=150, gates=GATES)
    ) as writer:
        writer.write(toy_pulses(1000))
    return dict(made(folder))


def made(folder: Path) -> Iterator[tuple[str, Any]]:
    dataset, model = discrimen.read(folder / "set.lh5"), discrimen.load(folder / "small.discrimen")
    yield from {"dataset": dataset, "pulses": dataset.pulses, "model": model, "predictor": model.predictor}.items()
    yield "reference", discrimen.load(folder / "small.discrimen", backend="reference").predictor
    yield "settings", dataset.settings
    each = tuple(ChannelSettings(channel=n, gates=GATES) for n in range(64))
    yield "array", DetectorSettings(name="an array" * 30, channels=each)
    yield "description", model.description
    yield "preparation", PREPARATION
    yield "run info", open_reader(folder / "set.lh5").info
    yield "run", runs_of(dataset.pulses, dataset.files)[0]
    yield "hits", toy_hits(50)
    yield "hits data set", load_hits([write_toy(folder / "hits.h5", toy_hits(5))])
    yield "events", ListModeEvents(entry=np.arange(999), long_charge=np.ones(999))
    yield "charges", charges_of(dataset.pulses, PREPARATION, GATES)
    yield "upright", upright(dataset.pulses.samples, PREPARATION)
    yield "counts", discrimen.classify(model, folder / "set.lh5", folder / "scores.h5")
    yield "scores", read_scores(folder / "scores.h5")
    yield "simulated", discrimen.simulate(folder / "run.lh5", 50)
    yield "audit", discrimen.audit_dataset(dataset)
    yield "report", discrimen.evaluate(model, dataset)
    yield "training", of_training(folder)


def test_text_is_short(shown: dict[str, Any]) -> None:
    for name, each in shown.items():
        for text in (repr(each), str(each)):
            assert 0 < len(text) <= 300, name
            assert max(map(len, text.split("\n"))) <= 80, name
            assert text.startswith(type(each).__name__), name


def test_pages_are_small_and_safe(shown: dict[str, Any]) -> None:
    for name, each in shown.items():
        page = each._repr_html_()
        assert len(page) < 10_000, name
        assert "<script" not in page
        assert page.count("<tr>") == page.count("</tr>") > 0, name
    evil = shown["dataset"].files[0] | {"name": "<script>alert(1)</script>"}
    assert "&lt;script&gt;" in replace(shown["dataset"], files=(evil,))._repr_html_()


def test_what_people_ask_first_is_there(shown: dict[str, Any]) -> None:
    assert "1000 gamma, 1000 neutron" in repr(shown["pulses"])
    assert "every 10 ns" in repr(shown["pulses"])
    assert "set.lh5" in repr(shown["dataset"])
    assert "scores (gamma, neutron)" in repr(shown["model"])
    assert "native" in repr(shown["predictor"])
    assert "best 7" in repr(shown["training"])
    assert "val_loss 0.2857" in repr(shown["training"])
    overall = shown["report"].overall.methods["network"].leakage_at(0.95).leakage
    assert f"all energies: network {overall:.2%}" in repr(shown["report"])
    assert "64 x ChannelSettings" in repr(shown["array"])


def test_what_is_shown_is_a_part_of_what_is_kept(shown: dict[str, Any]) -> None:
    kept = len(json.dumps(shown["report"].as_dict()))
    assert kept > 100 * len(repr(shown["report"]))


def test_no_dataclass_writes_over_its_summary() -> None:
    kinds = list(Summarised.__subclasses__())
    for kind in kinds:
        kinds += kind.__subclasses__()
    assert len(kinds) > 40
    assert [kind for kind in kinds if kind.__repr__ is not Summarised.__repr__] == []
