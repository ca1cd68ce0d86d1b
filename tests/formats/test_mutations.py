"""Damaged files of every format: never a crash, a hang, a foreign exception or a silent wrong length."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import uproot
from tests.formats import adf_frames
from tests.formats.drs4_file import write_random
from tests.formats.faster_file import counter, group, sampler
from tests.formats.geb_frames import channels, crystals, packet, points
from tests.formats.ggp_blocks import block, channel
from tests.formats.mfm_frames import merged, neda, other
from tests.formats.ntof_files import small_file

from discrimen.formats.abcd.events import EVENT
from discrimen.formats.contract import broken_promises
from discrimen.formats.table import FORMATS, find_format, open_writer
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

FEW_MUTATIONS, N_MUTATIONS = 400, int(os.environ.get("DISCRIMEN_MUTATIONS", "2000"))
N_PULSES, N_SAMPLES = 12, 24
GOLDEN = Path(__file__).parent / "golden"
SETTINGS = DetectorSettings(sample_period_ns=2.0, polarity="negative", pretrigger_ns=10.0, adc_bits=14)


def pulses() -> Pulses:
    rng = np.random.default_rng(7)
    return Pulses(
        samples=rng.integers(2000, 12000, (N_PULSES, N_SAMPLES)).astype(np.uint16),
        sample_period_ns=2.0,
        entry=np.arange(N_PULSES),
        timestamp_ps=np.cumsum(rng.integers(1, 10**9, N_PULSES)) * 1000,
        board=np.zeros(N_PULSES, np.int32),
        channel=np.zeros(N_PULSES, np.int32),
        flags=np.zeros(N_PULSES, np.uint32),
        energy=rng.integers(0, 4000, N_PULSES).astype(float),
    )


def by_writer(path: Path) -> None:
    with open_writer(path, SETTINGS) as writer:
        writer.write(pulses())


def compass_csv(path: Path) -> None:
    made = pulses()
    lines = ["BOARD;CHANNEL;TIMETAG;ENERGY;ENERGYSHORT;FLAGS;SAMPLES"]
    for row, time in zip(made.samples, made.column("timestamp_ps"), strict=True):
        lines.append(f"0;0;{time};100;50;0x4000;" + ";".join(map(str, row)))
    path.write_text("\n".join(lines) + "\n")


def wavedump_text(path: Path) -> None:
    lines = []
    for number, row in enumerate(pulses().samples):
        lines += [f"Record Length: {N_SAMPLES}", "BoardID: 31", "Channel: 0", f"Event Number: {number}"]
        lines += ["Pattern: 0x0000", f"Trigger Time Stamp: {1000 * number}", "DC offset (DAC): 0x1999"]
        lines += [str(value) for value in row]
    path.write_text("\n".join(lines) + "\n")


def npy(path: Path) -> None:
    np.save(path, pulses().samples)


def npz(path: Path) -> None:
    np.savez(path, samples=pulses().samples, label=np.zeros(N_PULSES, np.int8))


def text_matrix(path: Path) -> None:
    np.savetxt(path, pulses().samples, fmt="%d", delimiter=",")


def piled_up_text(path: Path) -> None:
    for name in ("feature_train.csv", "label1_train.csv", "label2_train.csv"):
        text_matrix(path.with_name(name))


def wavedump2(path: Path) -> None:
    with path.open("wb") as file:
        for number, row in enumerate(pulses().samples):
            file.write(struct.pack("<IQIQi", number, 1000 * number, N_SAMPLES, 2, 1) + row.astype("<f4").tobytes())


def root_tree(path: Path) -> None:
    with uproot.recreate(path) as file:
        file["events"] = {"wave": pulses().samples, "energy": pulses().column("energy")}


def abcd_events(path: Path) -> None:
    made = np.zeros(N_PULSES, EVENT)
    made["timestamp"] = pulses().column("timestamp_ps")
    made["qlong"], made["qshort"] = 1000, 800
    path.write_bytes(made.tobytes())


def text_table(path: Path) -> None:
    rows = [f"{1000 + number},{0.2 + 0.001 * number:.3f}" for number in range(N_PULSES)]
    path.write_text("energy,psd\n" + "\n".join(rows) + "\n")


def mfm(path: Path) -> None:
    made = pulses()
    raw = [neda(row.tolist(), event=number, order="<>"[number % 2]) for number, row in enumerate(made.samples)]
    inside = merged([merged(raw[2:4], by_time=True), other(0x10, b"EXOGAM"), *raw[4:6]])
    path.write_bytes(b"".join([other(0xFF11, b"<run/>"), *raw[:2], inside, *raw[6:]]))


def ntof(path: Path) -> None:
    # No single bit makes one of these blocks as long as several of them.
    small_file(path, n_samples=(N_SAMPLES + 1,), n_blocks=3)


def golden(name: str) -> Callable[[Path], None]:
    return lambda path: path.write_bytes((GOLDEN / name).read_bytes()) and None


def drs4(path: Path) -> None:
    write_random(path, N_PULSES, serials=(5,), channels=(1, 2))


def faster(path: Path) -> None:
    made = [sampler(row.astype("<i2"), clock=1000 * number) for number, row in enumerate(pulses().samples)]
    parts = [made[number] + group(made[number + 1], group(made[number + 2])) for number in range(0, N_PULSES, 3)]
    path.write_bytes(counter().join(parts))


def adf(path: Path) -> None:
    made = [adf_frames.psa(number % 5, tick=5000 + number) for number in range(N_PULSES)]
    event = adf_frames.frame(adf_frames.EVENT, adf_frames.frame(adf_frames.EVENT_PSA, b"".join(made[2:6])) + made[6])
    path.write_bytes(b"".join([*made[:2], event, *made[7:]]))


def ggp(path: Path) -> None:
    made = [channel(row.astype(np.int16), energy=number) for number, row in enumerate(pulses().samples)]
    path.write_bytes(b"".join(block(*made[begin : begin + 3], n_samples=N_SAMPLES) for begin in range(0, N_PULSES, 3)))


def geb(path: Path) -> None:
    raw = [packet(row.astype(np.int16), channel=number % 9) for number, row in enumerate(pulses().samples)]
    path.write_bytes(channels(*raw[:4]) + points(2) + channels(*raw[4:6]) + channels(*raw[6:]) + crystals(1)[1])


MAKERS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "compass-bin": ("run.BIN", by_writer),
    "compass-csv": ("run.csv", compass_csv),
    "compass-root": ("run.root", golden("compass_data_r.root")),
    "root": ("tree.root", root_tree),
    "wavedump": ("wave0.dat", by_writer),
    "wavedump-text": ("wave0.txt", wavedump_text),
    "lh5": ("run.lh5", by_writer),
    "abcd-events": ("run.ade", abcd_events),
    "abcd-waveforms": ("run.adw", by_writer),
    "abcd-raw": ("run.adr", by_writer),
    "mfm": ("run.mfm", mfm),
    "ntof": ("run1_0_s1.raw.finished", ntof),
    "text-table": ("table.tsv", text_table),
    "npy": ("run.npy", npy),
    "npz": ("run.npz", npz),
    "wavedump2": ("run.bin", wavedump2),
    "faster": ("run.fast", faster),
    "adf": ("run.adf", adf),
    "ggp": ("run.ggp", ggp),
    "geb": ("run.geb", geb),
    "drs4": ("run.dat", drs4),
    "text-matrix": ("run.csv", text_matrix),
    "pile-up-text": ("feature_train.csv", piled_up_text),
}


def test_every_format_is_mutated() -> None:
    assert set(MAKERS) == {known.name for known in FORMATS}


NO_MARK = ("abcd-events", "pile-up-text")
"""Nothing in these files tells them: their name does."""


@pytest.mark.parametrize("format_name", MAKERS)
def test_every_format_keeps_what_it_promises(format_name: str, tmp_path: Path) -> None:
    file_name, make = MAKERS[format_name]
    make(tmp_path / file_name)
    told = ["recognises() does not tell the file by its content under another name"] if format_name in NO_MARK else []
    assert broken_promises(tmp_path / file_name) == told


@pytest.mark.parametrize("n_mutations", [FEW_MUTATIONS, pytest.param(N_MUTATIONS, marks=pytest.mark.slow)])
@pytest.mark.parametrize("format_name", MAKERS)
@pytest.mark.timeout(600)
def test_mutated_files_are_read_or_refused(
    format_name: str, n_mutations: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file_name, make = MAKERS[format_name]
    path = tmp_path / file_name
    make(path)
    assert find_format(path).name == format_name
    command = [sys.executable, "-m", "discrimen.formats.mutation", str(path), str(n_mutations), "1"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"the reading process ended with {run.returncode}: {run.stderr[-2000:]}"
    tally = json.loads(run.stdout)
    with capsys.disabled():
        print(
            f"\n{format_name}: {tally['n_mutations']} mutations: {tally['refused']} refused, "
            f"{tally['damage']} read with damage reported, {tally['read']} read",
            end=" ",
        )
    assert tally["n_mutations"] == n_mutations
    assert not tally["violations"], "\n".join(tally["violations"][:5])
    assert tally["refused"] + tally["damage"] > n_mutations / 10
