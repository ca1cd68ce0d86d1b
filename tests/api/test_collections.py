"""Collections as Python and other libraries take them: length, slices, pandas, Arrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.runs.toy_hits import toy_hits, write_toy
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.errors import DataError
from discrimen.pulse_shape.upright import charges_of
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings, GatesNs
from discrimen.pulses.list_mode import ListModeEvents
from discrimen.runs.dataset import Dataset, file_of_pulse
from discrimen.runs.hits_dataset import load_hits
from discrimen.scoring.score_rows import ScoreRows, ScoreTable

N = 40


def dataset() -> Dataset:
    pulses = toy_pulses(N // 2).replace(
        energy=np.arange(N, dtype=float), run=np.repeat([0, 1], N // 2).astype(np.int32)
    )
    files = tuple({"name": name, "sha256": name * 64, "n_pulses": N // 2} for name in "ab")
    return Dataset(pulses=pulses, settings=DetectorSettings(), files=files, n_unlabelled=0)


def collections(folder: Path) -> dict[str, Any]:
    gates = GatesNs(short_gate_end_ns=40, long_gate_end_ns=400)
    score = np.linspace(0, 1, 2 * N, dtype=np.float32).reshape(N, 2)
    rows = ScoreRows(entry=np.arange(N), score=score, psd=np.ones(N, np.float32))
    return {
        "pulses": dataset().pulses,
        "data set": dataset(),
        "hits": toy_hits(N),
        "hits data set": load_hits([write_toy(folder / "h.h5", toy_hits(N))]),
        "events": ListModeEvents(entry=np.arange(N), long_charge=np.ones(N)),
        "charges": charges_of(dataset().pulses, PREPARATION, gates),
        "scores": ScoreTable(rows, ("gamma", "neutron"), {"model": "m"}),
    }


def test_all_have_a_length_slices_tables(tmp_path: Path) -> None:
    for name, each in collections(tmp_path).items():
        assert len(each) == N, name
        for index, at in ((slice(5, 30, 2), np.arange(5, 30, 2)), (np.arange(N) > 20, np.arange(21, N)), (-2, [N - 2])):
            taken = each[index]
            assert type(taken) is type(each), name
            for column, values in each.table_columns().items():
                assert np.array_equal(taken.table_columns()[column], values[at], equal_nan=values.dtype.kind == "f")
        frame = each.to_pandas()
        assert isinstance(frame, pd.DataFrame)
        assert len(frame) == N, name
        assert set(frame.columns) == {c for c, values in each.table_columns().items() if values.ndim == 1}
        table, batch = each.to_arrow(), pa.record_batch(each)
        assert table.num_rows == batch.num_rows == N, name
        assert table.column_names == batch.schema.names == list(each.table_columns())
        with pytest.raises(IndexError, match="position 40 lies outside of 40 rows"):
            each[N]


def test_waveforms_go_to_arrow_and_back_without_loss() -> None:
    pulses = dataset().pulses
    swapped = pulses.replace(samples=pulses.samples.astype(">u2"))
    for each in (pulses, swapped):
        column = each.to_arrow()["samples"].combine_chunks()
        assert column.type == pa.list_(pa.uint16(), 75)
        assert np.array_equal(column.flatten().to_numpy().reshape(N, 75), pulses.samples)
    assert pulses.to_arrow().schema.metadata == {b"sample_period_ns": b"10"}
    assert pulses.to_pandas().attrs == {"sample_period_ns": "10"}
    part = pulses[3:9].to_arrow()["samples"].combine_chunks()
    assert np.array_equal(part.flatten().to_numpy().reshape(6, 75), pulses.samples[3:9])
    hits = toy_hits(4)
    there = hits.to_arrow()["samples"].combine_chunks()
    assert np.array_equal(there.flatten().flatten().to_numpy().reshape(hits.samples.shape), hits.samples)


def test_pulses_without_columns_are_rows_all_the_same() -> None:
    bare = Pulses(samples=np.zeros((3, 4), np.int16), sample_period_ns=None)
    assert bare.to_pandas().shape == (3, 0)
    assert bare.to_arrow().num_rows == 3
    assert list(bare)[2].samples.shape == (1, 4)


def test_a_part_of_a_data_set_knows_its_files() -> None:
    whole = dataset()
    part = whole[np.array([3, 4, 25, 39])]
    assert [(file["name"], file["n_pulses"]) for file in part.files] == [("a", 2), ("b", 2)]
    assert file_of_pulse(part.files).tolist() == part.pulses.column("run").tolist()
    assert [file["name"] for file in whole[:5].files] == ["a"]
    with pytest.raises(DataError, match="give positions that ascend"):
        whole[np.array([25, 3])]
