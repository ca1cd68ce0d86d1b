"""``discrimen hits`` from a user's seat."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.formats.geb_frames import channels, crystals, packet, points

from discrimen.pulses.hit_flags import HitFlag
from discrimen.runs.hits_file import hits_info, read_hits

Run = Callable[..., tuple[int, str, str]]


def test_traces_of_crystals_become_a_file_of_hits(run: Run, tmp_path: Path) -> None:
    traces, content = crystals(5)
    (tmp_path / "run.dat").write_bytes(content)
    output = tmp_path / "hits.h5"
    status, out, err = run("hits", tmp_path / "run.dat", "-o", output)
    assert (status, out, err) == (0, f"5 hits of 37 channels written to {output}\n", "")
    hits = read_hits(output)
    assert np.array_equal(hits.samples, traces)
    assert hits.sample_period_ns == 10.0
    assert hits.column("energy").tolist() == [300, 301, 302, 303, 304]
    assert hits.column("segment").tolist() == [0, 1, 2, 3, 4]
    status, out, _ = run("inspect", output)
    assert status == 0
    assert out.startswith(f"{output}: 5 hits of 37 channels and 300 samples of 10 ns, with entry, timestamp_ps")
    status, out, err = run("hits", tmp_path / "run.dat", "-o", output)
    assert (status, out) == (1, "")
    assert "--overwrite" in err
    status, _, _ = run("hits", tmp_path / "run.dat", "-o", output, "--overwrite", "--packed")
    assert status == 0
    with h5py.File(output) as file:
        assert [file["samples"].id.get_create_plist().get_filter(number)[0] for number in (0, 1)] == [32008, 3]
    assert np.array_equal(read_hits(output).samples, traces)


def test_faulty_hits_are_told_and_left_out_unless_wished(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    raw = rng.integers(-500, 500, (12, 20)).astype(np.int16)
    frames = [
        channels(*(packet(raw[k], channel=k, tick=1000, energy=50) for k in (0, 1, 9))),
        channels(*(packet(raw[3 + k], channel=k, tick=2000) for k in (0, 1))),
        channels(*(packet(raw[6 + k], channel=c, tick=3000) for k, c in enumerate((0, 1, 1, 9, 5)))),
    ]
    (tmp_path / "run.geb").write_bytes(b"".join(frames))
    told = ("--channels", "1,0,36", "--json")
    status, out, _ = run("hits", tmp_path / "run.geb", "-o", tmp_path / "hits.h5", *told)
    assert status == 0
    result = json.loads(out)
    assert {fault: count for fault, count in result["faults"].items() if count} == {"no_core": 1, "repeated_channel": 1}
    assert (result["n_hits"], result["n_hits_left_out"], result["n_traces"]) == (1, 2, 10)
    assert result["traces_of_other_channels"] == {"5": 1}
    (only,) = read_hits(tmp_path / "hits.h5").samples
    assert np.array_equal(only, raw[[1, 0, 9]])
    status, _, _ = run("hits", tmp_path / "run.geb", "-o", tmp_path / "all.h5", "--keep-faulty", *told)
    assert status == 0
    assert read_hits(tmp_path / "all.h5").column("flags").tolist() == [0, HitFlag.NO_CORE, HitFlag.REPEATED_CHANNEL]


def test_several_runs_have_numbers(run: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.dat").write_bytes(crystals(2)[1])
    status, _, _ = run("hits", tmp_path / "a.dat", tmp_path / "b.dat", "-o", tmp_path / "hits.h5")
    assert status == 0
    assert read_hits(tmp_path / "hits.h5").column("run").tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("content", "options", "problem"),
    [
        (points(3), (), "holds interaction points"),
        (channels(packet(np.arange(20, dtype=np.int16))), (), "no hit to write: 1 hit(s) without the core's trace"),
        (crystals(1)[1], ("--channels", "0-40,3"), "channel 3 comes twice"),
        (crystals(1)[1], ("--channels", "a-b"), "--channels expects"),
        (crystals(1)[1], ("--core", "50"), "core: channel 50 is not among the 37"),
    ],
)
def test_what_cannot_be_is_one_line(
    run: Run, tmp_path: Path, content: bytes, options: tuple[str, ...], problem: str
) -> None:
    (tmp_path / "run.geb").write_bytes(content)
    status, out, err = run("hits", tmp_path / "run.geb", "-o", tmp_path / "hits.h5", *options)
    assert (status, out) == (1, "")
    assert problem in err
    assert not (tmp_path / "hits.h5").exists()


@pytest.mark.real_data
def test_measured_and_calculated_signals_become_hits(run: Run, real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "gretina"
    files = [*sorted(folder.glob("cevt_*.dat")), folder / "calculated_segment15.dat"]
    for number, path in enumerate(files):
        output = tmp_path / f"{number}.h5"
        status, _, err = run("hits", path, "-o", output)
        assert status == 0, err
        hits = read_hits(output)
        assert len(hits) == (50 if path == files[-1] else 3)
        assert hits.present is not None
        assert hits.present.all()
        assert not hits.column("flags").any()
        assert set(hits.column("segment").tolist()) == {15}
        assert hits_info(output).channels[15:16] == ("D3",)
