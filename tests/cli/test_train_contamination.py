"""Which contamination `discrimen train` corrects for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from discrimen.cli.train_contamination import chosen_contamination, soft_labels_of_all
from discrimen.errors import DataError
from discrimen.formats.table import open_reader, open_writer
from discrimen.labelling.contamination import labels_path
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.runs.dataset import Dataset, load_dataset


def dataset(folder: Path, *labels: list[int], soft: bool = False) -> tuple[list[Path], Dataset]:
    """Several data sets read together."""
    paths = [folder / f"{number}.lh5" for number in range(len(labels))]
    label = np.concatenate(labels).astype(np.int8)
    pulses = Pulses(samples=np.zeros((len(label), 4), np.uint16), sample_period_ns=2.0, label=label)
    if soft:
        pulses = pulses.replace(neutron_probability=np.full(len(label), 0.5, np.float32))
    files = tuple(
        {"name": path.name, "sha256": "", "n_pulses": len(part)} for path, part in zip(paths, labels, strict=True)
    )
    return paths, Dataset(pulses=pulses, settings=DetectorSettings(), files=files, n_unlabelled=0)


def by_source(path: Path, neutron: float) -> None:
    found = {"method": "source", "source": {"contamination": {"gamma": 0.0, "neutron": neutron}}}
    labels_path(path).write_text(json.dumps(found))


def test_without_anything_known_nothing_is_corrected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen_contamination(None, *dataset(tmp_path, [0, 1]), soft=True) is None
    assert capsys.readouterr().err == ""


def test_what_lies_beside_the_data_sets_counts_by_their_pulses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths, read = dataset(tmp_path, [0, 1, 1, 1], [1])
    by_source(paths[0], 0.4)
    assert chosen_contamination(None, paths, read, soft=True) == pytest.approx({"gamma": 0.0, "neutron": 0.3})
    said = capsys.readouterr().err
    assert "30.00% of the labels neutron are wrong (0.lh5.labels.json)" in said


def test_what_is_given_comes_first_and_none_is_none(tmp_path: Path) -> None:
    paths, read = dataset(tmp_path, [0, 1])
    by_source(paths[0], 0.4)
    assert chosen_contamination("gamma=0.1", paths, read, soft=True) == {"gamma": 0.1, "neutron": 0.0}
    assert chosen_contamination("none", paths, read, soft=True) is None


def test_what_cannot_be_corrected_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths, read = dataset(tmp_path, [0, 1])
    windows = {"gamma": {"contamination": 0.01}, "neutron": {"contamination": 0.05}}
    found = {"method": "tof", "time_of_flight": {**windows, "options": {"accidental_neutron_share": None}}}
    labels_path(paths[0]).write_text(json.dumps(found))
    assert chosen_contamination(None, paths, read, soft=True) is None
    said = capsys.readouterr().err
    assert "5.00% of the labels neutron" in said
    assert "--accidental-neutron-share" in said


@pytest.mark.parametrize("soft", [True, False])
def test_soft_labels_take_the_place_of_a_correction(tmp_path: Path, soft: bool) -> None:
    paths, read = dataset(tmp_path, [0, 1], soft=True)
    by_source(paths[0], 0.4)
    assert (chosen_contamination(None, paths, read, soft=soft) is None) is soft


def test_soft_labels_are_never_lost_beside_a_data_set_without(tmp_path: Path) -> None:
    pulses = dataset(tmp_path, [0, 1])[1].pulses
    for name, soft in (("soft", np.array([0.1, 0.7], np.float32)), ("hard", None)):
        with open_writer(tmp_path / f"{name}.lh5", DetectorSettings()) as writer:
            writer.write(pulses.replace(neutron_probability=soft))
    readers = [open_reader(tmp_path / f"{name}.lh5") for name in ("soft", "hard")]
    with pytest.raises(DataError, match=r"soft\.lh5 has soft labels.*hard\.lh5 has none.*--hard-labels"):
        load_dataset(readers, transforms=soft_labels_of_all(readers, wanted=True))
    assert (
        load_dataset(readers, transforms=soft_labels_of_all(readers, wanted=False)).pulses.neutron_probability is None
    )
    kept = load_dataset(readers[:1], transforms=soft_labels_of_all(readers[:1], wanted=True)).pulses
    assert kept.column("neutron_probability") == pytest.approx([0.1, 0.7])
