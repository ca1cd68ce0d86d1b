from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from tests.public_data.zenodo import FakeZenodo

from discrimen.errors import FetchError, FormatError, OutputError
from discrimen.public_data import PUBLIC_SETS, fetch_set, find_set
from discrimen.public_data.lock import LOCK_NAME

KNOWN = find_set("tempotron")
FILES = {"a.txt": b"1,2\n3,4\n" * 1000, "b.txt": b"0\n1\n"}


def test_the_records_that_were_asked_for_are_in_the_table() -> None:
    assert {16728732, 7974151} <= {known.record for known in PUBLIC_SETS}
    assert all(known.facts_from and known.rules for known in PUBLIC_SETS)
    assert len({known.name for known in PUBLIC_SETS}) == len(PUBLIC_SETS)


def test_a_fetch_leaves_the_files_and_a_lock_with_their_checksums(zenodo: FakeZenodo, tmp_path: Path) -> None:
    zenodo.publish(KNOWN.record, FILES)
    counted: list[int] = []
    fetched = fetch_set(KNOWN, tmp_path / "set", server=zenodo.url, on_bytes=counted.append)
    assert fetched.downloaded == tuple(FILES)
    assert sum(counted) == sum(map(len, FILES.values()))
    lock = json.loads((tmp_path / "set" / LOCK_NAME).read_text())
    assert (lock["data_set"], lock["doi"], lock["licence"]) == ("tempotron", "10.5281/zenodo.7974151", "cc-by-4.0")
    for file in lock["files"]:
        content = (tmp_path / "set" / file["name"]).read_bytes()
        assert content == FILES[file["name"]]
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == ["a.txt", "b.txt", LOCK_NAME]


def test_a_second_fetch_needs_no_network(zenodo: FakeZenodo, tmp_path: Path) -> None:
    zenodo.publish(KNOWN.record, FILES)
    fetch_set(KNOWN, tmp_path, server=zenodo.url)
    zenodo.asked.clear()
    again = fetch_set(KNOWN, tmp_path, server="http://127.0.0.1:1")
    assert (again.downloaded, again.kept) == ((), tuple(FILES))
    assert not zenodo.asked


def test_only_what_is_missing_is_fetched(zenodo: FakeZenodo, tmp_path: Path) -> None:
    zenodo.publish(KNOWN.record, FILES)
    assert fetch_set(KNOWN, tmp_path, server=zenodo.url, only=["b*"]).downloaded == ("b.txt",)
    assert fetch_set(KNOWN, tmp_path, server=zenodo.url).downloaded == ("a.txt",)
    assert zenodo.downloads() == ["b.txt", "a.txt"]


def test_a_download_that_breaks_off_leaves_no_file_and_can_be_run_again(zenodo: FakeZenodo, tmp_path: Path) -> None:
    zenodo.publish(KNOWN.record, FILES)
    path = f"/api/records/{KNOWN.record}/files/a.txt/content"
    zenodo.broken_off.add(path)
    with pytest.raises(FetchError, match="broke off") as raised:
        fetch_set(KNOWN, tmp_path, server=zenodo.url)
    assert "\n" not in str(raised.value)
    assert [one.name for one in tmp_path.iterdir()] == [LOCK_NAME]
    zenodo.broken_off.clear()
    assert fetch_set(KNOWN, tmp_path, server=zenodo.url).downloaded == tuple(FILES)


def test_a_wrong_checksum_is_refused_and_the_file_removed(zenodo: FakeZenodo, tmp_path: Path) -> None:
    zenodo.publish(KNOWN.record, FILES)
    zenodo.answers[f"/api/records/{KNOWN.record}/files/b.txt/content"] = b"0\n2\n"
    with pytest.raises(FetchError, match=r"b\.txt/content: the checksum of what came is not md5:") as raised:
        fetch_set(KNOWN, tmp_path, server=zenodo.url)
    assert "\n" not in str(raised.value)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.txt", LOCK_NAME]  # what was right stays


def test_a_file_that_changed_at_the_server_is_refused_by_the_lock(zenodo: FakeZenodo, tmp_path: Path) -> None:
    zenodo.publish(KNOWN.record, FILES)
    fetch_set(KNOWN, tmp_path, server=zenodo.url)
    (tmp_path / "b.txt").unlink()
    zenodo.publish(KNOWN.record, {**FILES, "b.txt": b"changed"})
    with pytest.raises(FetchError, match="the file changed at the server"):
        fetch_set(KNOWN, tmp_path, server=zenodo.url)


def test_a_file_that_changed_here_is_not_overwritten(zenodo: FakeZenodo, tmp_path: Path) -> None:
    zenodo.publish(KNOWN.record, FILES)
    fetch_set(KNOWN, tmp_path, server=zenodo.url)
    (tmp_path / "b.txt").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"b\.txt: this file is not the one of the record"):
        fetch_set(KNOWN, tmp_path, server=zenodo.url)
    assert (tmp_path / "b.txt").read_bytes() == b"mine"


def test_a_file_fetched_by_hand_is_taken_if_it_is_right(zenodo: FakeZenodo, tmp_path: Path) -> None:
    zenodo.publish(KNOWN.record, FILES)
    (tmp_path / "a.txt").write_bytes(FILES["a.txt"])
    assert fetch_set(KNOWN, tmp_path, server=zenodo.url).downloaded == ("b.txt",)


def test_offline_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"/api/records/7974151: cannot be reached .*check the network") as raised:
        fetch_set(KNOWN, tmp_path / "set", server="http://127.0.0.1:1")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "set").exists()


def test_a_record_that_is_not_there_says_the_servers_answer(zenodo: FakeZenodo, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="the server answers 404 Not Found"):
        fetch_set(KNOWN, tmp_path, server=zenodo.url)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"<html>", "expected JSON"),
        (b"[]", "this is no record of Zenodo"),
        (b'{"metadata": {}, "files": []}', "files"),
        (
            b'{"metadata": {}, "files": [{"key": "a", "size": 1, "checksum": "crc:1", "links": {"self": "x"}}]}',
            "checksum",
        ),
    ],
)
def test_an_answer_of_another_form_is_refused(zenodo: FakeZenodo, tmp_path: Path, answer: bytes, told: str) -> None:
    zenodo.answers[f"/api/records/{KNOWN.record}"] = answer
    with pytest.raises(FetchError, match=told):
        fetch_set(KNOWN, tmp_path, server=zenodo.url)


@pytest.mark.parametrize("name", ["../x.txt", "/etc/x", ".hidden", "a\\b"])
def test_a_name_that_leads_elsewhere_is_refused(zenodo: FakeZenodo, tmp_path: Path, name: str) -> None:
    zenodo.publish(KNOWN.record, {name: b"1"})
    with pytest.raises(FetchError, match="is not safe to write"):
        fetch_set(KNOWN, tmp_path, server=zenodo.url)


def test_another_set_in_the_folder_is_refused(zenodo: FakeZenodo, tmp_path: Path) -> None:
    zenodo.publish(KNOWN.record, FILES)
    fetch_set(KNOWN, tmp_path, server=zenodo.url)
    with pytest.raises(OutputError, match="holds the data set 'tempotron'"):
        fetch_set(find_set("ej299-survey"), tmp_path, server=zenodo.url)


def test_a_pattern_that_matches_nothing_lists_what_there_is(zenodo: FakeZenodo, tmp_path: Path) -> None:
    zenodo.publish(KNOWN.record, FILES)
    with pytest.raises(FetchError, match=r"no file of tempotron matches \*\.npy; it has a\.txt, b\.txt"):
        fetch_set(KNOWN, tmp_path, server=zenodo.url, only=["*.npy"])


def test_a_damaged_lock_is_named(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).write_text("{}")
    with pytest.raises(FormatError, match="remove it to fetch again"):
        fetch_set(KNOWN, tmp_path)


@pytest.mark.parametrize("server", ["ftp://zenodo.org", "zenodo.org"])
def test_a_server_that_is_no_address_is_not_called_a_broken_download(tmp_path: Path, server: str) -> None:
    with pytest.raises(FetchError, match="no address to fetch from"):
        fetch_set(KNOWN, tmp_path, server=server)
