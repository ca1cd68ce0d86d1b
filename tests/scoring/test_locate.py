"""Positions of hits into files, by a predictor that reads them off the samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
from tests.runs.toy_hits import CHANNELS, toy_hits, write_toy

from discrimen.errors import DataError, FormatError, OutputError, SettingsError
from discrimen.inference.positions import ModelLocator, locate_hits
from discrimen.network.hits_domain import DOMAIN_KEY, PositionFlag, learn_hits_domain
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import ClassThreshold, Output, class_scores
from discrimen.network.prepare.choose_hits import choose_hits_preparation
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.hits import Hits
from discrimen.scoring.locate import locate_files
from discrimen.scoring.positions_file import open_position_writer, read_positions

TRAINED = toy_hits(300, seed=9)
PREPARATION = choose_hits_preparation(TRAINED, DetectorSettings(), reference="core")
POSITION = Output(name="position", kind="quantity", shape=(3,), unit="mm", names=("x", "y", "z"), with_error=True)
DESCRIPTION = ModelDescription(
    preparation=PREPARATION,
    outputs=(POSITION,),
    provenance={DOMAIN_KEY: learn_hits_domain(TRAINED, PREPARATION).as_dict()},
)


def run(samples: np.ndarray, *, present: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
    """Give the last samples of A1, B1 and the core as the position, and 1, 2, 3 as its errors."""
    last = samples[:, [0, 1, -1], -1].astype(np.float32)
    return (np.concatenate([last, np.tile(np.float32([1, 2, 3]), (len(samples), 1))], axis=1),)


PREDICTOR: Any = SimpleNamespace(description=DESCRIPTION, backend="test", run=run)
LOCATOR = ModelLocator(PREDICTOR)


def with_faults(hits: Hits) -> Hits:
    present = np.ones((len(hits), 37), bool)
    present[0, -1] = present[1, 5] = False
    return replace(hits, present=present)


@pytest.mark.parametrize("suffix", [".h5", ".parquet", ".root"])
def test_positions_of_all_files_are_written_with_units_and_flags(tmp_path: Path, suffix: str) -> None:
    first, second = with_faults(toy_hits(40)), with_faults(toy_hits(30, seed=1))
    paths = [write_toy(tmp_path / "a.h5", first), write_toy(tmp_path / "b.h5", second)]
    done = locate_files(paths, LOCATOR, tmp_path / f"p{suffix}", model_sha256="abc")
    assert [(file.n_hits, file.n_located) for file in done.files] == [(40, 38), (30, 28)]
    columns, attributes = read_positions(tmp_path / f"p{suffix}")
    assert columns["file"].tolist() == [0] * 40 + [1] * 30
    assert columns["entry"].tolist() == [*range(40), *range(30)]
    assert np.array_equal(columns["segment"], np.r_[first.column("segment"), second.column("segment")])
    assert columns["flags"][:3].tolist() == [PositionFlag.NO_REFERENCE, PositionFlag.MISSING_CHANNELS, 0]
    assert np.isnan(columns["x_mm"][:2]).all()
    assert np.isnan(columns["z_error_mm"][:2]).all()
    assert columns["x_mm"][2:40].tolist() == first.samples[2:, 0, -1].tolist()
    assert set(columns["y_error_mm"][2:40].tolist()) == {2.0}
    assert attributes["model_sha256"] == "abc"
    assert "1 without the channel that time and gain are taken from" in done.files[0].told()


def test_units_stand_beside_the_columns(tmp_path: Path) -> None:
    h5py, parquet = pytest.importorskip("h5py"), pytest.importorskip("pyarrow.parquet")
    path = write_toy(tmp_path / "a.h5", toy_hits(5))
    locate_files([path], LOCATOR, tmp_path / "p.h5", model_sha256="")
    locate_files([path], LOCATOR, tmp_path / "p.parquet", model_sha256="")
    with h5py.File(tmp_path / "p.h5") as file:
        assert {file[name].attrs["units"] for name in ("x_mm", "z_error_mm")} == {"mm"}
        assert file["energy_kev"].attrs["units"] == "keV"
    assert parquet.read_schema(tmp_path / "p.parquet").field("x_mm").metadata == {b"unit": b"mm"}


def knows_two(*, share: float) -> Any:
    """A predictor of one or two: each second hit has two, the smaller one 100 mm further in x."""
    names, number = ("x", "y", "z"), Output(name="share", kind="quantity", shape=(1,), unit="1", with_error=True)
    second = Output(name="second_position", kind="quantity", shape=(3,), unit="mm", names=names, with_error=True)
    threshold = {"false_pairs_5_percent": ClassThreshold(0.25, of="two")}
    scores = replace(class_scores(("one", "two"), name="interactions"), thresholds=threshold)

    def run_two(samples: np.ndarray, *, present: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
        first = run(samples, present=present)[0]
        two = np.where(np.arange(len(samples)) % 2, 0.9, 0.1).astype(np.float32)
        share_row = np.tile(np.float32([share, 0.05]), (len(samples), 1))
        return first, first + np.float32([100, 0, 0, 0, 0, 0]), share_row, np.stack([1 - two, two], axis=1)

    description = replace(DESCRIPTION, outputs=(POSITION, second, number, scores))
    return SimpleNamespace(description=description, backend="test", run=run_two)


def test_a_second_interaction_is_written_beside_the_first(tmp_path: Path) -> None:
    path = write_toy(tmp_path / "a.h5", with_faults(toy_hits(40)))
    locate_files([path], ModelLocator(knows_two(share=0.8)), tmp_path / "p.h5", model_sha256="")
    columns, _ = read_positions(tmp_path / "p.h5")
    assert np.isnan(columns["two_probability"][:2]).all()
    assert np.isnan(columns["x_2_mm"][:2]).all()
    assert columns["two_probability"][2:4].tolist() == pytest.approx([0.1, 0.9])
    assert np.allclose(columns["x_2_mm"][2:] - columns["x_mm"][2:], 100)
    assert np.allclose(columns["energy_share"][2:], 0.8)
    assert np.allclose(columns["z_2_error_mm"][2:], 3)
    locate_files([path], LOCATOR, tmp_path / "one.h5", model_sha256="")
    columns, _ = read_positions(tmp_path / "one.h5")
    assert np.isnan(columns["two_probability"]).all()
    assert "x_2_mm" not in columns


def test_two_of_which_the_second_has_more_energy_are_turned() -> None:
    located = locate_hits(knows_two(share=0.4), toy_hits(40))
    assert located.second is not None
    apart = located.second.position_mm[:, 0] - located.position_mm[:, 0]
    assert np.allclose(apart, np.where(np.arange(40) % 2, -100, 100))
    assert np.allclose(located.second.share, np.where(np.arange(40) % 2, 0.6, 0.4))
    assert located.second.limit == 0.25


def test_channels_in_another_order_give_the_same_positions() -> None:
    hits = toy_hits(50)
    turned = replace(hits, samples=hits.samples[:, ::-1], channels=CHANNELS[::-1])
    assert np.array_equal(locate_hits(PREDICTOR, hits).position_mm, locate_hits(PREDICTOR, turned).position_mm)


def test_a_file_without_the_core_has_no_position_at_all() -> None:
    hits = toy_hits(50)
    without = replace(hits, samples=hits.samples[:, :-1], channels=CHANNELS[:-1])
    located = locate_hits(PREDICTOR, without)
    assert np.isnan(located.position_mm).all()
    assert (located.flags & PositionFlag.NO_REFERENCE).all()


def test_what_does_not_fit_the_model_is_refused_with_the_file(tmp_path: Path) -> None:
    hits, out = toy_hits(5), tmp_path / "p.h5"
    short = write_toy(tmp_path / "short.h5", replace(hits, samples=hits.samples[:, :, :20]))
    with pytest.raises(DataError, match=r"short\.h5: the hits have 20 samples, but the model needs at least"):
        locate_files([short], LOCATOR, out, model_sha256="")
    slow = write_toy(tmp_path / "slow.h5", replace(hits, sample_period_ns=8.0))
    with pytest.raises(DataError, match=r"slow\.h5: the hits are sampled every 8 ns, but the model was trained at 10"):
        locate_files([slow], LOCATOR, out, model_sha256="")
    assert not out.exists()
    good = write_toy(tmp_path / "good.h5", hits)
    with pytest.raises(OutputError):
        locate_files([good], LOCATOR, good, model_sha256="")
    with pytest.raises(SettingsError, match=r"kind of a file of positions: .*got '\.csv'"):
        locate_files([good], LOCATOR, tmp_path / "p.csv", model_sha256="")
    scores: Any = SimpleNamespace(description=ModelDescription(preparation=PREPARATION), backend="test", run=run)
    with pytest.raises(SettingsError, match="gives no position"):
        ModelLocator(scores)


def test_rows_with_other_columns_are_refused_and_no_file_stays(tmp_path: Path) -> None:
    path, one = tmp_path / "p.h5", np.zeros(3)
    with pytest.raises(DataError, match="first x_mm, now y_mm"), open_position_writer(path, attributes={}) as writer:
        writer.write({"x_mm": one})
        writer.write({"y_mm": one})
    assert not path.exists()


def test_a_file_of_positions_with_a_bit_that_fell_over_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.h5"
    with open_position_writer(path, attributes={}) as writer:
        writer.write({"x_mm": np.arange(1000, dtype=np.float32)})
    with h5py.File(path) as file:
        at = file["x_mm"].id.get_chunk_info(0).byte_offset + 40
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(FormatError, match="no file of positions"):
        read_positions(path)
