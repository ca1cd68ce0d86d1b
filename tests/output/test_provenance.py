"""Hashes and versions that go into every output."""

from __future__ import annotations

import hashlib
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from discrimen.output.provenance import command_line, sha256_of_file, software_versions, utc_now, waveform_digests


def test_hash_is_that_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"pulses" * 100_000)
    assert sha256_of_file(path) == hashlib.sha256(b"pulses" * 100_000).hexdigest()


def test_versions_name_the_absent() -> None:
    versions = software_versions("numpy", "no-such-package")
    assert versions["numpy"][0].isdigit()
    assert versions["no-such-package"] == "not installed"
    assert versions["discrimen"][0].isdigit()


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["/usr/bin/discrimen", "inspect", "a b.BIN"], "discrimen inspect 'a b.BIN'"),
        (["/x/discrimen/__main__.py", "bench", "m"], "discrimen bench m"),
        (["scripts/my.py", "7"], "python scripts/my.py 7"),
        ([""], "Python, interactive"),
        (["discrimen", "one\nline"], "discrimen 'one\\nline'"),
        (["discrimen", "na\udcffme"], "discrimen 'na\\udcffme'"),
    ],
)
def test_the_command_line_can_be_given_again(argv: list[str], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    assert command_line() == told


def test_a_command_line_of_thousands_of_files_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["discrimen", "classify", *(f"run{n:05d}.BIN" for n in range(5000))])
    assert len(command_line()) < 8100
    assert command_line().endswith("... (cut, 65018 characters in all)")


def test_time_is_in_utc() -> None:
    assert datetime.fromisoformat(utc_now()).utcoffset() is not None


def waveforms(n_pulses: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 16384, (n_pulses, 20)).astype(np.uint16)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32])
def test_equal_waveforms_share_a_digest_in_every_integer_type(dtype: type) -> None:
    samples = waveforms(50)
    np.testing.assert_array_equal(waveform_digests(samples), waveform_digests(samples.astype(dtype)))


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_waveforms_that_differ_by_one_count_have_different_digests(dtype: type) -> None:
    samples = np.repeat(waveforms(1), 21, axis=0).astype(dtype)
    samples[np.arange(20), np.arange(20)] += 1
    assert len(np.unique(waveform_digests(samples))) == 21


def test_digests_are_spread_evenly() -> None:
    share = waveform_digests(waveforms(4000)) / 2.0**64
    assert abs(share.mean() - 0.5) < 0.03
    assert abs(np.mean(share < 0.1) - 0.1) < 0.03


def test_digests_stay_the_same_from_version_to_version() -> None:
    """They are compared with digests that were stored years ago."""
    assert waveform_digests(np.array([[1, 2, 3]], dtype=np.uint16))[0] == 0xA52E4AD82048BAF0
