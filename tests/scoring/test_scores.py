"""Files of scores: what is written is read back, and nothing half-written is left."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet
import pytest
import uproot

from discrimen.errors import DataError, FormatError, MissingExtraError, OutputError, SettingsError
from discrimen.scoring import scores_hdf5, scores_parquet, scores_root
from discrimen.scoring.scores import ScoreRows, open_score_writer, read_attributes, read_scores

CLASSES = ("gamma", "neutron")
ATTRIBUTES = {"model_sha256": "ab" * 32, "version": "0.1.0", "settings": json.dumps({"polarity": "negative"})}
SUFFIXES = (".h5", ".hdf5", ".parquet", ".root", ".csv")


def some_rows(*entries: int, seed: int = 1) -> ScoreRows:
    entry = np.array(entries, dtype=np.int64)
    neutron = np.random.default_rng(seed).random(len(entry)).astype(np.float32)
    return ScoreRows(
        entry=entry,
        score=np.stack([1 - neutron, neutron], axis=1),
        timestamp_ps=2**53 + 1 + 8 * entry,
        board=(entry % 2).astype(np.int32),
        channel=(entry % 16).astype(np.int32),
        flags=np.full(len(entry), 0x8400, dtype=np.uint32),
    )


def write(path: Path, *parts: ScoreRows, n_entries: int | None = None) -> None:
    with open_score_writer(path, classes=CLASSES, attributes=ATTRIBUTES, n_entries=n_entries) as writer:
        for part in parts:
            writer.write(part)


def assert_same(got: ScoreRows, parts: tuple[ScoreRows, ...], *, order: np.ndarray) -> None:
    for name in ("entry", "score", "timestamp_ps", "board", "channel", "flags"):
        expected = np.concatenate([getattr(part, name) for part in parts])[order]
        values = getattr(got, name)
        assert values.dtype == expected.dtype, name
        np.testing.assert_array_equal(values, expected, err_msg=name)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_rows_come_back_as_written(tmp_path: Path, suffix: str) -> None:
    parts = (some_rows(0, 1, 5), some_rows(3, 4, 9, seed=2))
    path = tmp_path / f"scores{suffix}"
    write(path, *parts, n_entries=12)
    table = read_scores(path)
    assert table.classes == CLASSES
    assert {name: text for name, text in table.attributes.items() if name != "command_line"} == ATTRIBUTES
    # A friend tree follows the entries of the run file, the others the order of writing.
    order = np.array([0, 1, 3, 4, 2, 5]) if suffix == ".root" else np.arange(6)
    assert_same(table.rows, parts, order=order)
    assert [left.name for left in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_pulses_without_preparation_keep_their_row(tmp_path: Path, suffix: str) -> None:
    score = np.array([[0.25, 0.75], [np.nan, np.nan]], dtype=np.float32)
    path = tmp_path / f"nan{suffix}"
    write(path, ScoreRows(entry=np.array([0, 1]), score=score))
    rows = read_scores(path).rows
    np.testing.assert_array_equal(rows.score, score)
    assert (rows.timestamp_ps, rows.board, rows.channel, rows.flags) == (None, None, None, None)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_run_without_pulses_gives_an_empty_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"empty{suffix}"
    write(path)
    assert len(read_scores(path).rows) == 0
    assert read_scores(path).classes == CLASSES


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".mfm"])
def test_an_error_leaves_neither_file_nor_scratch(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"scores{suffix}"

    def interrupted() -> None:
        with open_score_writer(path, classes=CLASSES, attributes={}, n_entries=9) as writer:
            writer.write(some_rows(1, 2))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_rows_that_do_not_fit_the_first_are_refused(tmp_path: Path, suffix: str) -> None:
    bare = ScoreRows(entry=np.array([7]), score=np.ones((1, 2), dtype=np.float32))
    three = ScoreRows(entry=np.array([7]), score=np.ones((1, 3), dtype=np.float32))
    with pytest.raises(DataError, match="same columns; first entry, timestamp_ps"):
        write(tmp_path / f"a{suffix}", some_rows(1), bare)
    with pytest.raises(DataError, match=r"2 classes \(gamma, neutron\), got 3"):
        write(tmp_path / f"a{suffix}", three)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".mfm"])
def test_a_full_disk_is_one_error(tmp_path: Path, suffix: str) -> None:
    script = """
        import resource, signal, sys
        import numpy as np
        import h5py, pyarrow.parquet, uproot, awkward
        from discrimen.scoring.scores import ScoreRows, open_score_writer
        from discrimen.errors import OutputError
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        score = np.random.default_rng(1).random((200_000, 2)).astype(np.float32)
        try:
            with open_score_writer(sys.argv[1], classes=("gamma", "neutron"), attributes={}, n_entries=None) as writer:
                writer.write(ScoreRows(entry=np.arange(200_000), score=score))
        except OutputError as error:
            print("OutputError:", error)
    """
    path = tmp_path / f"full{suffix}"
    command = [sys.executable, "-c", textwrap.dedent(script), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"OutputError: {path}: cannot write: File too large\n", done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scores.h5").mkdir()
    with pytest.raises(OutputError, match="a folder has this name"):
        write(tmp_path / "scores.h5", some_rows(1))


def test_unknown_suffix_lists_the_choices(tmp_path: Path) -> None:
    for action in (lambda path: write(path), read_scores):
        with pytest.raises(SettingsError, match=r"\.h5, \.hdf5, \.parquet, \.root, \.csv, \.mfm; got '\.txt'"):
            action(tmp_path / "scores.txt")


@pytest.mark.parametrize("classes", [(), ("gamma", "gamma"), ("gamma ray", "neutron")])
def test_names_of_classes_must_serve_as_names_of_columns(tmp_path: Path, classes: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match="classes need different names"):
        open_score_writer(tmp_path / "scores.h5", classes=classes, attributes={}, n_entries=None)


@pytest.mark.parametrize(
    ("suffix", "module", "extra"), [(".parquet", "pyarrow", "parquet"), (".root", "uproot", "root")]
)
def test_a_missing_library_is_named_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"{module}.*discrimen\[{extra}\]"):
        open_score_writer(tmp_path / f"scores{suffix}", classes=CLASSES, attributes={}, n_entries=None)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".mfm"])
def test_reading_something_else_is_a_format_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"other{suffix}"
    with pytest.raises(FormatError):
        read_scores(path)
    path.write_bytes(b"no scores in here" * 100)
    with pytest.raises(FormatError):
        read_scores(path)


def test_other_files_of_the_right_kind_are_no_scores(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(3)
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mktree("discrimen", {"x": np.int64})
    for name in ("a.h5", "a.root"):
        with pytest.raises(FormatError, match="no file of scores"):
            read_scores(tmp_path / name)


def test_friend_tree_has_one_row_for_each_entry(tmp_path: Path) -> None:
    path = tmp_path / "friend.root"
    write(path, some_rows(4, 1), some_rows(2, seed=2), n_entries=6)
    with uproot.open(path) as file:
        columns = file["discrimen"].arrays(library="np")
        assert json.loads(file["provenance"]) == ATTRIBUTES
    np.testing.assert_array_equal(columns["entry"], np.arange(6))
    np.testing.assert_array_equal(columns["has_pulse"], [False, True, True, False, True, False])
    np.testing.assert_array_equal(np.isnan(columns["score_neutron"]), ~columns["has_pulse"])
    np.testing.assert_array_equal(columns["channel"], [-1, 1, 2, -1, 4, -1])
    np.testing.assert_array_equal(columns["timestamp_ps"] == -1, ~columns["has_pulse"])


def test_friend_tree_grows_where_the_number_of_entries_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores_root, "_SLICE_ROWS", 3)
    parts = tuple(some_rows(start + 2, start, seed=start) for start in range(0, 40, 4))
    path = tmp_path / "friend.root"
    write(path, *parts)
    with uproot.open(path) as file:
        assert file["discrimen"].num_entries == 39
    order = np.argsort(np.concatenate([part.entry for part in parts]))
    assert_same(read_scores(path).rows, parts, order=order)


@pytest.mark.parametrize("entries", [(-1,), (3, 6)])
def test_friend_tree_refuses_entries_beyond_the_run(tmp_path: Path, entries: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="expected entries from 0 to 5"):
        write(tmp_path / "friend.root", some_rows(*entries), n_entries=6)


@pytest.mark.parametrize("parts", [((3, 3),), ((3,), (2, 3))])
def test_friend_tree_refuses_two_rows_for_one_entry(tmp_path: Path, parts: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(DataError, match="an entry has two rows"):
        write(tmp_path / "friend.root", *(some_rows(*entries) for entries in parts), n_entries=6)


def test_large_attributes_and_many_rows_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores_parquet, "ROW_GROUP_ROWS", 50_000)
    rows = some_rows(*range(150_000))
    attributes = {"settings": "x" * 100_000}
    for suffix in (".h5", ".parquet", ".root"):
        path = tmp_path / f"large{suffix}"
        with open_score_writer(path, classes=CLASSES, attributes=attributes, n_entries=150_000) as writer:
            for start in range(0, 150_000, 40_000):
                stop = min(start + 40_000, 150_000)
                names = ("entry", "score", "timestamp_ps", "board", "channel", "flags")
                writer.write(ScoreRows(**{name: getattr(rows, name)[start:stop] for name in names}))
        table = read_scores(path)
        assert table.attributes["settings"] == attributes["settings"]
        assert_same(table.rows, (rows,), order=np.arange(150_000))
    assert pyarrow.parquet.ParquetFile(tmp_path / "large.parquet").num_row_groups == 3


def test_shapes_are_checked() -> None:
    with pytest.raises(DataError, match=r"scores must have shape \(2, class\)"):
        ScoreRows(entry=np.arange(2), score=np.ones((3, 2), dtype=np.float32))
    with pytest.raises(DataError, match="column 'channel'"):
        ScoreRows(entry=np.arange(2), score=np.ones((2, 2), dtype=np.float32), channel=np.zeros(3, dtype=np.int32))


def test_no_temporary_file_is_visible_while_the_scratch_grows(tmp_path: Path) -> None:
    with open_score_writer(tmp_path / "a.root", classes=CLASSES, attributes={}, n_entries=1000) as writer:
        writer.write(some_rows(*range(1000)))
        # The scratch has no name: a killed process leaves nothing behind.
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("n_rows", [1, 9, 10, 11, 30, 35])
def test_rows_wait_for_a_full_chunk_and_none_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_rows: int, compress: bool
) -> None:
    monkeypatch.setattr(scores_hdf5, "CHUNK_ROWS", 10)
    path = tmp_path / "scores.h5"
    parts = tuple(some_rows(*range(start, min(start + 7, n_rows)), seed=start) for start in range(0, n_rows, 7))
    with open_score_writer(path, classes=CLASSES, attributes={}, n_entries=None, compress=compress) as writer:
        for part in parts:
            writer.write(part)
    assert_same(read_scores(path).rows, parts, order=np.arange(n_rows))
    with h5py.File(path) as file:
        assert {data.chunks for data in file.values()} == {(min(n_rows, 10),)}
        assert {data.compression for data in file.values()} == {"gzip" if compress else None}


def test_scores_of_a_short_run_take_little_room(tmp_path: Path) -> None:
    path = tmp_path / "scores.h5"
    write(path, some_rows(*range(100)))
    assert path.stat().st_size < 30_000


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_provenance_is_read_without_the_rows(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"scores{suffix}"
    with open_score_writer(path, classes=CLASSES, attributes={"model_sha256": "ab"}, n_entries=9) as writer:
        writer.write(some_rows(1, 2))
    assert read_attributes(path)["model_sha256"] == "ab"
