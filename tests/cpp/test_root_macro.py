"""The ROOT macro writes a friend tree with the scores of the reference, run by CERN's ROOT."""

from __future__ import annotations

import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from tests.cpp import native_build

from discrimen.formats.base import ReadOptions
from discrimen.formats.compass.root_file import FORMAT
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import chain
from discrimen.network.layers import Dense, Flatten
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import one_channel

RUN = Path(__file__).parents[1] / "formats" / "golden" / "compass_data_r.root"
MACRO = native_build.REPOSITORY / "cpp" / "examples" / "root" / "classify.C"
N_ENTRIES = 60
FAKE = (7, 8)
LENGTH = 40

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def root_program() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("ROOT", reason="NO ROOT: pip install root, then run `make test-root`")
    found = shutil.which("root", path=str(Path(sys.executable).parent)) or shutil.which("root")
    assert found, "the module ROOT is there, but not the program root"
    return found


def write_model(path: Path) -> Path:
    """Freeze a network that takes records of 40 samples: the golden run has such and shorter ones."""
    preparation = one_channel(
        sample_period_ns=2.0, polarity=-1, baseline_start=0, baseline_stop=8, window_start=0, window_length=LENGTH
    )
    rng = np.random.default_rng(3)
    kernel = rng.normal(0, 0.2, (LENGTH, 2)).astype(np.float32)
    network = chain([Flatten(), Dense(kernel=kernel, bias=np.zeros(2, np.float32))])
    description = ModelDescription(preparation=preparation)
    golden = golden_vectors(network, description, rng.integers(0, 16384, (4, 1, LENGTH)).astype(np.int32))
    write_frozen(FrozenModel(description, network, golden), path)
    return path


def expected_scores(model: Path) -> np.ndarray:
    neutron = np.full(N_ENTRIES, np.nan)
    for pulses in FORMAT.open_reader(RUN, ReadOptions()).chunks():
        if pulses.samples.shape[1] >= LENGTH:
            neutron[pulses.column("entry")] = ReferencePredictor(model).predict(pulses.samples)[:, 1]
    return neutron


def test_macro_writes_one_score_for_each_entry(root_program: str, tmp_path: Path) -> None:
    prefix = native_build.install_engine()
    model = write_model(tmp_path / "model.discrimen")
    call = f'{MACRO}("{model}", "{RUN}", "{tmp_path / "scores.root"}")'
    printed = native_build.run(root_program, "-l", "-b", "-q", call, environment={"PREFIX": str(prefix)})

    import ROOT

    run = ROOT.TFile.Open(str(RUN))
    tree = run.Get("Data_R")
    tree.AddFriend("discrimen", str(tmp_path / "scores.root"))
    count = tree.Draw("Entry$:discrimen.neutron", "", "goff")
    assert count == N_ENTRIES
    written = np.array([tree.GetVal(1)[row] for row in range(count)])
    expected = expected_scores(model)
    fake = np.isin(np.arange(N_ENTRIES), FAKE)  # the reader leaves them out; the macro scores whatever has samples
    assert np.isfinite(expected[~fake]).sum() > 20
    np.testing.assert_allclose(written[~fake], expected[~fake], atol=1e-5)
    assert f"{np.isfinite(written).sum()} of {N_ENTRIES} entries scored" in printed
    run.Close()
