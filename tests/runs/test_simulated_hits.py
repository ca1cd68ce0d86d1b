"""Simulated hits and bases as files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import OutputError
from discrimen.runs.hits_file import hits_info, read_hits
from discrimen.runs.simulated_hits import simulate_basis_file, simulate_hits_file
from discrimen.simulation.germanium.basis import BasisWish
from discrimen.simulation.germanium.crystal import read_crystal
from discrimen.simulation.germanium.simulate import GermaniumConfig, simulate_hits

pytest.importorskip("numba")

CONFIG = GermaniumConfig(n_hits=20, energy_kev=(500.0, 500.0), field_spacing_mm=4.0, seed=1)


def test_file_holds_what_was_simulated_and_says_of_what(tmp_path: Path) -> None:
    seen: list[int] = []
    done = simulate_hits_file(CONFIG, tmp_path / "hits.h5", on_progress=seen.append)
    assert (done.n_hits, done.n_several, seen) == (20, 0, [20])
    hits = read_hits(done.output)
    assert np.array_equal(hits.samples, next(simulate_hits(CONFIG)).samples)
    assert hits.channels[15] == "D3"
    info = hits_info(done.output)
    assert info.provenance["simulation"]["crystal"]["bias_v"] == 5000
    assert info.provenance["simulation"]["crystal_sha256"] == read_crystal("greta-a").digest()
    assert info.provenance["simulation"]["seed"] == 1


def test_clean_hits_are_the_same_before_noise(tmp_path: Path) -> None:
    done = simulate_hits_file(CONFIG, tmp_path / "hits.h5", clean=tmp_path / "clean.h5")
    hits, clean = read_hits(done.output), read_hits(tmp_path / "clean.h5")
    assert np.array_equal(hits.samples, next(simulate_hits(CONFIG)).samples)
    assert clean.samples.dtype == np.float32
    assert not clean.samples[:, :, :18].any()
    noise = hits.samples - clean.samples
    assert noise.std() == pytest.approx(3.0 * 2.4, rel=0.02)
    assert np.abs(np.corrcoef(noise.ravel(), clean.samples.ravel())[0, 1]) < 0.02
    for name, column in hits.columns.items():
        assert np.array_equal(column, clean.column(name), equal_nan=column.dtype.kind == "f")
    with pytest.raises(OutputError, match="is the file of the recorded hits"):
        simulate_hits_file(CONFIG, tmp_path / "hits.h5", clean=tmp_path / "hits.h5")


def test_clean_hits_have_the_cross_talk_of_the_recorded_ones(tmp_path: Path) -> None:
    crossed = replace(CONFIG, electronics=replace(CONFIG.electronics, linear_crosstalk=0.01, noise_kev=0.0))
    simulate_hits_file(crossed, tmp_path / "hits.h5", clean=tmp_path / "clean.h5")
    hits, clean = read_hits(tmp_path / "hits.h5"), read_hits(tmp_path / "clean.h5")
    assert np.abs(hits.samples - clean.samples).max() <= 0.51
    assert clean.samples[:, :36, -1].min() < -5


def test_basis_is_made_once(tmp_path: Path) -> None:
    crystal, wish = read_crystal("greta-a"), BasisWish(spacing_mm=8.0, field_spacing_mm=4.0, segment=20)
    first, made = simulate_basis_file(crystal, wish, tmp_path / "basis.h5")
    again, made_again = simulate_basis_file(crystal, wish, tmp_path / "basis.h5")
    assert (made, made_again) == (True, False)
    assert np.array_equal(first.traces, again.traces)


def test_other_files_are_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "thesis.h5"
    path.write_text("ten years of work")
    with pytest.raises(OutputError, match="holds no hits"):
        simulate_hits_file(CONFIG, path)
    with pytest.raises(OutputError, match="holds no basis"):
        simulate_basis_file(read_crystal("greta-a"), BasisWish(), path)
    with pytest.raises(OutputError, match=r"ends in \.h5"):
        simulate_hits_file(CONFIG, tmp_path / "hits.lh5")
    assert path.read_text() == "ten years of work"
