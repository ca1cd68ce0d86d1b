"""Results appear complete under their final name, or not at all."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from discrimen.errors import OutputError
from discrimen.output.files import complete_or_absent, refuse_inputs


def test_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    final = tmp_path / "new" / "scores.h5"
    with complete_or_absent(final) as part:
        part.write_text("all")
        assert not final.exists()
    assert final.read_text() == "all"
    assert list(final.parent.iterdir()) == [final]


def test_failure_leaves_the_old_file_and_no_remains(tmp_path: Path) -> None:
    final = tmp_path / "scores.h5"
    final.write_text("old")
    with pytest.raises(ZeroDivisionError), complete_or_absent(final) as part:
        print(1 // part.write_text(""))
    assert final.read_text() == "old"
    assert list(tmp_path.iterdir()) == [final]


def test_full_disk_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="disk is full"), complete_or_absent(tmp_path / "x"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_folder_in_the_way_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="folder has this name"), complete_or_absent(tmp_path):
        pass


def test_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("a file")
    with pytest.raises(OutputError, match="cannot write"), complete_or_absent(tmp_path / "x" / "y"):
        pass


def test_device_without_space_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="disk is full"), complete_or_absent(tmp_path / "x"):
        Path("/dev/full").write_text("x" * 100_000)


def test_killed_process_leaves_nothing_under_the_final_name(tmp_path: Path) -> None:
    final = tmp_path / "scores.h5"
    program = (
        "import sys, time\nfrom discrimen.output.files import complete_or_absent\n"
        "with complete_or_absent(sys.argv[1]) as part:\n"
        "    part.write_text('half'); print('writing', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(final)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not final.exists()
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]


def test_an_input_is_refused_as_output_under_any_name(tmp_path: Path) -> None:
    source, link, hard = tmp_path / "run.lh5", tmp_path / "link.lh5", tmp_path / "hard.lh5"
    source.write_text("pulses")
    link.symlink_to(source)
    hard.hardlink_to(source)
    for output in (source, tmp_path / "." / "run.lh5", link, hard):
        with pytest.raises(OutputError, match="this is an input"):
            refuse_inputs(output, [tmp_path / "other.lh5", source])
    refuse_inputs(tmp_path / "set.lh5", [source])
    with pytest.raises(OutputError, match="this is an input"):
        refuse_inputs(tmp_path / "absent" / ".." / "new.lh5", [tmp_path / "new.lh5"])
