"""CERN's ROOT reads the friend tree beside the run file: entries align, and both trees serve one expression."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from discrimen.formats.base import ReadOptions
from discrimen.formats.compass.root_file import FORMAT
from discrimen.scoring.scores import ScoreRows, open_score_writer

RUN = Path(__file__).parents[1] / "formats" / "golden" / "compass_data_r.root"
N_ENTRIES = 60

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def root() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("ROOT", reason="NO ROOT: pip install root, then run `make test-root`")


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scores of the golden run, which has fake and empty events and comes in chunks by length."""
    path = tmp_path_factory.mktemp("friend") / "scores.root"
    reader = FORMAT.open_reader(RUN, ReadOptions())
    n_entries = reader.info.n_entries
    with open_score_writer(path, classes=("gamma", "neutron"), attributes={"v": "1"}, n_entries=n_entries) as writer:
        for pulses in reader.chunks():
            neutron = (pulses.column("entry") / N_ENTRIES).astype(np.float32)
            writer.write(
                ScoreRows(
                    entry=pulses.column("entry"),
                    score=np.stack([1 - neutron, neutron], axis=1),
                    timestamp_ps=pulses.timestamp_ps,
                    board=pulses.board,
                    channel=pulses.channel,
                    flags=pulses.flags,
                )
            )
    return path


def drawn(tree: object, expression: str, selection: str = "") -> np.ndarray:
    count = tree.Draw(expression, selection, "goff")  # type: ignore[attr-defined]
    columns = expression.count(":") + 1
    return np.array([[tree.GetVal(column)[row] for column in range(columns)] for row in range(count)])  # type: ignore[attr-defined]


def test_add_friend_aligns_every_entry(root: ModuleType, scores: Path) -> None:
    file = root.TFile.Open(str(RUN))
    tree = file.Get("Data_R")
    tree.AddFriend("discrimen", str(scores))
    friend = tree.GetFriend("discrimen")
    assert tree.GetEntries() == friend.GetEntries() == N_ENTRIES
    np.testing.assert_array_equal(
        drawn(tree, "discrimen.entry:Entry$"), np.arange(N_ENTRIES)[:, None].repeat(2, axis=1)
    )
    joined = drawn(tree, "Entry$:Channel:discrimen.channel:discrimen.score_neutron", "discrimen.has_pulse")
    kept = [entry for entry in range(N_ENTRIES) if entry % 5 != 4 and entry not in (7, 8)]
    np.testing.assert_array_equal(joined[:, 0], kept)
    np.testing.assert_array_equal(joined[:, 1], joined[:, 2])
    np.testing.assert_allclose(joined[:, 3], np.array(kept) / N_ENTRIES, rtol=1e-6)
    same_time = "discrimen.has_pulse && Timestamp == discrimen.timestamp_ps"
    np.testing.assert_array_equal(drawn(tree, "Entry$", same_time)[:, 0], kept)
    assert len(drawn(tree, "Entry$", "discrimen.score_neutron != discrimen.score_neutron")) == N_ENTRIES - len(kept)
    file.Close()


def test_scan_and_data_frame_see_both_trees(root: ModuleType, scores: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = root.TFile.Open(str(RUN))
    tree = file.Get("Data_R")
    tree.AddFriend("discrimen", str(scores))
    assert tree.Scan("Channel:Energy:discrimen.channel:discrimen.score_neutron", "discrimen.score_neutron > 0.5") > 0
    out = capfd.readouterr().out
    print(out)
    assert "discrimen" in out
    frame = root.RDataFrame(tree)
    high = frame.Filter("discrimen.score_neutron > 0.5 && Channel == discrimen.channel").Count().GetValue()
    assert high == sum(entry > 30 and entry % 5 != 4 for entry in range(N_ENTRIES))
    file.Close()


def test_provenance_is_a_string_of_the_file(root: ModuleType, scores: Path) -> None:
    file = root.TFile.Open(str(scores))
    assert str(file.Get("provenance").GetString()) == '{"v": "1"}'
    file.Close()
