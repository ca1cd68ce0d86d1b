"""Runs judged from their files: what a stage passes by is not judged either."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.reconstruction.copying_model import write_copying_model
from tests.reconstruction.test_denoise import CLIPPED, odd_pulses, written

from discrimen.evaluation.waveforms import evaluate_runs
from discrimen.formats.table import open_reader
from discrimen.inference.native import NativePredictor


def test_saturated_pulses_are_left_out_with_their_clean_records(tmp_path: Path) -> None:
    pulses = odd_pulses()
    run = written(tmp_path / "run.lh5", pulses)
    shift = np.arange(60, dtype=np.float32)[:, np.newaxis]
    shift[CLIPPED] = 1000
    clean = written(tmp_path / "clean.lh5", pulses.replace(samples=pulses.samples + shift))
    predictor = NativePredictor(write_copying_model(tmp_path / "copy.discrimen"), threads=1)
    report = evaluate_runs(predictor, [open_reader(run)], clean=[open_reader(clean)])
    assert (report.n_pulses, report.n_unprepared, report.n_outside) == (59, 1, 1)
    assert "1 saturated pulses are left out" in report.notes
    left = np.delete(np.arange(60.0), [3, CLIPPED, 11])
    found = report.ranges[0].figures["residual_rms_adc"].value
    assert found == pytest.approx(np.sqrt(np.square(left).mean()), rel=1e-3)
