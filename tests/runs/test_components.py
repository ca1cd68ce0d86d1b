"""The clean pulses that piled-up records are the sum of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.formats.test_pile_up_text import write_folder

from discrimen.errors import DataError, OutputError
from discrimen.formats.table import open_reader
from discrimen.pulses import Pulses, concatenate
from discrimen.runs.components import Components, components_beside, n_rises, read_components
from discrimen.runs.simulated import simulate_run
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.truth import read_truth, truth_path

CONFIG = SimulationConfig(n_pulses=300, pileup_fraction=0.6, pileup_delay_max_ns=300, noise_adc=0, seed=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("components")
    simulate_run(CONFIG, path / "run.lh5", components=path / "parts.lh5")
    return path


@pytest.fixture(scope="module")
def run(folder: Path) -> Pulses:
    return concatenate(open_reader(folder / "run.lh5").chunks())


@pytest.fixture(scope="module")
def parts(folder: Path, run: Pulses) -> Components:
    return read_components(open_reader(folder / "parts.lh5"), run)


def above(records: np.ndarray) -> np.ndarray:
    return records[..., :1].astype(float) - records


def test_a_record_is_the_sum_of_its_components(run: Pulses, parts: Components) -> None:
    inside = run.samples.min(axis=1) > 0
    np.testing.assert_allclose(above(parts.records).sum(axis=1)[inside], above(run.samples)[inside], atol=2.1)


def test_the_second_pulse_is_that_of_the_truth(folder: Path, parts: Components) -> None:
    truth = read_truth(truth_path(folder / "run.lh5"))
    has_second = parts.n_pulses[:, 1] == 1
    assert np.array_equal(np.flatnonzero(has_second), np.sort(truth.pile_up["entry"]))
    assert 0.5 < has_second.mean() < 0.7
    entry = truth.pile_up["entry"]
    assert parts.label is not None
    assert parts.energy_kevee is not None
    assert parts.time_offset_ns is not None
    np.testing.assert_array_equal(parts.label[entry, 1], truth.pile_up["label"])
    np.testing.assert_allclose(parts.energy_kevee[entry, 1], truth.pile_up["energy_kevee"])
    np.testing.assert_allclose(parts.time_offset_ns[entry, 1], truth.pile_up["delay_ns"])
    assert truth.pile_up["delay_ns"].max() < 300
    assert (parts.label[~has_second, 1] == -1).all()


def test_components_follow_the_order_of_the_records(folder: Path, run: Pulses, parts: Components) -> None:
    turned = read_components(open_reader(folder / "parts.lh5"), run[::-1])
    np.testing.assert_array_equal(turned.records, parts.records[::-1])


def test_components_of_other_records_are_refused(folder: Path, run: Pulses) -> None:
    late = run.replace(timestamp_ps=run.column("timestamp_ps") + 1)
    with pytest.raises(DataError, match="components are of other records"):
        read_components(open_reader(folder / "parts.lh5"), late)
    with pytest.raises(DataError, match="not all of the 300 records"):
        read_components(open_reader(folder / "parts.lh5"), run.replace(entry=run.column("entry") + 10))
    with pytest.raises(DataError, match="no components"):
        read_components(open_reader(folder / "run.lh5"), run)


def test_three_pulses_in_a_record_are_too_many(tmp_path: Path) -> None:
    config = SimulationConfig(n_pulses=300, pileup_fraction=None, rate_hz=1e6)
    with pytest.raises(DataError, match="two pulses at most"):
        simulate_run(config, tmp_path / "run.lh5", components=tmp_path / "parts.lh5")


def test_components_need_a_file_of_their_own(tmp_path: Path) -> None:
    for name, message in (("parts.BIN", "components are no whole counts"), ("run.lh5", "the run itself")):
        with pytest.raises(OutputError, match=message):
            simulate_run(CONFIG, tmp_path / "run.lh5", components=tmp_path / name)


def test_labels_beside_traces_are_components(tmp_path: Path) -> None:
    path = write_folder(tmp_path) / "feature_train.csv"
    (found,) = components_beside([open_reader(path)], open_reader) or [None]
    assert found is not None
    traces = concatenate(open_reader(path).chunks())
    np.testing.assert_array_equal(found.records.sum(axis=1), traces.samples)
    assert found.singles.all()
    (tmp_path / "label1_train.csv").write_text("1,2,3,4,5,6,7,8,9\n" * 6)
    with pytest.raises(DataError, match="must be as long"):
        components_beside([open_reader(path)], open_reader)


def test_rises_are_counted() -> None:
    time = np.arange(60.0)
    pulse = np.where(time >= 10, np.minimum((time - 9) / 4, np.exp(-(time - 13) / 10)), 0).clip(0)
    late = np.where(time >= 30, 1, 0) * np.roll(pulse, 20)
    waves = np.rint(100 * np.stack([0 * pulse, pulse, pulse + late, pulse + 0.3 * late]))
    assert n_rises(waves).tolist() == [0, 1, 2, 2]
