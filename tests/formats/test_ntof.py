"""n_TOF raw files: the blocks of the zero suppression become pulses, bunch by bunch."""

from __future__ import annotations

import struct
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from tests.formats.ntof_files import acqc, bank, begin, event, pulse, small_file

from discrimen.errors import FormatError
from discrimen.formats.base import ReadOptions, ReadReport
from discrimen.formats.record_length import RecordLengthReader
from discrimen.formats.table import find_format, open_reader
from discrimen.pulses import PulseFlag, Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings
from discrimen.runs.inspection import inspect_run

NAME = "run224572_0_s1.raw.finished"


def written(folder: Path, *parts: bytes) -> Path:
    path = folder / NAME
    path.write_bytes(b"".join(parts))
    return path


def read(path: Path, **options: object) -> tuple[list[Pulses], ReadReport]:
    reader = open_reader(path, ReadOptions(**options))  # type: ignore[arg-type]
    return list(reader.chunks()), reader.report


def damage(report: ReadReport) -> dict[str, int]:
    return {kind: found.count for kind, found in report.damaged.items()}


def test_blocks_are_pulses_with_their_place_in_the_bunch(tmp_path: Path) -> None:
    flash, first, second = pulse(9000, 600), pulse(99_000, 400), pulse(50, 400, baseline=-31_400)
    path = written(
        tmp_path,
        begin(rates=(1000.0, 1000.0, 500.0)),
        event(7),
        acqc("LIQA", 2, [(0, flash), (5000, first)]),
        event(8),
        acqc("WALB", 1, [(900, second)]),
    )
    assert find_format(path).name == "ntof"
    reader = open_reader(path)
    chunks = list(reader.chunks())
    assert [chunk.samples.shape for chunk in chunks] == [(1, 600), (1, 400), (1, 400)]
    for chunk, samples in zip(chunks, (flash, first, second), strict=True):
        np.testing.assert_array_equal(chunk.samples[0], samples)
    assert [chunk.sample_period_ns for chunk in chunks] == [1.0, 1.0, 2.0]
    columns = ("entry", "timestamp_ps", "board", "channel", "run", "flags")
    told = [[int(chunk.column(name)[0]) for name in columns] for chunk in chunks]
    cut_off = int(PulseFlag.SATURATED_INPUT)
    assert told == [[0, 0, 0, 2, 7, 0], [1, 4_741_000, 0, 2, 7, cut_off], [2, 1_282_000, 1, 1, 8, 0]]
    assert not reader.report.n_damaged
    assert "run 224572 EAR2" in reader.info.layout
    assert "board 0 LIQA (channel 1-2), board 1 WALB (channel 1)" in reader.info.layout
    assert reader.info.settings.sample_period_ns is None


def test_one_sampling_rate_is_that_of_the_file(tmp_path: Path) -> None:
    settings = open_reader(small_file(tmp_path / NAME)).info.settings
    assert (settings.sample_period_ns, settings.pretrigger_ns, settings.polarity) == (1.0, 259.0, None)


@pytest.mark.parametrize("rate", [0.0, -5.0, np.nan, np.inf, 1e30])
def test_what_is_no_sampling_rate_stays_unknown(tmp_path: Path, rate: float) -> None:
    path = written(tmp_path, begin(rates=(rate,)), event(1), acqc("LIQA", 1, [(500, pulse(900, 300))]))
    (pulses,), _ = read(path)
    assert pulses.sample_period_ns is None
    assert pulses.timestamp_ps is None
    (pulses,), _ = read(path, settings=DetectorSettings(sample_period_ns=4.0))
    assert (pulses.sample_period_ns, pulses.column("timestamp_ps")[0]) == (4.0, (500 - 259) * 4000)


@pytest.mark.parametrize("chunk_bytes", [1, 3000, 2**24])
def test_the_size_of_the_pieces_changes_nothing(tmp_path: Path, chunk_bytes: int) -> None:
    path = small_file(tmp_path / NAME, n_bunches=3, n_samples=(300, 301), n_blocks=9)
    reader = RecordLengthReader(open_reader(path, ReadOptions(chunk_bytes=chunk_bytes)), 300)
    pulses = concatenate(reader.chunks())
    assert pulses.column("entry").tolist() == list(range(3 * 3 * 9))
    expected = np.stack(
        [pulse(5000, 300 + block % 2, seed=block + place)[:300] for place in range(3) for block in range(9)]
    )
    np.testing.assert_array_equal(pulses.samples, np.tile(expected, (3, 1)))


def test_gaps_are_left_out_and_pulses_cut_off_are_kept(tmp_path: Path) -> None:
    gap, late, low = pulse(900, 400), pulse(900, 400), pulse(900, 400, baseline=-31_400)
    gap[100:150] = late[390:] = low[:30] = -32768
    fast = np.r_[np.full(50, 31_000), -5000, [-32768] * 5, 9000, 20_000, np.full(43, 31_000)]
    blocks = [(500 * place, samples) for place, samples in enumerate((gap, late, low, fast, pulse(99_000, 400)), 1)]
    (fast_read, cut_off), report = read(written(tmp_path, begin(), event(1), acqc("LIQA", 1, blocks)))
    assert damage(report) == {"block with a gap, filled with 0x8000": 3}
    assert [fast_read.column("entry").tolist(), cut_off.column("entry").tolist()] == [[3], [4]]
    assert (cut_off.samples == -32768).any()
    assert cut_off.column("flags").tolist() == [PulseFlag.SATURATED_INPUT]


@pytest.mark.parametrize(
    ("cut", "kind", "n_read"),
    [(1, "truncated last block", 3), (620, "truncated last block", 2), (1232, "truncated last block", 2),
     (1240, "truncated last bank", 2), (1250, "truncated last bank", 2)],
)  # fmt: skip
def test_a_truncated_file_gives_what_is_whole(tmp_path: Path, cut: int, kind: str, n_read: int) -> None:
    blocks = [(1000, pulse(900, 300)), (3000, pulse(900, 300))]
    path = written(tmp_path, begin(), event(1), acqc("LIQA", 1, blocks), acqc("LIQA", 2, blocks))
    path.write_bytes(path.read_bytes()[:-cut])
    chunks, report = read(path)
    assert sum(map(len, chunks)) == report.n_read == n_read
    assert damage(report) == {kind: 1}


def test_an_unknown_bank_is_told_and_passed_over(tmp_path: Path) -> None:
    blocks = [(1000, pulse(900, 300))]
    path = written(
        tmp_path,
        begin(),
        bank("INFO", bytes(40)),
        event(1),
        bank("SLOW", b""),
        acqc("LIQA", 1, blocks),
        bank("EVDH", b""),
    )
    assert find_format(path).name == "ntof"
    chunks, report = read(path)
    assert sum(map(len, chunks)) == 1
    assert set(damage(report)) == {f"bank of unknown kind {tag}, passed over" for tag in ("INFO", "SLOW")}


def test_the_bunch_is_not_guessed_where_its_head_is_lost(tmp_path: Path) -> None:
    one = acqc("LIQA", 1, [(1000, pulse(900, 300))])
    lost = event(2).replace(b"EVEH", b"EV\0\0")
    chunks, report = read(written(tmp_path, begin(), event(1), one, lost, one, event(3), one))
    assert concatenate(chunks).column("run").tolist() == [1, 3]
    assert damage(report) == {"bytes that are no bank": 1, "ACQC bank without the EVEH bank of its bunch": 1}


@pytest.mark.parametrize(
    ("words", "runs"),
    [(3, [1, 1, 2]), (100, [1, 1, 2]), (500, [1, 1, 1, 1, 2]), (700, [1, 1, 1, 1, 2]), (2**31, [1, 1, 1, 1, 2])],
)
def test_behind_a_wrong_length_the_next_bank_is_found(tmp_path: Path, words: int, runs: list[int]) -> None:
    one = acqc("LIQA", 1, [(1000, pulse(900, 300)), (2000, pulse(900, 300))])
    wrong = one[:12] + struct.pack("<I", words) + one[16:]
    others = [acqc(*place, [(900, pulse(900, 300))]) for place in (("LIQA", 2), ("WALB", 1))]
    last = acqc("WALB", 1, [(900, pulse(900, 300))])
    chunks, report = read(written(tmp_path, begin(), event(1), wrong, *others, event(2), last))
    assert concatenate(chunks).column("run").tolist() == runs
    assert 1 <= report.n_damaged <= 4


def test_what_belongs_to_no_listed_channel_is_counted(tmp_path: Path) -> None:
    one = [(1000, pulse(900, 300)), (2000, [])]
    chunks, report = read(written(tmp_path, begin(), event(1), acqc("SILI", 1, one), acqc("WALB", 1, one)))
    assert sum(map(len, chunks)) == 1
    assert damage(report) == {"ACQC bank of a channel that MODH does not list": 1}
    assert report.n_empty == 1


@pytest.mark.parametrize(
    "content", [b"RCTR", b"RCTR" + bytes(12), bank("RCTR", bytes(32)) + b"x" * 99, bank("HELO", b"")]
)
def test_other_files_are_not_taken_for_it(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content + b"x")
    with pytest.raises(FormatError, match=r"known format|lead from one to the next"):
        open_reader(path)
    with pytest.raises(FormatError, match=r"expected banks of n_TOF"):
        open_reader(path, format_name="ntof")


def test_no_rate_is_told_over_bunches_that_count_anew(tmp_path: Path) -> None:
    several, one = (
        inspect_run(open_reader(small_file(tmp_path / f"{n}.raw", n_bunches=n, n_blocks=5))).channels[0] for n in (2, 1)
    )
    assert several.rate_hz is None
    assert one.rate_hz == pytest.approx(4 / 19.741e-6)


def test_a_huge_bank_is_read_in_constant_memory(tmp_path: Path) -> None:
    block = struct.pack("<QQ", 4000, 1000) + pulse(900, 1000).tobytes()
    n_blocks = 20_000
    path = written(tmp_path, begin(), event(1))
    with path.open("ab") as file:
        file.write(struct.pack("<4sIII4sII", b"ACQC", 2, 0, 3 + n_blocks * len(block) // 4, b"LIQA", 1, 0))
        for _ in range(n_blocks // 1000):
            file.write(block * 1000)
    script = """
        import resource, sys
        from pathlib import Path
        from discrimen.formats.base import ReadOptions
        from discrimen.formats.table import open_reader
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(sum(map(len, open_reader(Path(sys.argv[1]), ReadOptions(chunk_bytes=2**20)).chunks())))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(path)]
    n_read, more_kib = map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert n_read == n_blocks
    assert more_kib < 12_000 < path.stat().st_size / 1024
