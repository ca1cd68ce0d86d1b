"""Who may look: a token for every address but the machine's own, and there only by its own name."""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from discrimen.errors import SettingsError

FEWEST_CHARACTERS = 16
COOKIE = "discrimen_monitor"
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


def is_loopback(host: str) -> bool:
    """Tell whether only programs on this machine reach a host: an address of the loopback, or ``localhost``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_token(path: Path) -> str:
    """Read a token from the first line of a file.

    Raises
    ------
    SettingsError
        If the file cannot be read, or the token is too short to keep anybody away.
    """
    try:
        lines = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot read the token: {error}") from error
    token = lines[0] if lines else ""
    if len(token) < FEWEST_CHARACTERS or not _TOKEN.fullmatch(token):
        raise SettingsError(
            f"{path}: expected a token of at least {FEWEST_CHARACTERS} letters, digits, - and _, got {len(token)} "
            "characters; make one with 'openssl rand -hex 16'"
        )
    return token


def new_token() -> str:
    """Draw a token."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class Access:
    """What a request must bring.

    Parameters
    ----------
    token : str or None
        The token, if one is asked for.
    is_local : bool
        Whether the server listens on the loopback alone: then a request must also name this machine as its host, so
        that a page from elsewhere, whose name was made to lead here, is not answered.
    """

    token: str | None
    is_local: bool

    def allows_host(self, host: str) -> bool:
        """Say whether a request may name this host (with or without port)."""
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        return not self.is_local or name.lower() in _LOCAL_NAMES or is_loopback(name)

    def allows_token(self, given: str | None) -> bool:
        """Say whether this is the token; it takes as long for every wrong one."""
        if self.token is None:
            return True
        return hmac.compare_digest((given or "").encode("utf-8", "replace"), self.token.encode())


def token_in(headers: Mapping[str, str], cookie: str | None, query: str | None) -> str | None:
    """Return the token that a request brings: in its header ``Authorization: Bearer``, its cookie or its address."""
    kind, _, given = headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and given:
        return given.strip()
    return cookie or query
