"""The pictures of a training, drawn from figures that no network had to give."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.training import EpochRecord
from discrimen.training.plots import roc_image, score_image, write_training_curve

SCORES = np.array([0.1, 0.2, 0.2, 0.6, 0.4, 0.8, 0.9, 1.0])
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1], np.int32)


def record(epoch: int, val_loss: float) -> EpochRecord:
    metrics = {"accuracy": 0.9, "val_accuracy": 0.8}
    return EpochRecord(epoch=epoch, loss=1 / epoch, val_loss=val_loss, metrics=metrics, duration_s=1.0)


def n_colours(pixels: NDArray[np.uint8]) -> int:
    return len(np.unique(pixels.reshape(-1, 3), axis=0))


@pytest.mark.parametrize(
    "losses", [[0.5], [0.5, 0.05], [0.5, float("nan")]], ids=["one epoch", "a large fall", "no number"]
)
def test_the_curve_is_a_png_in_colour(losses: list[float], tmp_path: Path) -> None:
    records = [record(number, loss) for number, loss in enumerate(losses, 1)]
    write_training_curve(records, best_epoch=1, loss_label="cross entropy", path=tmp_path / "training.png")
    assert (tmp_path / "training.png").read_bytes().startswith(b"\x89PNG")
    pixels = matplotlib.image.imread(tmp_path / "training.png")[..., :3]
    assert pixels.shape[:2] == (910, 1040)
    assert n_colours(pixels) > 10


@pytest.mark.parametrize("draw", [roc_image, score_image])
@pytest.mark.parametrize("scores", [SCORES, np.zeros(8), SCORES[::-1].copy()], ids=["apart", "the same", "swapped"])
def test_scores_become_an_image(draw: object, scores: NDArray[np.float64]) -> None:
    pixels = draw(scores, LABELS)  # type: ignore[operator]
    assert (pixels.dtype, pixels.ndim, pixels.shape[2]) == (np.uint8, 3, 3)
    assert n_colours(pixels) > 10


def test_better_scores_give_another_curve() -> None:
    assert not np.array_equal(roc_image(SCORES, LABELS), roc_image(LABELS * 0.5, LABELS))
