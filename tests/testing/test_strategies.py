"""The strategies give what they promise, whatever is drawn; broken readers and predictors are found out."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings

from discrimen.errors import DataError, SettingsError
from discrimen.formats.table import open_reader, open_writer
from discrimen.inference.load import load_model
from discrimen.network.frozen_file import FrozenModel
from discrimen.network.made_up import made_up_pulses
from discrimen.network.prepare import prepare
from discrimen.pulses import COLUMNS, Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.testing import (
    broken_promises_of_predictor,
    broken_promises_of_reader,
    frozen_models,
    preparations,
    pulses,
    write_model,
)

FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(pulses())
def test_pulses_are_whole(drawn: Pulses) -> None:
    assert 1 <= len(drawn) <= 30
    assert drawn.n_samples == 60
    assert drawn.sample_period_ns is not None
    assert np.ptp(drawn.samples.astype(float), axis=1).min() > 10


@FEW
@given(frozen_models())
def test_models_are_computed_alike_by_all_that_compute_them(model: FrozenModel) -> None:
    samples = made_up_pulses(model.description.preparation, 9, seed=4)[:, 0]
    with TemporaryDirectory() as folder:
        path = write_model(model, Path(folder) / "m.discrimen")
        native, reference = load_model(path), load_model(path, backend="reference")
        assert broken_promises_of_predictor(native.predictor, samples) == []
        assert np.allclose(native.predictor.predict(samples), reference.predictor.predict(samples), atol=1e-5)


@FEW
@given(pulses(columns=("entry", "timestamp_ps", "label"), odd=True))
def test_pulses_come_back_from_a_file(drawn: Pulses) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.lh5"
        with open_writer(path, DetectorSettings()) as writer:
            writer.write(drawn)
        (back,) = open_reader(path).chunks()
    assert np.array_equal(back.samples, drawn.samples)
    assert all(np.array_equal(back.column(name), drawn.column(name)) for name in ("timestamp_ps", "label"))


def test_odd_pulses_and_every_kind_of_column_do_come() -> None:
    flat = find(pulses(odd=True), lambda p: bool((np.ptp(p.samples.astype(float), axis=1) == 0).any()))
    assert (np.ptp(flat.samples.astype(float), axis=1) == 0).any()
    whole = find(pulses(columns=tuple(COLUMNS)), lambda p: len(p.columns()) == len(COLUMNS))
    assert set(whole.columns()) == set(COLUMNS)
    assert find(preparations(), lambda p: p.alignment is not None and p.only.polarity == -1).only.polarity == -1
    with pytest.raises(SettingsError, match="at least 20 samples, got 9"):
        preparations(n_samples=9)


def test_pulses_for_a_preparation_can_be_prepared() -> None:
    @FEW
    @given(preparations().flatmap(lambda p: pulses(preparation=p).map(lambda drawn: (p, drawn))))
    def prepared(drawn: tuple[Any, Pulses]) -> None:
        assert prepare(drawn[1].samples, drawn[0]).valid.mean() > 0.5
        assert drawn[1].sample_period_ns == drawn[0].sample_period_ns

    prepared()


class Broken:
    """A predictor that breaks one promise."""

    def __init__(self, inner: Any, change: Callable[[Any, np.ndarray], Any]) -> None:
        self.inner, self.change = inner, change
        self.description, self.backend, self.judge = inner.description, inner.backend, inner.judge

    def predict(self, samples: np.ndarray) -> Any:
        return self.change(self.inner, samples)


def filled(inner: Any, samples: np.ndarray) -> Any:
    return np.nan_to_num(inner.predict(samples), nan=0.5)


def padded(inner: Any, samples: np.ndarray) -> Any:
    missing = max(0, inner.description.preparation.shortest_record - samples.shape[1])
    return inner.predict(np.pad(samples, ((0, 0), (0, missing)), mode="edge"))


def by_batch(inner: Any, samples: np.ndarray) -> Any:
    share = np.float32(0.01 / (1 + len(samples)))
    return inner.predict(samples) * (1 - share) + share * np.float32([1, 0])


def written(inner: Any, samples: np.ndarray) -> Any:
    samples[:] = samples
    return inner.predict(samples)


BROKEN = {
    "scores are float32": lambda inner, samples: inner.predict(samples).astype(float),
    "lie between 0 and 1": lambda inner, samples: inner.predict(samples) * np.float32(-1),
    "add up to 1": lambda inner, samples: inner.predict(samples) * np.float32(0.5),
    "score as all together": by_batch,
    "are never written to": written,
    "float32 differs": lambda inner, s: inner.predict(s if s.dtype.kind != "f" else s[::-1]),
    "scores NaN": filled,
    "samples are a DataError": padded,
    "judge scores as predict": lambda inner, samples: inner.predict(samples) + np.float32(1e-7),
}


@pytest.mark.parametrize("told", BROKEN)
def test_a_predictor_that_breaks_a_promise_is_told_which(told: str, tmp_path: Path) -> None:
    model = find(frozen_models(), lambda m: m.description.preparation.scale == "peak")
    predictor: Any = load_model(write_model(model, tmp_path / "m.discrimen")).predictor
    samples = made_up_pulses(model.description.preparation, 9, seed=4)[:, 0]
    assert broken_promises_of_predictor(predictor, samples) == []
    broken = broken_promises_of_predictor(Broken(predictor, BROKEN[told]), samples)
    assert any(told in line for line in broken), broken
    with pytest.raises(DataError, match="five or more pulses"):
        broken_promises_of_predictor(predictor, samples[:4])


def test_the_example_of_the_page_runs() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
    section = page.partition("## Tests for a plug-in\n")[2].partition("\n## ")[0]
    (example,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        FEW(test)()


def test_a_reader_is_tried_too(tmp_path: Path) -> None:
    with open_writer(tmp_path / "run.BIN", DetectorSettings(sample_period_ns=2.0)) as writer:
        writer.write(find(pulses(columns=()), lambda p: p.samples.dtype == np.uint16))
    assert broken_promises_of_reader(tmp_path / "run.BIN") == []
