"""Hashes and versions that go into every output."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from discrimen.provenance import sha256_of_file, software_versions, utc_now


def test_hash_is_that_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"pulses" * 100_000)
    assert sha256_of_file(path) == hashlib.sha256(b"pulses" * 100_000).hexdigest()


def test_versions_name_the_absent() -> None:
    versions = software_versions("numpy", "no-such-package")
    assert versions["numpy"][0].isdigit()
    assert versions["no-such-package"] == "not installed"
    assert versions["discrimen"][0].isdigit()


def test_time_is_in_utc() -> None:
    assert datetime.fromisoformat(utc_now()).utcoffset() is not None
