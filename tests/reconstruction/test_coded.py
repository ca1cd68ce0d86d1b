"""What a report on codes judges is what `decode` writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.reconstruction.coding_model import COUNTS, write_coding_model
from tests.reconstruction.test_denoise import CLIPPED, FLAT, LATE, odd_pulses, read, written
from tests.reconstruction.test_encode import encoded
from tests.training.toy_pulses import PREPARATION

from discrimen.network.preparation import Preparation
from discrimen.reconstruction.coded import CodedPredictor
from discrimen.reconstruction.decode import decode_file


@pytest.mark.parametrize("preparation", [COUNTS, replace(PREPARATION, scale="area")])
def test_the_waveform_is_the_record_that_is_decoded(tmp_path: Path, preparation: Preparation) -> None:
    model = write_coding_model(tmp_path / "coder.discrimen", preparation=preparation)
    pulses = odd_pulses()
    step = 8.0 if preparation is COUNTS else 0.002
    done = encoded(tmp_path, model, written(tmp_path / "run.lh5", pulses), step=step)
    decode_file(tmp_path / "run.codes", model, tmp_path / "back.lh5", threads=1)
    coded = CodedPredictor.of(model, done.header, threads=1)
    given = coded.reconstruct(pulses.samples).waveforms_adc[:, 0]
    stored = np.setdiff1d(np.arange(60), [FLAT, CLIPPED, LATE])
    np.testing.assert_allclose(given[stored], read(tmp_path / "back.lh5").samples[stored], atol=0.01)
    assert np.isnan(given[[FLAT, CLIPPED]]).all()


def test_the_code_is_the_one_that_is_stored(tmp_path: Path) -> None:
    model = write_coding_model(tmp_path / "coder.discrimen")
    pulses = odd_pulses()
    done = encoded(tmp_path, model, written(tmp_path / "run.lh5", pulses), step=8.0)
    coded = CodedPredictor.of(model, done.header, threads=1)
    codes = coded.encode(pulses.samples).codes
    assert [output.kind for output in coded.description.outputs] == ["waveform", "code"]
    np.testing.assert_array_equal(codes[LATE] % 8.0, 0)
    assert np.isnan(codes[[FLAT, CLIPPED]]).all()
