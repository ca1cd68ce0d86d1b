"""Who may look: hosts, tokens, and files of tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

from discrimen.errors import SettingsError
from discrimen.online.monitor.access import Access, is_loopback, new_token, read_token, token_in


def test_the_own_machine_is_known() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "localhost", "::1", "127.3.2.1")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.2", "example.org", "", "127.0.0.1.example.org")))


def test_a_local_server_answers_to_its_own_name_alone() -> None:
    local, far = Access(None, is_local=True), Access("t" * 20, is_local=False)
    for host in ("127.0.0.1:8642", "localhost:8642", "LOCALHOST", "[::1]:8642", "[::1]"):
        assert local.allows_host(host), host
    for host in ("evil.example:8642", "evil.example", "127.0.0.1.evil.example", "localhost.evil:1", ""):
        assert not local.allows_host(host), host
        assert far.allows_host(host)


def test_only_the_token_is_the_token() -> None:
    access = Access("correct-horse-battery", is_local=False)
    assert access.allows_token("correct-horse-battery")
    for wrong in (None, "", "correct-horse-batter", "correct-horse-battery ", "ü", "\udcff"):
        assert not access.allows_token(wrong)
    assert Access(None, is_local=True).allows_token(None)


def test_a_token_may_come_by_header_cookie_or_address() -> None:
    assert token_in({"Authorization": "Bearer abc"}, "cookie", "query") == "abc"
    assert token_in({"Authorization": "Basic abc"}, "cookie", "query") == "cookie"
    assert token_in({}, None, "query") == "query"
    assert token_in({}, None, None) is None


def test_a_token_that_is_short_or_strange_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("0123456789abcdef\nmore\n", encoding="utf-8")
    assert read_token(path) == "0123456789abcdef"
    for wrong in ("", "short", "0123456789abcde;f", "0123456789äbcdefg"):
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(SettingsError, match="token"):
            read_token(path)
    with pytest.raises(SettingsError, match="cannot read the token"):
        read_token(tmp_path / "absent")
    assert len(new_token()) >= 32
