"""Long records through the whole of compression: trained, frozen, encoded, decoded."""

from __future__ import annotations

from pathlib import Path

import pytest

from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader, open_writer
from discrimen.freezing.freeze import freeze
from discrimen.network.prepare import choose_preparation
from discrimen.pulses import concatenate
from discrimen.pulses.detector import DetectorSettings
from discrimen.reconstruction.decode import decode_file
from discrimen.reconstruction.encode import encode_runs
from discrimen.reconstruction.encoding import EncodingOptions
from discrimen.training import Compression, TrainingConfig, train

RUN = "lh5/LDQTA_r117_20200110T105115Z_cal_geds_raw.lh5"
SETTINGS = DetectorSettings(sample_period_ns=16, polarity="positive", pretrigger_ns=43_000)


@pytest.mark.real_data
@pytest.mark.slow
def test_germanium_goes_through_a_frozen_file_without_square_kernels(real_data: Path, tmp_path: Path) -> None:
    pulses = concatenate(open_reader(real_data / RUN, ReadOptions(settings=SETTINGS)).chunks())
    preparation = choose_preparation(SETTINGS, n_samples=pulses.n_samples, scale="none")
    options = {"code": 4, "hidden": ()}
    config = TrainingConfig(
        task=Compression(), architecture="dense_autoencoder", options=options, epochs=1, batch_size=8
    )
    train(pulses[:70], preparation, config, folder=tmp_path / "model", settings=SETTINGS)
    model, run = tmp_path / "coder.discrimen", tmp_path / "run.lh5"
    freeze(tmp_path / "model", model)
    most_bytes = 256 * (4 + 8) * pulses.n_samples + 2**20  # golden vectors and little else
    assert model.stat().st_size < most_bytes
    with open_writer(run, SETTINGS) as writer:
        writer.write(pulses[70:])
    codes, back = tmp_path / "run.codes", tmp_path / "back.lh5"
    done = encode_runs([open_reader(run)], model, codes, options=EncodingOptions(most_outside=1.0, threads=1))
    decode_file(codes, model, back, threads=1)
    assert done.runs[0].counts["n_encoded"] > 20
    assert concatenate(open_reader(back).chunks()).samples.shape == pulses[70:].samples.shape
