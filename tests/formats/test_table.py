"""The table of formats: every kind of file is told, and writers leave a complete file or none."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import textwrap
from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import FormatError, OutputError, SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import FORMATS, find_format, open_reader, open_writer
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings

SETTINGS = DetectorSettings(sample_period_ns=2.0, polarity="negative", pretrigger_ns=20.0, adc_bits=14)
WRITABLE = {known.name: known.suffixes[0] for known in FORMATS if known.open_writer is not None}


def some_pulses(n: int = 500) -> Pulses:
    rng = np.random.default_rng(5)
    return Pulses(
        samples=rng.integers(0, 2**14, (n, 40)).astype(np.uint16),
        sample_period_ns=2.0,
        entry=np.arange(n),
        timestamp_ps=np.cumsum(rng.integers(1, 10**5, n)) * 8000,
        board=np.zeros(n, np.int32),
        channel=np.zeros(n, np.int32),
        flags=np.zeros(n, np.uint32),
    )


@pytest.mark.parametrize("name", WRITABLE)
def test_what_is_written_is_told_and_read_back(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"run{WRITABLE[name]}"
    with open_writer(path, SETTINGS) as writer:
        writer.write(some_pulses()[:200])
        writer.write(some_pulses()[200:])
    assert find_format(path).name == name
    read = concatenate(open_reader(path).chunks())
    assert np.array_equal(read.samples, some_pulses().samples)
    assert np.array_equal(read.column("entry"), np.arange(500))


@pytest.mark.parametrize("name", WRITABLE)
def test_content_decides_where_the_suffix_does_not(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"run{WRITABLE[name]}"
    with open_writer(path, SETTINGS) as writer:
        writer.write(some_pulses())
    renamed = path.rename(tmp_path / "run.unknown")
    assert find_format(renamed).name == name


@pytest.mark.parametrize("name", WRITABLE)
def test_full_disk_is_one_error_and_leaves_no_file(name: str, tmp_path: Path) -> None:
    if name == "root":
        pytest.importorskip("uproot")
    script = """
        import resource, signal, sys
        import numpy as np
        from discrimen.pulses.detector import DetectorSettings
        from discrimen.errors import OutputError
        from discrimen.formats.table import open_writer
        from discrimen.pulses import Pulses
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        samples = np.random.default_rng(1).integers(0, 2**14, (20_000, 40)).astype(np.uint16)
        pulses = Pulses(samples=samples, sample_period_ns=2.0, timestamp_ps=np.arange(20_000) * 8000)
        try:
            with open_writer(sys.argv[1], DetectorSettings(sample_period_ns=2.0)) as writer:
                writer.write(pulses)
        except OutputError as error:
            print("OutputError:", error)
    """
    path = tmp_path / f"full{WRITABLE[name]}"
    command = [sys.executable, "-c", textwrap.dedent(script), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"OutputError: {path}: cannot write"), done.stderr
    assert not path.exists()
    assert not list(tmp_path.glob(".*"))


def test_error_inside_the_block_leaves_no_file(tmp_path: Path) -> None:
    for suffix in WRITABLE.values():
        with pytest.raises(KeyError), open_writer(tmp_path / f"x{suffix}", SETTINGS) as writer:
            writer.write(some_pulses())
            raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_empty_file_folder_and_stranger_are_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "empty.BIN").touch()
    (tmp_path / "text.txt").write_text("it was a dark and stormy night\n" * 20)
    cases = {"empty.BIN": "empty", ".": "folder", "nothing": "no such file", "text.txt": "."}
    for name, reason in cases.items():
        with pytest.raises(FormatError, match=reason):
            open_reader(tmp_path / name)
    with pytest.raises(FormatError, match="no format named 'midas'"):
        open_reader(tmp_path / "text.txt", format_name="midas")


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b"#9000002346WAVEDESC\0\0\0LECROY_2_3", "LeCroy"),
        (b"TIMEB#\x97\nC001", "DRS4"),
        (b"\x0f\x0f:WFM#003", "Tektronix"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"\xff\x35\x65\xc4FlashCamV1\0", "FlashCam"),
        (b"\xac\x87\0\0\xa6\x1e\2\0<?xml version", "ORCA"),
        (b"LArI\0\0\0\0", "SIS3316"),
        (b"\x80\x04\x95", "pickle"),
    ],
)
def test_files_of_others_are_named_for_what_they_are(tmp_path: Path, head: bytes, named: str) -> None:
    path = tmp_path / "run.dat"
    path.write_bytes(head + bytes(range(200)))
    with pytest.raises(FormatError, match=rf"{named}.*not read here: ") as refused:
        open_reader(path)
    assert "--format" not in str(refused.value)


def test_file_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.BIN"
    path.write_bytes(b"x")

    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FormatError, match="Permission denied"):
        find_format(path)


def test_unknown_suffix_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"compass-bin.*wavedump.*lh5"):
        open_writer(tmp_path / "run.xyz")


def test_no_head_makes_a_recogniser_fail(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    for number in range(300):
        head = rng.bytes(int(rng.integers(1, 200)))
        path = tmp_path / f"{number}.bin"
        path.write_bytes(head)
        for known in FORMATS:
            assert known.recognises(path, head) in (True, False)


@pytest.mark.parametrize("head", [b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c"])
@pytest.mark.parametrize("name", ["run.BIN.packed", "run.BIN", "run.csv", "run.npy"])
def test_packed_files_are_named_as_such(name: str, head: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(head + bytes(range(200)))
    with pytest.raises(FormatError, match=r"is packed with .*; unpack it first"):
        open_reader(path)


def test_a_tar_archive_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "run.BIN").write_bytes(bytes(100))
    with tarfile.open(tmp_path / "runs.tar", "w") as archive:
        archive.add(tmp_path / "run.BIN", "run.BIN")
    with pytest.raises(FormatError, match="tar archive"):
        open_reader(tmp_path / "runs.tar")


@pytest.mark.parametrize("format_name", [None, "compass-bin"])
def test_a_pipe_is_refused_without_waiting_for_its_writer(format_name: str | None, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "run.BIN")
    with pytest.raises(FormatError, match="pipe or a device"):
        open_reader(tmp_path / "run.BIN", format_name=format_name)


def test_a_field_that_pulses_do_not_have_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    np.savez(path, samples=some_pulses().samples, dt=2.0)
    with pytest.raises(SettingsError, match="no field 'sample_period_ns'"):
        open_reader(path, ReadOptions(branches={"sample_period_ns": "dt"}))


def test_the_settings_of_another_run_are_not_overwritten(tmp_path: Path) -> None:
    companion = tmp_path / "run_settings.xml"
    companion.write_text("<configuration/>")
    with pytest.raises(OutputError, match="settings of another run"), open_writer(tmp_path / "run.BIN", SETTINGS):
        pass
    assert companion.read_text() == "<configuration/>"
    assert list(tmp_path.iterdir()) == [companion]
    companion.unlink()
    for _ in range(2):
        with open_writer(tmp_path / "run.BIN", SETTINGS) as writer:
            writer.write(some_pulses())


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (ReadOptions(branches={"samples": "wave"}), "--branch"),
        (ReadOptions(tree="events"), "--tree"),
        (ReadOptions(sample_bytes=2), "--sample-bytes"),
        (ReadOptions(companion=Path("settings.xml")), "--companion"),
    ],
)
def test_options_that_mean_nothing_to_a_format_are_refused(tmp_path: Path, options: ReadOptions, named: str) -> None:
    np.save(tmp_path / "run.npy", np.zeros((3, 10), np.uint16))
    with pytest.raises(SettingsError, match=f"{named} does nothing for npy, only for "):
        open_reader(tmp_path / "run.npy", options)
