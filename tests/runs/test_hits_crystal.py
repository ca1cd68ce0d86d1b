from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import DataError, FormatError
from discrimen.pulses.hits import Hits
from discrimen.runs.hits_crystal import crystal_of_hits, crystals_of_files, other_crystal, walls_of_hits
from discrimen.runs.hits_dataset import load_hits
from discrimen.runs.hits_file import HitsWriter, hits_info
from discrimen.simulation.germanium.crystal import Crystal, read_crystal

GRETA, AGATA = read_crystal("greta-a"), read_crystal("agata")
PLACES_MM = np.array([[20.0, 0.0, 8.0], [20.0, 0.0, 30.5], [np.nan, 0.0, 30.5]])


def written(path: Path, crystal: dict | None) -> Path:
    columns = {f"{axis}_mm": PLACES_MM[:, number] for number, axis in enumerate("xyz")}
    hits = Hits(samples=np.zeros((3, 2, 8), np.int16), sample_period_ns=10.0, columns=columns, channels=("A1", "core"))
    with HitsWriter(path, {} if crystal is None else {"simulation": {"crystal": crystal}}) as writer:
        writer.write(hits)
    return path


def test_a_file_of_simulated_hits_knows_its_crystal_and_the_walls(tmp_path: Path) -> None:
    known = written(tmp_path / "known.h5", GRETA.model_dump())
    other = written(tmp_path / "other.h5", None)
    dataset = load_hits([known, other])
    crystals = crystals_of_files(dataset.files)
    assert crystals == [GRETA, None]
    walls = walls_of_hits(dataset.hits, crystals, [3, 3])
    assert walls is not None
    assert walls[0] == 0
    assert walls[1] > 0
    assert np.isnan(walls[2:]).all()
    assert walls_of_hits(dataset.hits, [None, None], [3, 3]) is None
    with pytest.raises(FormatError, match="names a crystal that cannot be"):
        crystal_of_hits(hits_info(written(tmp_path / "bad.h5", {**GRETA.model_dump(), "length_mm": 80})))


def test_hits_of_another_crystal_are_refused_and_of_another_field_told() -> None:
    def told(hits: Crystal | None, *known: Crystal | None) -> str | None:
        return other_crystal(hits, known, whose="the basis", where="run.h5")

    assert told(GRETA, GRETA) is told(GRETA, None, AGATA, GRETA) is told(None, GRETA) is told(GRETA, None) is None
    with pytest.raises(DataError, match=r"run.h5: these hits are of the crystal greta-a, the basis is of agata, whose"):
        told(GRETA, AGATA)
    assert "(greta-a) has other impurities" in str(told(GRETA.model_copy(update={"bias_v": 4500.0}), GRETA))
