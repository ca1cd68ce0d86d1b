"""The recipes of docs/recipes-formats.md, where the library of each is installed, on files made here."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from discrimen.formats.table import open_reader
from discrimen.pulses import Pulses, concatenate

DOCS = Path(__file__).resolve().parents[2] / "docs"
RECIPES = sorted((DOCS / "recipes").glob("from_*.py"))
RNG = np.random.default_rng(6)


def lecroy(path: Path, samples: np.ndarray) -> None:
    """A sequence of 16-bit segments at 2 ns, one every 100 ns; 0.5 mV a count."""
    head = bytearray(346)

    def put(at: int, kind: str, value: object) -> None:
        struct.pack_into(f"<{kind}", head, at, value)

    put(0, "16s", b"WAVEDESC")
    put(16, "16s", b"LECROY_2_3")
    for at, value in ((32, 1), (34, 1), (172, 12)):
        put(at, "h", value)
    n_segments = len(samples)
    for at, value in ((36, 346), (48, 16 * n_segments), (60, samples.nbytes), (116, samples.size), (144, n_segments)):
        put(at, "i", value)
    put(76, "16s", b"LECROYTEST")
    put(156, "f", 0.0005)
    put(176, "f", 2e-9)
    put(296, "d", 12.5)
    for at, value in ((304, 30), (305, 12), (306, 1), (307, 1)):
        put(at, "B", value)
    put(308, "h", 2026)
    put(324, "h", 12)
    times = np.column_stack([1e-7 * np.arange(n_segments), np.full(n_segments, -1e-8)])
    path.write_bytes(bytes(head) + times.astype("<f8").tobytes() + samples.astype("<i2").tobytes())


def pixie16(path: Path, samples: np.ndarray) -> None:
    """Events of one module in slot 3 with heads of four words, and one without a trace."""
    content = b""
    for number, row in enumerate([*samples, samples[0, :0]]):
        first = number % 4 | 3 << 4 | 4 << 12 | (4 + len(row) // 2) << 17
        third = 100 + number | len(row) << 16
        content += struct.pack("<4I", first, 1000 * number, 0, third) + row.astype("<u2").tobytes()
    path.write_bytes(content)


def run_recipe(name: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, str(DOCS / "recipes" / name), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(path: Path) -> Pulses:
    return concatenate(open_reader(path).chunks())


@pytest.mark.slow
def test_lecroy(tmp_path: Path) -> None:
    pytest.importorskip("lecroyparser")
    samples = RNG.integers(-2000, 2000, (30, 100)).astype(np.int16)
    lecroy(tmp_path / "C1run.trc", samples)
    run_recipe("from_lecroy.py", tmp_path / "C1run.trc", "-o", tmp_path / "run.npz")
    pulses = read(tmp_path / "run.npz")
    np.testing.assert_allclose(pulses.samples, samples * 0.5, atol=1e-3)
    assert pulses.sample_period_ns == 2
    np.testing.assert_array_equal(pulses.column("timestamp_ps"), 100_000 * np.arange(30))


@pytest.mark.slow
def test_rigolwfm(tmp_path: Path) -> None:
    pytest.importorskip("RigolWFM")
    samples = RNG.integers(-2000, 2000, (3, 1, 100)).astype(np.int16)
    for number, each in enumerate(samples):
        lecroy(tmp_path / f"run{number}.trc", each)
    run_recipe("from_rigolwfm.py", *sorted(tmp_path.glob("*.trc")), "-o", tmp_path / "run.npz")
    pulses = read(tmp_path / "run.npz")
    np.testing.assert_allclose(pulses.samples, samples[:, 0] * 0.5, atol=1e-3)
    assert (pulses.sample_period_ns, len(pulses.column("channel"))) == (2, 3)


@pytest.mark.slow
def test_pixie16(tmp_path: Path) -> None:
    pytest.importorskip("pixie16")
    samples = RNG.integers(0, 2**14, (30, 100)).astype(np.uint16)
    pixie16(tmp_path / "run.bin", samples)
    told = run_recipe("from_pixie16.py", tmp_path / "run.bin", "--sample-period-ns", 4, "-o", tmp_path / "run.npz")
    assert told == "31 events, 30 with traces of 100 samples; left out: 1\n"
    pulses = read(tmp_path / "run.npz")
    np.testing.assert_array_equal(pulses.samples, samples)
    assert pulses.sample_period_ns == 4
    np.testing.assert_array_equal(pulses.column("timestamp_ps"), 8_000_000 * np.arange(30))
    np.testing.assert_array_equal(pulses.column("channel"), np.arange(30) % 4)
    assert set(pulses.column("board")) == {3}


def test_the_page_names_every_recipe_and_its_version() -> None:
    page = (DOCS / "recipes-formats.md").read_text(encoding="utf-8")
    assert len(RECIPES) == 3
    for path in RECIPES:
        tested = re.search(r"Tested with (\w+ [\d.]+\d)", path.read_text(encoding="utf-8"))
        assert tested is not None
        assert f"recipes/{path.name}" in page
        assert tested[1] in page
