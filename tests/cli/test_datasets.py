"""``discrimen datasets`` from a user's seat, against a server on this machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.public_data.zenodo import FakeZenodo, serving

from discrimen.cli.main import main

Datasets = Callable[..., tuple[int, str, str]]


@pytest.fixture
def zenodo() -> Iterator[FakeZenodo]:
    with serving() as fake:
        rows = np.arange(40).reshape(4, 10)
        text = "\n".join(",".join(map(str, row)) for row in rows.tolist())
        fake.publish(7974151, {"training_data_normalized.txt": text.encode(), "train_labels.txt": b"0\n0\n1\n0\n"})
        yield fake


@pytest.fixture
def datasets(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Datasets:
    def command(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["discrimen", "datasets", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return command


def test_the_list_fits_a_terminal_and_names_sources(datasets: Datasets) -> None:
    status, out, _ = datasets()
    assert status == 0
    for word in ("10.5281/zenodo.16728732", "10.5281/zenodo.7974151", "facts from:", "converter:"):
        assert word in out
    assert sum(len(line) > 80 for line in out.splitlines()) <= 3  # addresses are not broken
    listed = json.loads(datasets("--json")[1])["data_sets"]
    assert {known["doi"] for known in listed} >= {"10.5281/zenodo.16728732", "10.5281/zenodo.7974151"}


def test_fetch_and_convert(datasets: Datasets, zenodo: FakeZenodo, tmp_path: Path) -> None:
    status, out, err = datasets("fetch", "tempotron", "-o", tmp_path / "set", "--server", zenodo.url)
    assert status == 0, err
    assert "fetched, checksum right" in out
    assert "licence cc-by-4.0: 2 files" in err
    status, out, err = datasets("fetch", "tempotron", "-o", tmp_path / "set", "--server", zenodo.url, "--json")
    assert len(json.loads(out)["kept"]) == 2
    arguments = ("convert", "tempotron", tmp_path / "set", "-o", tmp_path / "native")
    status, _, err = datasets(*arguments)
    assert status == 1
    assert "--sample-period-ns" in err
    status, out, err = datasets(*arguments, "--sample-period-ns", "1", "--json")
    assert status == 0, err
    (one,) = json.loads(out)["converted"]
    assert (one["n_gamma"], one["n_neutron"]) == (1, 3)
    assert Path(one["output"]).is_file()
    status, out, err = datasets(*arguments, "--sample-period-ns", "1", "--overwrite")
    assert status == 0, err
    assert "1 gammas, 3 neutrons, 0 unknown" in out


def test_a_wrong_name_is_a_wrong_usage(datasets: Datasets, tmp_path: Path) -> None:
    for arguments in (("fetch", "nothing", "-o", tmp_path), ("convert", "nothing", tmp_path, "-o", tmp_path)):
        status, _, err = datasets(*arguments)
        assert status == 2
        assert "known are ej299-survey" in err


def test_offline_is_one_line_and_status_1(datasets: Datasets, tmp_path: Path) -> None:
    status, _, err = datasets("fetch", "tempotron", "-o", tmp_path, "--server", "http://127.0.0.1:1/")
    assert status == 1
    assert err.count("\n") == 1
    assert "cannot be reached" in err
