"""Training with one random coordinate of each hit, as scans give them, against all three."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.runs.toy_hits import toy_hits

from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.inference.positions import locate_hits
from discrimen.network.prepare.choose_hits import choose_hits_preparation
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.hits import Hits
from discrimen.training import Regression, TrainingConfig, train
from discrimen.training.tasks.regression import position

ALLOWED = 1.25


def one_coordinate_known(hits: Hits) -> Hits:
    kept = np.random.default_rng(4).integers(0, 3, len(hits))
    columns = {
        name: np.where(kept == number, hits.column(name), np.nan).astype(np.float32)
        for number, name in enumerate(("x_mm", "y_mm", "z_mm"))
    }
    return replace(hits, columns={**hits.columns, **columns})


def rms_mm(hits: Hits, folder: Path) -> np.ndarray:
    preparation = choose_hits_preparation(hits, DetectorSettings(), reference="core", scale="area")
    config = TrainingConfig(
        task=Regression((position(),)),
        architecture="mlp",
        options={"hidden": (48, 24)},
        epochs=20,
        batch_size=200,
        learning_rate_decay="cosine",
        patience=None,
    )
    train(hits, preparation, config, folder=folder)
    tried = toy_hits(1500, seed=1, noise_adc=1.0)
    truth = np.stack([tried.column(f"{axis}_mm") for axis in "xyz"], axis=1)
    found = locate_hits(KerasPredictor(folder), tried)
    return np.sqrt(np.square(found.position_mm - truth).mean(axis=0))


@pytest.mark.slow
def test_one_known_coordinate_of_each_hit_is_nearly_as_good_as_three(tmp_path: Path) -> None:
    hits = toy_hits(12_000, noise_adc=1.0)
    some = one_coordinate_known(hits)
    assert np.isfinite(some.column("z_mm")).mean() == pytest.approx(1 / 3, abs=0.02)
    all_three, one_of_three = rms_mm(hits, tmp_path / "all"), rms_mm(some, tmp_path / "one")
    spread = np.std(np.stack([hits.column(f"{axis}_mm") for axis in "xyz"]), axis=1)
    assert (all_three < 0.25 * spread).all()
    assert np.sqrt(np.square(one_of_three).sum() / np.square(all_three).sum()) < ALLOWED
