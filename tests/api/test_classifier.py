"""The classifier with the methods of scikit-learn: what it gives is what the functions of the package give."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.model_selection import cross_val_score
from tests.scoring.small_model import write_small_model
from tests.training.toy_pulses import toy_pulses

import discrimen
from discrimen import PulseClassifier
from discrimen.errors import DataError, OutputError, SettingsError
from discrimen.network.height_curve import HeightCurve
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

SETTINGS = DetectorSettings(sample_period_ns=10.0, polarity="negative", pretrigger_ns=150)
QUICK: dict[str, Any] = {"settings": SETTINGS, "accept": True, "architecture": "mlp", "options": {"hidden": (4,)}}


@pytest.fixture(scope="module")
def pulses() -> Pulses:
    shuffled = np.random.default_rng(3).permutation(400)
    return toy_pulses(200)[shuffled]


@pytest.fixture(scope="module")
def fitted(pulses: Pulses) -> PulseClassifier:
    return PulseClassifier(epochs=15, learning_rate=0.02, **QUICK).fit(pulses)


def test_what_was_learnt_is_given_for_pulses_arrays_and_data_sets(fitted: PulseClassifier, pulses: Pulses) -> None:
    scores = fitted.predict_proba(pulses)
    assert scores.shape == (400, 2)
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(fitted.predict_proba(pulses.samples), scores)
    assert np.array_equal(scores, fitted.model_.predictor.predict(pulses.samples))
    assert np.array_equal(fitted.predict(pulses), (scores[:, 1] >= 0.5).astype(np.int8))
    assert fitted.classes_.tolist() == [0, 1]
    assert fitted.score(pulses) == fitted.score(pulses.samples, pulses.label) > 0.9
    assert fitted.set_params(threshold=1.0).predict(pulses).sum() == 0
    fitted.set_params(threshold=None)


def test_a_pulse_without_a_score_is_neither(fitted: PulseClassifier, pulses: Pulses) -> None:
    flat = np.full((1, 75), 8000, np.uint16)
    assert fitted.predict(flat).tolist() == [discrimen.Label.UNKNOWN]
    assert np.isnan(fitted.predict_proba(flat)).all()


def test_it_lives_in_a_folder_or_a_frozen_file(fitted: PulseClassifier, pulses: Pulses, tmp_path: Path) -> None:
    scores = fitted.predict_proba(pulses)
    fitted.save(tmp_path / "folder")
    fitted.save(tmp_path / "m.discrimen")
    for name in ("folder", "m.discrimen"):
        assert np.allclose(PulseClassifier.load(tmp_path / name).predict_proba(pulses), scores, atol=1e-5)
    frozen = PulseClassifier.load(tmp_path / "m.discrimen")
    frozen.save(tmp_path / "n.discrimen")
    assert (tmp_path / "n.discrimen").read_bytes() == (tmp_path / "m.discrimen").read_bytes()
    with pytest.raises(OutputError, match="is there already"):
        fitted.save(tmp_path / "folder")
    with pytest.raises(SettingsError, match="cannot become a folder again"):
        frozen.save(tmp_path / "other")


def test_the_folder_that_is_named_holds_the_training(pulses: Pulses, tmp_path: Path) -> None:
    made = PulseClassifier(tmp_path / "model", epochs=1, **QUICK).fit(pulses)
    assert (tmp_path / "model" / "history.csv").is_file()
    assert discrimen.load(tmp_path / "model").sha256 == made.model_.sha256
    with pytest.raises(OutputError):
        made.fit(pulses)


def test_scikit_learn_takes_it(pulses: Pulses) -> None:
    made = PulseClassifier(epochs=2, **QUICK)
    assert is_classifier(made)
    assert clone(made).get_params() == made.get_params()
    found = cross_val_score(made, pulses.samples, pulses.label, cv=2)
    assert found.shape == (2,)
    assert ((found >= 0) & (found <= 1)).all()


def test_a_folder_of_its_own_goes_with_it(pulses: Pulses) -> None:
    made = PulseClassifier(epochs=1, **QUICK).fit(pulses)
    folder = made.model_.path
    assert (folder / "model.keras").is_file()
    del made
    gc.collect()
    assert not folder.parent.exists()


def test_what_is_missing_is_said(pulses: Pulses) -> None:
    made = PulseClassifier(epochs=1)
    with pytest.raises(SettingsError, match="there is no model yet: call fit, or load one"):
        made.predict(pulses)
    with pytest.raises(DataError, match="an array has no labels: give y"):
        made.fit(pulses.samples)
    with pytest.raises(SettingsError, match="an array does not say how it was digitised"):
        made.fit(pulses.samples, pulses.label)
    with pytest.raises(DataError, match=r"a label for each of 400 pulses, got shape \(3,\)"):
        made.fit(pulses, np.zeros(3, np.int8))
    assert "none yet" in repr(made)


def test_pulses_of_another_kind_are_refused(fitted: PulseClassifier, pulses: Pulses) -> None:
    with pytest.raises(DataError, match="sampled every 2 ns"):
        fitted.predict(pulses.replace(sample_period_ns=2.0))
    with pytest.raises(DataError):
        fitted.predict(pulses.samples[:, :20])


def test_a_threshold_may_follow_the_height(pulses: Pulses, tmp_path: Path) -> None:
    curve = HeightCurve(height_adc=(100.0, 5000.0), threshold=(0.9, 0.1))
    path = write_small_model(tmp_path / "m.discrimen", threshold=curve)
    made = PulseClassifier.load(path)
    judged = made.model_.predictor.judge(pulses.samples)
    expected = judged.scores[:, 1] >= curve.at(judged.height_adc)
    assert np.array_equal(made.predict(pulses) == 1, expected)
    assert 0 < expected.sum() < 400
