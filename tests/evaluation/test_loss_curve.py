"""Where the loss of each epoch comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from discrimen.errors import FormatError
from discrimen.evaluation import NotComputed
from discrimen.evaluation.loss_curve import loss_curve
from discrimen.evaluation.report_parts import LossCurve

EXPECTED = LossCurve(loss=(0.5, 0.25), validation_loss=(0.4, 0.3))


def test_a_folder_and_a_model_in_it_have_a_history(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("epoch,loss,val_loss\n1,0.5,0.4\n2,0.25,0.3\n")
    assert loss_curve(tmp_path, {}) == loss_curve(tmp_path / "model.keras", {}) == EXPECTED


def test_a_frozen_file_carries_it_and_does_not_take_a_stranger_beside_it(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("epoch,loss,val_loss\n1,9,9\n")
    frozen = tmp_path / "x.discrimen"
    assert loss_curve(frozen, {"history": {"loss": [0.5, 0.25], "val_loss": [0.4, 0.3]}}) == EXPECTED
    assert isinstance(loss_curve(frozen, {}), NotComputed)


def test_a_broken_history_is_named(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("epoch,loss\n1,0.5\n")
    with pytest.raises(FormatError, match=r"history\.csv: expected the columns loss and val_loss"):
        loss_curve(tmp_path, {})
