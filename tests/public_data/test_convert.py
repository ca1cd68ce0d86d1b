from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.public_data.zenodo import FakeZenodo

from discrimen.errors import DataError, FormatError, OutputError, SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader
from discrimen.public_data import Conversion, convert_set, fetch_set, find_set
from discrimen.public_data.matrix import read_matrix
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings

OPTIONS = ReadOptions(settings=DetectorSettings(sample_period_ns=1.0, polarity="positive"))
Convert = Callable[..., Conversion]


def text(values: np.ndarray, delimiter: str = " ") -> bytes:
    stream = io.StringIO()
    np.savetxt(stream, values, delimiter=delimiter)
    return stream.getvalue().encode()


def npy(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


def waves(n_pulses: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 1, (n_pulses, 20))


def read(path: str) -> Pulses:
    return concatenate(open_reader(path).chunks())


@pytest.fixture
def convert(zenodo: FakeZenodo, tmp_path: Path) -> Convert:
    def run(
        name: str, files: dict[str, bytes], *, options: ReadOptions = OPTIONS, overwrite: bool = False
    ) -> Conversion:
        known = find_set(name)
        zenodo.publish(known.record, files)
        fetch_set(known, tmp_path / "set", server=zenodo.url)
        return convert_set(known, tmp_path / "set", tmp_path / "out", options=options, overwrite=overwrite)

    return run


def test_classes_by_file_name_in_an_archive(convert: Convert, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, n_pulses in {"neutron_train": 3, "gamma_train": 5, "neutron_ref": 1}.items():
            archive.writestr(f"Datasets/Train/EJ299_33_AmBe_9414_{name}.txt", text(waves(n_pulses)))
        archive.writestr("Datasets/Validation/EJ299_33_AmBe_9414.txt", text(waves(4)))
        archive.writestr("__MACOSX/._EJ299_33_neutron.txt", b"\0")
    done = convert("ej299-survey", {"Datasets.zip": packed.getvalue(), "README.txt": b"hello"})
    counts = {Path(one.source).name: (one.n_gamma, one.n_neutron, one.n_unknown) for one in done.converted}
    assert counts == {
        "EJ299_33_AmBe_9414_neutron_train.txt": (0, 3, 0),
        "EJ299_33_AmBe_9414_gamma_train.txt": (5, 0, 0),
        "EJ299_33_AmBe_9414.txt": (0, 0, 4),
    }
    assert {Path(name).name for name in done.left} == {"EJ299_33_AmBe_9414_neutron_ref.txt", "README.txt"}
    neutrons = read(next(one.output for one in done.converted if one.n_neutron))
    np.testing.assert_array_equal(neutrons.samples, waves(3).astype(np.float32))
    assert neutrons.sample_period_ns == 1.0
    assert neutrons.label is not None
    assert set(neutrons.label) == {1}


def test_classes_from_a_file_of_labels(convert: Convert) -> None:
    labels = np.array([0, 1, 1, 0, 1])
    done = convert(
        "tempotron",
        {
            "training_data_normalized.txt": text(waves(5), ","),
            "train_labels.txt": text(labels, ","),
            "validation_data_normalized.txt": text(waves(2), ","),
            "test_labels.txt": b"1, 0\n",  # one line is as good
        },
    )
    training = read(done.converted[0].output)
    assert training.label is not None
    np.testing.assert_array_equal(training.label, 1 - labels)  # there 1 means gamma
    assert [(one.n_gamma, one.n_neutron) for one in done.converted] == [(3, 2), (1, 1)]


def test_arrays_by_class_and_no_pickle_opened(convert: Convert) -> None:
    files = {
        "gamma_0.5Mev.npy": npy(waves(6).astype(np.float32)),
        "neutron_0.5Mev.npy": npy(np.ones((2, 20), np.int16)),
    }
    done = convert("ne213a-tof", {**files, "NE213A_data.pkl": b"\x80", "gamma.mat": b"x"})
    assert [(one.n_gamma, one.n_neutron) for one in done.converted] == [(6, 0), (0, 2)]
    assert "pickle" in done.left["NE213A_data.pkl"]


def test_a_file_that_no_rule_names_is_tried_and_told(convert: Convert) -> None:
    done = convert("ne213a-tof", {"extra.npy": npy(np.ones((3, 8), np.int16)), "notes.odt": b"some text of no format"})
    assert [(one.source, one.n_unknown) for one in done.converted] == [("extra.npy", 3)]
    assert done.left["notes.odt"].startswith("no rule names it, and as a run file: ")


def test_the_sampling_period_is_never_guessed(convert: Convert) -> None:
    files = {"training_data_normalized.txt": text(waves(2), ","), "train_labels.txt": b"0\n1\n"}
    with pytest.raises(SettingsError, match="give it with --sample-period-ns"):
        convert("tempotron", files, options=ReadOptions())


def test_an_output_that_is_there_is_not_replaced_in_silence(convert: Convert) -> None:
    files = {"gamma_1Mev.npy": npy(np.ones((3, 8), np.int16))}
    convert("ne213a-tof", files)
    with pytest.raises(OutputError, match="--overwrite"):
        convert("ne213a-tof", files)
    assert convert("ne213a-tof", files, overwrite=True).converted


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"training_data_normalized.txt": b"1,2\n3\n", "train_labels.txt": b"0\n1\n"}, "expected a matrix"),
        ({"training_data_normalized.txt": b"1,2\n3,x\n", "train_labels.txt": b"0\n1\n"}, "expected a matrix"),
        ({"training_data_normalized.txt": b"1,2\n3,nan\n", "train_labels.txt": b"0\n1\n"}, "row 1 holds"),
        ({"training_data_normalized.txt": b"\n", "train_labels.txt": b"0\n"}, "first line is empty"),
        ({"training_data_normalized.txt": b"1,2\n3,4\n", "train_labels.txt": b"0\n1\n0\n"}, "each of 2 pulses"),
        ({"training_data_normalized.txt": b"1,2\n3,4\n", "train_labels.txt": b"0\n0.5\n"}, "whole numbers"),
        ({"training_data_normalized.txt": b"1,2\n3,4\n", "train_labels.txt": b"0\n2\n"}, r"0 \(neutron\), 1 \(gamma\)"),
        ({"training_data_normalized.txt": b"1,2\n3,4\n", "other": b"x"}, r"labels in train_labels\.txt beside it"),
        ({"training_data_normalized.zip": b"PK\x05\x06" + b"\0" * 18}, "nothing to convert"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_named(convert: Convert, files: dict[str, bytes], told: str) -> None:
    with pytest.raises((FormatError, DataError), match=told):
        convert("tempotron", files)


def test_an_archive_cannot_write_outside_its_folder(convert: Convert, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("../../../stolen.txt")
        archive.addfile(entry)
    with pytest.raises(FormatError, match="cannot be unpacked"):
        convert("ej299-survey", {"data.tar.gz": packed.getvalue()})
    assert not list(tmp_path.rglob("stolen.txt"))


def test_a_folder_that_was_not_fetched_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="found no fetched data set: fetch it first"):
        convert_set(find_set("tempotron"), tmp_path, tmp_path / "out", options=OPTIONS)


def test_whole_numbers_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "m.txt"
    path.write_text("1 2\n300 -4\n")
    assert read_matrix(path).dtype == np.int16
    path.write_text("1 2\n70000 -4\n")
    assert read_matrix(path).dtype == np.int32
    path.write_text("1 2.5\n")
    assert read_matrix(path).dtype == np.float32
