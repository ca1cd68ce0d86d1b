"""Labels from the truth of a simulated run, and for pure sources."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import DataError, FormatError
from discrimen.labelling import label_all, label_by_truth
from discrimen.pulses import Label, Pulses
from discrimen.simulation.truth import TRUTH_COLUMNS, TruthWriter, read_truth, truth_path


def simulated(n: int = 10) -> Pulses:
    return Pulses(
        samples=np.zeros((n, 4), np.uint16),
        sample_period_ns=10.0,
        entry=np.arange(n),
        timestamp_ps=np.arange(n) * 10**6,
        channel=np.arange(n) % 3,
        label=np.arange(n) % 2,
        energy_kevee=np.linspace(30, 2000, n, dtype=np.float32),
        photon_llr=np.linspace(-5, 5, n, dtype=np.float32),
    )


def as_read_back(pulses: Pulses) -> Pulses:
    return pulses.replace(**dict.fromkeys(TRUTH_COLUMNS))


def second_pulse(*, entry: int) -> dict[str, np.ndarray]:
    return {
        "entry": np.array([entry]),
        "delay_ns": np.array([10.0 * entry]),
        "energy_kevee": np.array([50.0], np.float32),
        "label": np.array([Label.NEUTRON], np.int8),
    }


def written_truth(pulses: Pulses, folder: Path) -> Path:
    path = truth_path(folder / "run.BIN")
    writer = TruthWriter()
    writer.add(pulses[:4], pile_up=second_pulse(entry=3))
    writer.add(pulses[4:], pile_up=second_pulse(entry=8))
    writer.write(path)
    return path


def test_truth_comes_back_to_the_pulses_in_any_order(tmp_path: Path) -> None:
    pulses = simulated()
    truth = read_truth(written_truth(pulses, tmp_path))
    chosen = np.array([7, 2, 2, 9, 0])
    labelled = label_by_truth(as_read_back(pulses)[chosen], truth)
    for name in TRUTH_COLUMNS:
        assert np.array_equal(labelled.column(name), pulses.column(name)[chosen]), name


@pytest.mark.parametrize(
    "change",
    [
        {"entry": np.arange(10) + 5},
        {"channel": (np.arange(10) + 1) % 3},
        {"timestamp_ps": np.arange(10) * 10**6 + 10**7},
    ],
)
def test_truth_of_another_run_is_refused(tmp_path: Path, change: dict[str, np.ndarray]) -> None:
    pulses = simulated()
    truth = read_truth(written_truth(pulses, tmp_path))
    with pytest.raises(DataError, match="do not belong together"):
        label_by_truth(as_read_back(pulses).replace(**change), truth)


def test_truth_without_classes_is_no_label(tmp_path: Path) -> None:
    pulses = simulated().replace(label=np.full(10, Label.UNKNOWN))
    truth = read_truth(written_truth(pulses, tmp_path))
    with pytest.raises(DataError, match="knows no classes"):
        label_by_truth(as_read_back(pulses), truth)


def test_clock_ticks_of_some_ns_still_match(tmp_path: Path) -> None:
    pulses = simulated()
    truth = read_truth(written_truth(pulses, tmp_path))
    ticks = pulses.column("timestamp_ps") // 8000 * 8000
    labelled = label_by_truth(as_read_back(pulses).replace(timestamp_ps=ticks), truth)
    assert np.array_equal(labelled.column("label"), pulses.column("label"))


def test_other_file_is_no_truth(tmp_path: Path) -> None:
    path = tmp_path / "x.truth.h5"
    path.write_bytes(b"not HDF5")
    for wrong in (path, tmp_path / "absent.h5"):
        with pytest.raises(FormatError, match="truth"):
            read_truth(wrong)


def test_pure_source_gives_every_pulse_its_label() -> None:
    assert set(label_all(simulated(), label=Label.GAMMA).column("label")) == {0}


def test_truth_of_pile_up_is_kept(tmp_path: Path) -> None:
    truth = read_truth(written_truth(simulated(), tmp_path))
    assert truth.pile_up["entry"].tolist() == [3, 8]
    assert truth.pile_up["delay_ns"].tolist() == [30, 80]
