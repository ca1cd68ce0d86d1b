"""Simulated hits and bases as files."""

from __future__ import annotations

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
