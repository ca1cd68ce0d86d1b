"""Hits from channels: what belongs together, what is wrong with it, and that nothing depends on the chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import ReadReport, RunInfo
from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.hit_flags import HitFlag
from discrimen.pulses.hits import Hits, join_hits
from discrimen.runs import hit_units
from discrimen.runs.gather_hits import gather_hits
from discrimen.runs.gather_options import GatherOptions
from discrimen.runs.gather_report import GatherReport

FOUR = GatherOptions(channels=(0, 1, 2, 9), core=9, leave_out=HitFlag(0))


class Run:
    """A reader of pulses in memory, in chunks of any size."""

    def __init__(self, rows: Sequence[dict[str, Any]], *, chunk: int = 1000, n_samples: int = 8) -> None:
        self.info = RunInfo(path=Path("run"), format="none", layout="none", settings=DetectorSettings())
        self.report = ReadReport()
        self._rows, self._chunk, self._n_samples = rows, chunk, n_samples

    def chunks(self) -> Iterator[Pulses]:
        for begin in range(0, len(self._rows), self._chunk):
            rows = self._rows[begin : begin + self._chunk]
            lengths = [row.get("n", self._n_samples) for row in rows]
            for n_samples in dict.fromkeys(lengths):
                which = [k for k, length in enumerate(lengths) if length == n_samples]
                yield Pulses(
                    samples=np.stack([wave(begin + k, n_samples, flat=rows[k].get("flat", False)) for k in which]),
                    sample_period_ns=10.0,
                    entry=np.array([begin + k for k in which]),
                    channel=np.array([rows[k]["channel"] for k in which]),
                    board=np.array([rows[k].get("board", 0) for k in which]),
                    timestamp_ps=np.array([rows[k]["t"] for k in which]),
                    energy=np.array([rows[k].get("e", 1.0) for k in which]),
                    flags=np.array([rows[k].get("flags", 0) for k in which], np.uint32),
                )


def wave(number: int, n_samples: int, *, flat: bool = False) -> np.ndarray[Any, np.dtype[np.int16]]:
    return np.full(n_samples, 5, np.int16) if flat else (100 * number + np.arange(n_samples)).astype(np.int16)


def hit(t: int, *channels: int, **more: Any) -> list[dict[str, Any]]:
    return [{"t": t, "channel": channel, **more} for channel in channels or (0, 1, 2, 9)]


def gathered(rows: Sequence[dict[str, Any]], options: GatherOptions = FOUR, **run: Any) -> tuple[Hits, GatherReport]:
    report = GatherReport()
    return join_hits(gather_hits(Run(rows, **run), options=options, report=report)), report


def faults(hits: Hits) -> list[HitFlag]:
    return [HitFlag(int(flags)) for flags in hits.column("flags")]


def test_traces_of_one_crystal_and_time_are_one_hit_in_the_order_of_the_table() -> None:
    rows = [*hit(50, 9, 1, e=7.0), *hit(60, 0, 1, 2, 9), *hit(50, 2, 0, e=9.0), *hit(50, 0, 1, 2, 9, board=3)]
    hits, report = gathered(rows, GatherOptions(channels=(2, 1, 0, 9), core=9))
    assert hits.channels == ("2", "1", "0", "core")
    assert hits.samples[:, :, 0].tolist() == [[600, 100, 700, 0], [400, 300, 200, 500], [1000, 900, 800, 1100]]
    assert hits.column("timestamp_ps").tolist() == [50, 60, 50]
    assert hits.column("board").tolist() == [0, 0, 3]
    assert hits.column("energy").tolist() == [7, 1, 1]
    assert hits.column("segment").tolist() == [0, 0, 0]
    assert hits.column("entry").tolist() == [0, 2, 8]
    assert (report.n_traces, report.n_hits, report.n_whole, report.lines()) == (12, 3, 3, [])


@pytest.mark.parametrize("chunk", [1, 3, 7, 1000])
def test_nothing_depends_on_the_chunks(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hit_units, "HOLD", 12)
    monkeypatch.setattr("discrimen.runs.gather_hits.HOLD", 12)
    rng = np.random.default_rng(3)
    rows = [row for number in range(60) for row in hit(100 * number // 2 * 2, board=number % 3)]
    rows = [row for row in rows if rng.random() < 0.9]
    order = np.argsort(np.arange(len(rows)) + rng.uniform(0, 5, len(rows)))
    mixed = [rows[k] for k in order]
    hits, report = gathered(mixed, chunk=chunk)
    whole, at_once = gathered(mixed, chunk=10_000)
    assert hits.present is not None
    assert whole.present is not None
    assert np.array_equal(hits.samples, whole.samples)
    assert np.array_equal(hits.present, whole.present)
    assert report.as_dict() == at_once.as_dict()
    assert (len(hits), int(hits.present.sum())) == (60, len(rows))


def test_a_window_takes_what_is_near_the_first_time() -> None:
    rows = [*hit(0, 0), *hit(30_000, 1), *hit(45_000, 2, 9), *hit(90_000, 0, 1, 2, 9)]
    hits, _ = gathered(rows, GatherOptions(channels=(0, 1, 2, 9), core=9, window_ns=45, leave_out=HitFlag(0)))
    assert hits.column("timestamp_ps").tolist() == [0, 90_000]
    # A chain of small steps does not go on for ever.
    narrow, _ = gathered(rows, GatherOptions(channels=(0, 1, 2, 9), core=9, window_ns=40, leave_out=HitFlag(0)))
    assert narrow.column("timestamp_ps").tolist() == [0, 45_000, 90_000]


def test_missing_channels_are_in_the_mask_and_counted() -> None:
    hits, report = gathered([*hit(0, 0, 2, 9), *hit(10, 0, 1, 2), *hit(20)])
    assert hits.present is not None
    assert hits.present.tolist() == [[1, 0, 1, 1], [1, 1, 1, 0], [1, 1, 1, 1]]
    assert faults(hits) == [HitFlag.MISSING_SEGMENT, HitFlag.NO_CORE, HitFlag(0)]
    assert np.isnan(hits.column("energy")[1])
    assert not hits.samples[0, 1].any()
    assert dict(report.missing) == {1: 1, 9: 1}
    assert report.as_dict()["faults"]["no_core"] == 1
    kept, left = gathered([*hit(0, 0, 2, 9), *hit(10, 0, 1, 2), *hit(20)], GatherOptions(channels=(0, 1, 2, 9), core=9))
    assert (kept.column("timestamp_ps").tolist(), left.n_hits, left.n_left_out) == ([0, 20], 3, 1)


def test_dead_channels_are_masked() -> None:
    rows = [*hit(0, 0, 1, 9), *hit(0, 2, flat=True), *hit(10)]
    hits, report = gathered(rows)
    assert hits.present is not None
    assert hits.present.tolist() == [[1, 1, 0, 1], [1, 1, 1, 1]]
    assert faults(hits) == [HitFlag.DEAD_CHANNEL, HitFlag(0)]
    assert not hits.samples[0, 2].any()
    assert dict(report.dead) == {2: 1}
    flat, _ = gathered(rows, GatherOptions(channels=(0, 1, 2, 9), core=9, flat_is_dead=False))
    assert faults(flat) == [HitFlag(0), HitFlag(0)]
    known, report = gathered(hit(0, 0, 1, 9), GatherOptions(channels=(0, 1, 2, 9), core=9, dead=(2,)))
    assert faults(known) == [HitFlag.DEAD_CHANNEL]
    assert not report.missing
    twice, _ = gathered(hit(0, 0, 1, 9) * 2, GatherOptions(channels=(0, 1, 2, 9), core=9, dead=(2,)))
    assert faults(twice) == [HitFlag.DEAD_CHANNEL] * 2


def test_a_channel_that_comes_twice_is_flagged_and_the_first_is_kept() -> None:
    hits, report = gathered([*hit(0, 0, 1, 1, 2, 9), *hit(10, 0, 1, 9, 9)])
    assert faults(hits) == [HitFlag.REPEATED_CHANNEL, HitFlag.REPEATED_CHANNEL | HitFlag.MISSING_SEGMENT]
    assert hits.samples[0, 1, 0] == 100
    assert (report.n_hits, report.n_repeated) == (2, 2)


def test_whole_hits_of_one_time_are_parted_in_the_order_of_the_file() -> None:
    hits, report = gathered([*hit(0), *hit(0), *hit(0)])
    assert hits.samples[:, :, 0].tolist() == [[400 * n + 100 * k for k in range(4)] for n in range(3)]
    assert faults(hits) == [HitFlag(0)] * 3
    assert report.n_same_time == 2


def test_a_trace_of_another_length_is_left_out_and_flagged() -> None:
    short = [
        {"t": 0, "channel": 0, "n": 6},
        *hit(0, 1, 2, 9),
        *hit(10),
        *hit(20, 0, 1, 2),
        {"t": 20, "channel": 9, "n": 9},
    ]
    hits, _ = gathered(short)
    assert hits.n_samples == 8
    assert hits.present is not None
    assert hits.present.tolist() == [[0, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 0]]
    assert faults(hits) == [HitFlag.UNEQUAL_LENGTH, HitFlag(0), HitFlag.UNEQUAL_LENGTH | HitFlag.NO_CORE]


def test_a_block_of_several_lengths_is_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hit_units, "HOLD", 12)
    monkeypatch.setattr("discrimen.runs.gather_hits.HOLD", 12)
    rows = [{**row, "n": 6 if row["channel"] == 2 else 8} for number in range(50) for row in hit(10 * number)]
    hits, report = gathered(rows, chunk=100)
    assert hits.present is not None
    assert hits.present.tolist() == [[1, 1, 0, 1]] * 50
    assert dict(report.faults) | {HitFlag.UNEQUAL_LENGTH: 50} == dict(report.faults)
    assert report.n_hits == 50


def test_channel_after_channel_is_put_together_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hit_units, "HOLD", 12)
    monkeypatch.setattr("discrimen.runs.gather_hits.HOLD", 12)
    chunks = list(Run([row for number in range(60) for row in hit(10 * number)]).chunks())
    run = Run([])
    run.chunks = lambda: (chunk[chunk.column("channel") == number] for number in (0, 1, 2, 9) for chunk in chunks)
    hits = join_hits(gather_hits(run, options=FOUR))
    assert not hits.column("flags").any()
    assert len(hits) == 60
    monkeypatch.setattr("discrimen.runs.gather_hits.MOST_BYTES", 1000)
    with pytest.raises(DataError, match="store channel after channel"):
        list(gather_hits(run, options=FOUR))


def test_other_channels_are_counted() -> None:
    hits, report = gathered([*hit(0, 0, 1, 2, 5, 9, 40), *hit(10)])
    assert len(hits) == 2
    assert dict(report.other_channels) == {5: 1, 40: 1}
    assert report.lines() == ["2 trace(s) of channels that are not in the table: 5: 1, 40: 1"]


def test_energies_below_the_threshold_are_flagged() -> None:
    rows = [*hit(0, e=9.0), *hit(10, e=11.0), *hit(20, e=np.nan)]
    options = GatherOptions(channels=(0, 1, 2, 9), core=9, threshold=10.0, leave_out=HitFlag(0))
    hits, report = gathered(rows, options)
    assert faults(hits) == [HitFlag.BELOW_THRESHOLD, HitFlag(0), HitFlag.BELOW_THRESHOLD]
    assert hits.column("segment").tolist() == [0, 0, -1]
    assert report.lines() == ["2 hit(s) below the energy threshold"]


def test_flags_of_the_traces_are_those_of_the_hit() -> None:
    hits, _ = gathered([*hit(0, 0, 1, 9), *hit(0, 2, flags=int(PulseFlag.PILE_UP)), *hit(10)])
    assert hits.column("flags").tolist() == [PulseFlag.PILE_UP, 0]


def test_memory_stays_small_where_no_hit_is_ever_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hit_units, "HOLD", 20)
    monkeypatch.setattr(hit_units, "MOST_HELD", 100)
    monkeypatch.setattr("discrimen.runs.gather_hits.HOLD", 20)
    most = 0

    def counted(**columns: Any) -> hit_units.Units:
        nonlocal most
        most = max(most, len(columns["row"]))
        return hit_units.sort_into_units(**columns)

    monkeypatch.setattr("discrimen.runs.gather_hits.sort_into_units", counted)
    hits, _ = gathered(hit(0, 0, 1, 2) * 400, chunk=10)
    assert most < 200
    assert all(flags & HitFlag.NO_CORE for flags in faults(hits))


def test_what_cannot_be_put_together_is_refused() -> None:
    run = Run(hit(0))
    without = [chunk.replace(timestamp_ps=None) for chunk in run.chunks()]
    run.chunks = lambda: iter(without)
    with pytest.raises(DataError, match="no column 'timestamp_ps'"):
        list(gather_hits(run))
    bare = [chunk.replace(energy=None) for chunk in Run(hit(0)).chunks()]
    run.chunks = lambda: iter(bare)
    with pytest.raises(SettingsError, match="no energies"):
        list(gather_hits(run, options=GatherOptions(threshold=10.0)))
    (without_energy,) = gather_hits(run, options=FOUR)
    assert set(without_energy.columns) == {"entry", "timestamp_ps", "board", "flags"}
    for options in ({"channels": (1, 1)}, {"core": 40}, {"dead": (50,)}, {"window_ns": -1.0}):
        with pytest.raises(SettingsError):
            GatherOptions(**options)  # type: ignore[arg-type]
