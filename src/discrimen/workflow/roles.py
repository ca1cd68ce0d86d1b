"""The role of a folder by the source in its name, where the name leaves no doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from discrimen.errors import SettingsError

Role = Literal["mixed", "gamma"]

_NUCLIDES: Mapping[str, Role] = {
    "cf252": "mixed",
    "cm244": "mixed",
    "co60": "gamma",
    "cs137": "gamma",
    "na22": "gamma",
    "eu152": "gamma",
    "mn54": "gamma",
    "y88": "gamma",
}
_REACTIONS: Mapping[str, Role] = {"ambe": "mixed", "pube": "mixed"}
_NUCLIDE = re.compile(
    r"(?<![a-z])(?P<symbol>[a-z]{1,2})[-_ ]?(?P<mass>\d{2,3})(?!\d)"
    r"|(?<!\d)(?P<mass_first>\d{2,3})[-_ ]?(?P<symbol_last>[a-z]{1,2})(?![a-z])"
)


def role_of(path: Path) -> Role:
    """Return the role that the name of a folder or file tells.

    Raises
    ------
    SettingsError
        If it tells none, or two.
    """
    roles = set(_roles_in((path.stem if path.is_file() else path.name).lower()))
    if len(roles) == 1:
        return roles.pop()
    found = "no source" if not roles else "a mixed and a gamma source"
    raise SettingsError(
        f"{path}: its name tells {found}, and its role is not guessed: say --mixed {path} (neutrons and gammas) or "
        f"--gamma {path} (gammas alone)"
    )


def by_role(paths: Sequence[Path]) -> dict[Role, list[Path]]:
    """Sort folders and files by the role that their names tell.

    Raises
    ------
    SettingsError
        If one of them tells none.
    """
    roles: dict[Role, list[Path]] = {"mixed": [], "gamma": []}
    for path in paths:
        roles[role_of(path)].append(path)
    return roles


def _roles_in(name: str) -> Iterator[Role]:
    for found in _NUCLIDE.finditer(name):
        nuclide = f"{found['symbol'] or found['symbol_last']}{found['mass'] or found['mass_first']}"
        if nuclide in _NUCLIDES:
            yield _NUCLIDES[nuclide]
    yield from (_REACTIONS[word] for word in re.findall("[a-z]+", name) if word in _REACTIONS)
