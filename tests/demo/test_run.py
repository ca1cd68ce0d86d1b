"""The demo from its command, with a few pulses."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import discrimen
from discrimen.cli.main import main
from discrimen.network.height_curve import thresholds_of

pytestmark = pytest.mark.drawn


@pytest.mark.slow
def test_the_demo_ends_with_a_frozen_model_and_its_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ["--n-train", "3000", "--n-test", "2000", "--epochs", "3"]
    monkeypatch.setattr(sys, "argv", ["discrimen", "demo", "-o", str(tmp_path), *few])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    for name in ("demo.png", "inspect.png", "report", "model"):
        assert (tmp_path / name).exists()
    frozen = discrimen.load(tmp_path / "demo.discrimen")
    with h5py.File(tmp_path / "test.scores.h5") as scores:
        assert scores.attrs["model_sha256"] == frozen.sha256
    samples = discrimen.read(tmp_path / "test.BIN").pulses.samples
    scores, _, heights = frozen.predictor.judge(samples)
    threshold = frozen.description.thresholds["neutron-efficiency-0.95"]
    at = thresholds_of(threshold, heights, n_pulses=len(samples))
    is_neutron = scores[:, frozen.description.neutron_class] >= at
    told = capsys.readouterr().out
    assert f"{np.count_nonzero(is_neutron):,} neutrons" in told
    assert "Gamma leakage" in told
    made, _, proposed = told.partition("what to try next")
    named = [Path(line.split(": ")[0].strip()) for line in made.partition("what was made:")[2].splitlines() if line]
    assert tmp_path / "index.html" in named
    assert [path for path in named if not path.exists()] == []
    assert f"discrimen bench {tmp_path / 'demo.discrimen'}" in proposed
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    places = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert {"demo.png", "named.png", "report/report.html", "autoencoder/latents.png"} <= set(places)
    assert [place for place in places if not (tmp_path / place).is_file()] == []
    for name in ("reconstruction.png", "latents.png", "correlation.png"):
        assert (tmp_path / "autoencoder" / name).read_bytes().startswith(b"\x89PNG")
    assert discrimen.load(tmp_path / "autoencoder.discrimen").description.outputs[1].kind == "code"
